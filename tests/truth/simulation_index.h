#pragma once
// Simulated telemetry by its ids: what the tests of the simulation look things up in.
//
// Threads:  an immutable value; it refers to what it was made of.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/truth/simulation.h"

namespace tracekeeper::truth {

using Ids = std::pair<std::string, std::string>;  // trace, span

class SimulatedIndex {
 public:
  explicit SimulatedIndex(const Simulated& simulated) {
    for (const ModelSpan& span : simulated.spans) {
      spans_[{span.trace_id, span.span_id}].push_back(&span);
      children_[{span.trace_id, span.parent_span_id}].push_back(&span);
      longer_.emplace(span.trace_id.substr(8), span.trace_id);
      longer_[span.trace_id.substr(8)] = std::max(longer_[span.trace_id.substr(8)], span.trace_id);
    }
  }

  using Spans = std::vector<const ModelSpan*>;
  [[nodiscard]] Spans At(const Ids& ids) const { return Find(spans_, ids); }
  [[nodiscard]] Spans ChildrenOf(const Ids& ids) const { return Find(children_, ids); }
  [[nodiscard]] Spans ParentsOf(const ModelSpan& span) const {
    return At({span.trace_id, span.parent_span_id});
  }
  [[nodiscard]] Spans RootsOf(const std::string& trace) const { return ChildrenOf({trace, ""}); }
  /// The longest trace id with the same lower half.
  [[nodiscard]] std::string LongerTrace(const std::string& trace) const {
    return longer_.at(trace.substr(8));
  }
  [[nodiscard]] bool IsOrphan(const ModelSpan& span) const {
    return !span.parent_span_id.empty() && ParentsOf(span).empty();
  }

 private:
  static Spans Find(const std::map<Ids, Spans>& spans, const Ids& ids) {
    const auto found = spans.find(ids);
    return found == spans.end() ? Spans{} : found->second;
  }

  std::map<Ids, Spans> spans_;
  std::map<Ids, Spans> children_;
  std::map<std::string, std::string> longer_;
};

/// The value of an attribute; empty where there is none.
inline std::string ValueOf(const Attributes& attributes, const std::string& key) {
  for (const auto& [name, value] : attributes) {
    if (name == key) {
      return value;
    }
  }
  return "";
}

inline std::string ServiceOf(const ModelSpan& span) {
  return ValueOf(span.resource, "service.name");
}

}  // namespace tracekeeper::truth
