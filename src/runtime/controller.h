#pragma once
// Controller runs a reconcile function for every key of its WorkQueue on a fixed number of
// threads. The function reads caches, decides and applies; it is called again until it succeeds.
//
//   Controller controller({.name = "tracingpolicy", .workers = 2}, Reconcile, clock, metrics, log);
//   policies.AddHandler(EnqueueKey(controller.queue()));   // before Start: keys gather meanwhile
//
// Threads:  queue() is safe from any thread at any time. The function runs on the controller's
//           threads, several at once for different keys, never twice at once for one key.
// Owner:    the program's wiring; the Manager starts and stops it (Phase::kLeader or kAlways).
// Failure:  an error is counted, logged and retried with the key's backoff; kTerminal is counted,
//           logged and not retried; an exception is counted as a panic and retried as an error.
// Metrics:  controller_runtime_* and workqueue_* with controller-runtime's names, made at zero.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/kube/meta.h"
#include "src/runtime/runnable.h"
#include "src/runtime/work_queue.h"

namespace tracekeeper::runtime {

/// When a key whose run succeeded is to be run again.
class Requeue {
 public:
  /// When something adds it.
  static Requeue Never() { return Requeue(Kind::kNever, {}, {}); }
  /// After the next wait of its backoff: not an error, but not finished.
  static Requeue Soon() { return Requeue(Kind::kSoon, {}, {}); }
  static Requeue After(Duration delay) { return Requeue(Kind::kAfter, delay, {}); }
  /// At a wall time. Looked at again every ten minutes at least, because wall time can jump.
  static Requeue At(Instant instant) { return Requeue(Kind::kAt, {}, instant); }

 private:
  friend class Controller;
  enum class Kind { kNever, kSoon, kAfter, kAt };
  Requeue(Kind kind, Duration delay, Instant instant)
      : kind_(kind), delay_(delay), instant_(instant) {}

  Kind kind_;
  Duration delay_;
  Instant instant_;
};

/// What one run is given besides its key.
struct ReconcileContext {
  Instant now;
  /// Passed on to every call: asked to stop at the deadline and when the controller stops.
  StopToken stop;
  /// When the run counts as timed out; MonotonicTime::max() without a reconcile_timeout.
  MonotonicTime deadline;
  /// Unique to this run; `log` carries it too.
  std::string reconcile_id;
  Logger log;
};

using Reconcile = std::function<Result<Requeue>(const kube::ObjectKey&, ReconcileContext&)>;

struct ControllerOptions {
  std::string name;
  unsigned workers = 1;
  /// Zero: no deadline.
  Duration reconcile_timeout{};
  /// A run that goes on for longer makes the health check fail.
  Duration stuck_after = std::chrono::minutes(10);
  Backoff per_key_backoff = Backoff::PerKey();
};

class Controller final : public Runnable {
 public:
  Controller(ControllerOptions options, Reconcile reconcile, const Clock& clock, Metrics& metrics,
             const Logger& log);
  /// Stops when it was started and not stopped.
  ~Controller() override;

  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] WorkQueue& queue();

  Status Start() override;
  /// Asks running reconciles to stop and returns when they have.
  void Stop() override;

  /// For livez: fails while one run has been going on for longer than `stuck_after`.
  [[nodiscard]] Status Check() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::runtime
