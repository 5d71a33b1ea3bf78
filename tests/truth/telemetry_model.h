#pragma once
// Telemetry as plain values: what the simulated programs of the tests send, and what the oracle
// judges. Nothing here knows the engine.
//
// Threads:  values and pure functions.

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tracekeeper::truth {

using Attributes = std::vector<std::pair<std::string, std::string>>;

struct ModelSpan {
  // Ids as bytes, as they are sent; empty: none.
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;
  std::string tracestate;
  std::uint32_t flags = 0;
  std::string name;
  std::string scope;
  int kind = 0;    // as OTLP numbers it
  int status = 0;  // as OTLP numbers it
  std::string status_message;
  std::uint64_t start_nanoseconds = 0;
  std::uint64_t end_nanoseconds = 0;
  Attributes resource;    // service.name and service.instance.id among them
  Attributes attributes;  // of the span
  std::vector<std::pair<std::string, std::string>> links;  // trace id, span id
  std::string exception_message;  // of an exception event, where there is one

  bool operator==(const ModelSpan&) const = default;
};

struct ModelLog {
  std::string trace_id;
  std::string span_id;
  std::uint32_t flags = 0;
  std::uint64_t time_nanoseconds = 0;
  Attributes resource;

  bool operator==(const ModelLog&) const = default;
};

struct ModelPolicy {
  std::set<std::string> entrypoints;      // services
  std::set<std::string> excluded_scopes;  // a name may end with *
  std::set<std::string> excluded_span_names;
  std::set<std::string> excluded_services;
};

/// One ExportTraceServiceRequest; spans of one resource and scope that stand together share them.
std::string TracesRequest(std::span<const ModelSpan> spans);
std::string LogsRequest(std::span<const ModelLog> logs);

/// The judgement of a set of telemetry, in a form that two implementations can be compared in.
struct Verdicts {
  /// "hop good", "hop bad broken_hop", "request excluded probe": how many units. Excluded and
  /// unknown with their reason, bad with its cause.
  std::map<std::string, std::uint64_t> units;
  /// "client > server protocol good|bad CAUSE|excluded REASON|unknown REASON": how many hops.
  std::map<std::string, std::uint64_t> hops;
  /// "service good|...": how many in_process units.
  std::map<std::string, std::uint64_t> in_process;
  /// "entry good|...": how many requests.
  std::map<std::string, std::uint64_t> requests;
  /// "service good|...": how many logs.
  std::map<std::string, std::uint64_t> logs;
  /// "cause trace-id span-id" in hexadecimal, of every break and finding; a log has the ids it
  /// carries.
  std::set<std::string> findings;

  bool operator==(const Verdicts&) const = default;
};

/// Each entry that the two do not share, a line each: empty where they are equal.
std::string Difference(const Verdicts& expected, const Verdicts& found);

}  // namespace tracekeeper::truth
