#pragma once
// Telemetry for the tests of the page's rules, told span by span: each call after a span changes
// that span.
//
//   Story().Server("shop", 1).Client("shop", 2).Under(1).Peer("cart").At(10, 90)
//
// A span is of trace 1, named "work", of scope "library", on the only instance of its service
// ("shop-0"), and lasts from 0 to 100 milliseconds, unless it says otherwise.
//
// Threads:  a value.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/truth/oracle.h"

namespace tracekeeper::truth {

class Story {
 public:
  Story& Server(const std::string& service, int id) { return Add(service, id, 2); }
  Story& Client(const std::string& service, int id) { return Add(service, id, 3); }
  Story& Producer(const std::string& service, int id) { return Add(service, id, 4); }
  Story& Consumer(const std::string& service, int id) { return Add(service, id, 5); }
  Story& Internal(const std::string& service, int id) { return Add(service, id, 1); }
  Story& WithoutKind(const std::string& service, int id) { return Add(service, id, 0); }

  Story& In(int trace);
  Story& InShort(int trace);  // the same lower half, an upper half of zeros
  Story& InBytes(const std::string& trace_id);
  Story& Under(int parent);
  Story& UnderBytes(const std::string& parent);
  Story& At(std::int64_t from, std::int64_t to);  // milliseconds
  Story& Unfinished();
  Story& Named(const std::string& name);
  Story& OfScope(const std::string& scope);
  Story& On(const std::string& instance);
  Story& Flags(std::uint32_t flags);
  Story& Tracestate(const std::string& text);
  Story& Failed(const std::string& message);
  Story& Linked();  // to a span of another trace
  Story& Says(const std::string& key, const std::string& value);
  Story& Peer(const std::string& service) { return Says("peer.service", service); }
  Story& Resource(const std::string& key, const std::string& value);

  // The policy.
  Story& EntryPoint(const std::string& service);
  Story& ExcludeScope(const std::string& scope);
  Story& ExcludeName(const std::string& name);
  Story& ExcludeService(const std::string& service);

  // Log records, of the only instance of their service.
  Story& Log(const std::string& service, const std::string& trace_id, const std::string& span_id,
             std::int64_t time = 0, std::uint32_t flags = 0);
  Story& LogOfUnknownInstance(const std::string& service);

  /// The same spans in the opposite order.
  [[nodiscard]] Story Backwards() const;

  /// By the oracle. Fails the test where the engine says otherwise: every story is told to both.
  [[nodiscard]] Verdicts Judged() const;
  [[nodiscard]] OracleProfile Learned() const { return LearnProfile(spans_); }
  [[nodiscard]] const std::vector<ModelSpan>& spans() const { return spans_; }
  [[nodiscard]] const std::vector<ModelLog>& logs() const { return logs_; }
  [[nodiscard]] const ModelPolicy& policy() const { return policy_; }

 private:
  Story& Add(const std::string& service, int id, int kind);
  ModelSpan& last() { return spans_.back(); }

  std::vector<ModelSpan> spans_;
  std::vector<ModelLog> logs_;
  ModelPolicy policy_;
};

struct OracleCase {
  std::string name;
  Story story;
  std::map<std::string, std::uint64_t> units;  // all of them
  std::set<std::string> findings;              // all of them
};

/// How the units and findings of a case differ from what it expects; empty where they do not.
std::string DifferenceOf(const OracleCase& row);

std::string TraceIdOf(int trace);
std::string ShortTraceIdOf(int trace);
std::string SpanIdOf(int span);
/// Milliseconds of a story as nanoseconds since 1970.
std::uint64_t NanosecondsOf(std::int64_t milliseconds);

/// As Verdicts has it.
std::string Finding(const std::string& cause, int trace, int span);
std::string ShortFinding(const std::string& cause, int trace, int span);

}  // namespace tracekeeper::truth
