#pragma once
// Manager runs the parts of a program: starts them phase by phase, waits for a reason to end, and
// stops them so that work ends before the data it needs, and the lease is given up last.
//
//   Manager manager({}, clock, log);
//   manager.Add(Phase::kHttp, health_server);
//   manager.Add(Phase::kCache, pods);
//   manager.Add(Phase::kLeader, controller);
//   manager.UseLeaderElection(elector);          // without it the leader phase starts at once
//   const Status end = manager.Run(stop);
//
// Threads:  Add and UseLeaderElection before Run, from one thread. Run blocks its caller, once.
//           Fail is safe from any thread.
// Owner:    the program's wiring; parts and elector outlive it.
// Failure:  Run gives the first reason that was not a wish to stop: a part that did not start, a
//           cache that did not sync in time, a lost lease, an error told to Fail. Parts that were
//           started are stopped in any case. When stopping takes longer than the grace,
//           `on_grace_exceeded` is called with the name of the part that hangs. After a lost lease
//           leader work stops first, and the grace is what is left of the lease.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/runtime/runnable.h"

namespace tracekeeper::runtime {

class LeaderElector;

class Manager {
 public:
  struct Options {
    /// For each phase: from its first Start to its last part being ready.
    Duration ready_timeout = std::chrono::minutes(2);
    Duration stop_grace = std::chrono::seconds(30);
    /// Ends the process: a part that does not stop cannot be destroyed either. Called on a thread
    /// of the manager's own.
    std::function<void(std::string_view part)> on_grace_exceeded = {};
  };

  Manager(Options options, const Clock& clock, const Logger& log);

  void Add(Phase phase, Runnable& part);
  void UseLeaderElection(LeaderElector& elector);

  Status Run(const StopToken& stop);

  /// Ends Run with `error`. Only the first one counts.
  void Fail(Error error);

 private:
  struct Part {
    Phase phase;
    Runnable* runnable;
    bool started = false;
  };

  Status StartAll();
  Status StartPhase(Phase phase);
  Status WaitUntilReady(Phase phase);
  void WaitForEnd();
  void StopAll();
  void StopPhase(Phase phase);
  void SetStopping(std::string_view part);
  void OnElected();
  void OnLost(Error error);
  void OnGraceExceeded();

  const Options options_;
  const Clock& clock_;
  const Logger log_;
  std::vector<Part> parts_;
  LeaderElector* elector_ = nullptr;
  bool elector_started_ = false;
  std::stop_source ending_;  // a wish to stop, or a failure

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool elected_ = false;
  bool lost_lease_ = false;
  std::optional<Error> failure_;
  std::string stopping_;  // the part whose Stop is running
};

}  // namespace tracekeeper::runtime
