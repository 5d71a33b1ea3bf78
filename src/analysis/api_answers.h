#pragma once
// What /api/v1 answers, as JSON: functions of a snapshot and of what was asked. The document
// src/analysis/openapi.json says the same for programs.
//
// Threads:  pure.

#include <cstddef>
#include <optional>
#include <string>

#include "src/analysis/gate.h"
#include "src/analysis/snapshot.h"

namespace tracekeeper::analysis {

/// Nothing: of all.
struct Filter {
  std::optional<PolicyLabels> policy;
  std::optional<std::string> service;  // either side of an edge
  std::optional<continuity::Cause> cause;
  std::size_t limit = 100;  // edges; places of each cause
};

std::string EdgesJson(const Snapshot& snapshot, const Filter& filter);
std::string BreaksJson(const Snapshot& snapshot, const Filter& filter);
/// `known`: what the engine knows. Of a trace that it forgot, the examples of breaks may tell.
/// Nothing where neither does.
std::optional<std::string> TraceJson(const Snapshot& snapshot, const otlp::TraceId& trace,
                                     const std::optional<continuity::KnownTrace>& known);
std::string GateJson(const GateAnswer& answer, const GateQuestion& question);
std::string HealthJson(const Snapshot& snapshot);
/// {"error":{"code":…,"message":…}}
std::string ErrorJson(std::string_view code, std::string_view message);

}  // namespace tracekeeper::analysis
