#pragma once
// Rules are what a policy says about judging: where traces may begin with a foreign parent, and
// what counts nowhere. PolicyRules are those of all policies: each span is judged by its own's.
//
// Threads:  immutable once made.
// Source:   slo.entrypoints and slo.exclude of a policy.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/continuity/shape.h"

namespace tracekeeper::continuity {

/// Texts to look for; one that ends with * means all that begin so.
class NameList {
 public:
  NameList() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): lists of names are what policies hold
  NameList(const std::vector<std::string>& patterns);

  [[nodiscard]] bool Has(std::string_view text) const;
  [[nodiscard]] bool empty() const { return exact_.empty() && prefixes_.empty(); }

 private:
  std::set<std::string, std::less<>> exact_;
  std::vector<std::string> prefixes_;
};

struct Rules {
  NameList entrypoints;  // services
  NameList excluded_services;
  NameList excluded_scopes;
  NameList excluded_span_names;

  [[nodiscard]] bool Excludes(const Shape& shape, const Names& names) const;
  /// Spans are filtered on their way to us.
  [[nodiscard]] bool FiltersSpans() const {
    return !excluded_scopes.empty() || !excluded_span_names.empty();
  }
};

class PolicyRules {
 public:
  PolicyRules() = default;
  /// The same for all spans.
  // NOLINTNEXTLINE(google-explicit-constructor): rules for all are rules
  PolicyRules(Rules of_others) : of_others_(std::move(of_others)) {}

  /// Of the spans that belong to this policy, "namespace/name".
  void Add(std::string policy, Rules rules);
  /// Those of the span's policy; the others' where it has none, or one that was not added.
  [[nodiscard]] const Rules& Of(const Shape& shape, const Names& names) const;
  [[nodiscard]] bool Excludes(const Shape& shape, const Names& names) const {
    return Of(shape, names).Excludes(shape, names);
  }

 private:
  Rules of_others_;
  std::map<std::string, Rules, std::less<>> by_policy_;
};

}  // namespace tracekeeper::continuity
