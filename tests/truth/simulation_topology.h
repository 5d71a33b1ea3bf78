#pragma once
// The services of the simulated shop and the instances they run as.
//
// Threads:  values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/truth/simulation.h"
#include "tests/truth/simulation_random.h"
#include "tests/truth/simulation_time.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

enum class ServiceName : std::size_t {
  kGateway,
  kFrontend,
  kCheckout,
  kPayment,
  kInventory,
  kRecommendation,
  kFulfilment,     // messages pushed to it; their context becomes the parent
  kAnalytics,      // polls, and links; takes events over HTTP
  kNotification,   // takes batches, and links
  kReportJob,      // a cron job
  kLoadGenerator,  // outside, but exports
  kWorkflow,       // long traces
};

/// What a service's SDK says in span flags.
enum class FlagStyle {
  kRemoteKnown,  // bits 8 and 9, and the trace flags
  kTraceFlags,   // the trace flags
  kNone,
};

/// Which names of attributes its libraries write.
enum class Convention { kStable, kOld };

struct Service {
  std::string name;
  std::string address;  // what its callers have configured
  std::string scope;    // of what its own code starts
  std::string server_scope;
  std::string client_scope;
  FlagStyle flags = FlagStyle::kRemoteKnown;
  Convention convention = Convention::kStable;
  double own_ratio = 1;            // where each service samples by itself
  bool names_itself_peer = false;  // of its database
  std::vector<std::size_t> instances;
};

struct Instance {
  std::size_t service = 0;
  Attributes resource;
  std::int64_t clock_skew = 0;  // nanoseconds its host's clock is ahead
  Moment span_phase = 0;        // of its processors' timers
  Moment log_phase = 0;
  bool exports_spans = true;
};

struct Topology {
  std::vector<Service> services;  // by ServiceName
  std::vector<Instance> instances;
  // Of gateway and checkout: a canary whose exporter was not configured.
  std::vector<std::size_t> canaries;  // by service; kNone where it has none

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  [[nodiscard]] const Service& Of(ServiceName name) const {
    return services[static_cast<std::size_t>(name)];
  }
};

Topology MakeTopology(const SimulationOptions& options, Random& random);

}  // namespace tracekeeper::truth
