#pragma once
// What is learned from the whole input before any trace is judged: section 5 of
// docs/reference/verdicts.md. A plain value that a test may also write by hand.
//
// Threads:  values and pure functions.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/truth/oracle_span.h"
#include "tests/truth/oracle_traces.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

using Counts = std::map<std::string, std::uint64_t>;

inline constexpr std::int64_t kDefaultSkew = kSecond / 2;

/// Service, scope, name, kind.
using WorkKey = std::tuple<std::string, std::string, std::string, int>;
/// Service and name of an entry.
using CalleeKey = std::pair<std::string, std::string>;

struct LinkCounts {
  std::uint64_t present = 0;
  std::uint64_t absent = 0;
};

struct WorkProfile {
  std::uint64_t with_parent_id = 0;
  std::uint64_t roots = 0;
  std::uint64_t roots_inside = 0;  // of those, inside an entry span on their own instance
  LinkCounts links;                // of spans that are no entries
};

struct BusyShare {
  std::int64_t busy = 0;
  std::int64_t observed = 0;
};

struct CalleeProfile {
  Counts callers;                          // by remote links
  std::vector<std::uint64_t> present_ids;  // the low halves of the trace ids
  std::vector<std::uint64_t> absent_ids;
};

struct OracleProfile {
  std::int64_t settle_window = 10 * kSecond;
  std::int64_t skew = kDefaultSkew;
  std::optional<std::int64_t> delay;  // nothing: without bound

  std::set<std::string> instrumented;               // services
  std::map<std::string, std::uint64_t> thresholds;  // of services
  std::map<std::string, BusyShare> busy;            // of services
  std::map<std::string, std::string> address_services;
  std::map<WorkKey, WorkProfile> work;
  std::map<std::string, LinkCounts> instances;  // links of spans that are no entries
  std::map<CalleeKey, CalleeProfile> callees;
  std::map<std::string, Counts> service_callers;

  [[nodiscard]] std::optional<std::string> UsualCaller(const OracleSpan& entry) const;
  /// Mostly absent, which is also what a steady share is.
  [[nodiscard]] bool IsCallerMostlyAbsent(const OracleSpan& entry) const;
  [[nodiscard]] bool DoIdsFallApart(const OracleSpan& entry) const;
  [[nodiscard]] bool AreAlwaysOrphans(const OracleSpan& span) const;
  [[nodiscard]] bool IsMostlyIdle(const std::string& service) const;
  [[nodiscard]] WorkProfile WorkOf(const OracleSpan& span) const;
  [[nodiscard]] std::optional<std::uint64_t> ThresholdOf(const std::string& service) const;
  /// The service that a call talks to.
  [[nodiscard]] std::optional<std::string> PeerOf(const OracleSpan& call) const;
};

[[nodiscard]] OracleProfile LearnProfile(const OracleTraces& traces);
[[nodiscard]] OracleProfile LearnProfile(std::span<const ModelSpan> spans);

/// The entry spans of all traces, by where they are.
struct Entries {
  std::map<std::string, std::vector<const OracleSpan*>> of_instance;  // known ones only
  std::map<std::string, std::vector<const OracleSpan*>> of_service;

  /// Whether an ended entry span of that instance is open at `time`.
  [[nodiscard]] bool IsInside(const std::string& instance, std::int64_t time) const;
};

[[nodiscard]] Entries FindEntries(const OracleTraces& traces);

}  // namespace tracekeeper::truth
