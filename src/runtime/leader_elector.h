#pragma once
// LeaderElector lets one of several replicas lead: the one whose name is in a Lease and who renews
// it. Only the time that this process measured counts; what another machine's clock wrote into the
// record is never believed: a record is free when it has not changed here for its duration.
//
// A leader that cannot renew within `renew_deadline` tells on_lost and does not come back: its
// program ends. Between that moment and the end of the lease nobody leads. Leadership does not
// fence: writes of leader work must be safe when two overlap for a moment (server-side apply,
// preconditions).
//
// Threads:  callbacks run on the elector's thread and must return at once. The rest is safe from
//           any thread.
// Owner:    the program's wiring; `client` is its own, with CallDeadline() as its deadline, so that
//           one call that hangs cannot cost the lease.
// Failure:  calls that fail are logged and tried again every retry period.
// Metrics:  leader_election_master_status{name}: 1 while leading.
// Source:   client-go's leaderelection.

#include <functional>
#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/lease.h"

namespace tracekeeper::runtime {

struct LeaderElectionOptions {
  kube::ObjectKey lease;
  /// Unique to this process: see MakeIdentity().
  std::string identity;
  Duration lease_duration = std::chrono::seconds(15);
  Duration renew_deadline = std::chrono::seconds(10);
  Duration retry_period = std::chrono::seconds(2);
  /// A candidate tries again after retry_period * [1, 1 + jitter): 2 to 4.4 s.
  double jitter = 1.2;
  /// livez fails when a leader has not renewed for lease_duration + this: its thread hangs.
  Duration watchdog_tolerance = std::chrono::seconds(20);
};

/// The rules that make the times safe: lease > renew deadline > 1.2 * retry period, all >= 1 s.
Status Validate(const LeaderElectionOptions& options);

/// How long one call for the lease may take: half the renew deadline, at least 1 s.
Duration CallDeadline(const LeaderElectionOptions& options);

/// "<hostname>_<random UUID>".
std::string MakeIdentity();

class LeaderElector {
 public:
  struct Callbacks {
    std::function<void()> on_elected;
    /// The lease was lost without our giving it up.
    std::function<void(Error)> on_lost;
  };

  LeaderElector(LeaderElectionOptions options, kube::Client& client, const Clock& clock,
                Metrics& metrics, const Logger& log);
  /// Stops when it was started and not stopped.
  ~LeaderElector();

  Status Start(Callbacks callbacks);
  /// Call after all leader work has ended: stops renewing, and gives a held lease up so that
  /// another replica takes it within its retry period.
  void Stop();

  [[nodiscard]] bool is_leader() const;
  /// After on_lost, another replica cannot lead for at least this long.
  [[nodiscard]] Duration grace_after_loss() const;
  /// Who holds the lease as far as is known; empty when nobody does.
  [[nodiscard]] std::string leader() const;
  /// For livez.
  [[nodiscard]] Status Check() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::runtime
