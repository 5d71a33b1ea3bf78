#pragma once
// EmbeddedAnalyzer is the analyzer of the replica that leads: it takes spans, judges them by the
// cluster's policies, and shows what it found on the operator's /metrics and its own /api/v1.
//
//   lead: ports open -> rules and pods of the caches -> the Service's endpoint is this replica
//   end:  the endpoint goes -> ports close -> what is pending is judged
//
// A replica that does not lead listens on none of these ports. What was pending when a leader is
// killed is lost, and what it had counted ends with its metrics: the next one begins at 0.
//
// Threads:  WriteMetrics from any; the rest by the manager and wiring.
// Owner:    Wiring; caches, client and surroundings outlive it.
// Failure:  a port that is taken ends the program with a sentence.

#include <memory>

#include "operator/app/caches.h"
#include "operator/app/control.h"
#include "operator/app/options.h"
#include "src/runtime/health.h"
#include "src/runtime/manager.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::app {

class EmbeddedAnalyzer {
 public:
  EmbeddedAnalyzer(const Options& options, Caches& caches, kube::Client& client,
                   const Surroundings& around);
  ~EmbeddedAnalyzer();

  void AddTo(runtime::Manager& manager);
  void AddTo(runtime::HealthChecks& livez);

  /// Nothing while this replica does not lead.
  void WriteMetrics(telemetry::Exposition& text) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;  // null: off
};

}  // namespace tracekeeper::app
