#include "src/runtime/controller.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "src/runtime/controller_metrics.h"
#include "src/runtime/uuid.h"

namespace tracekeeper::runtime {
namespace {

// How often the gauges of running work are brought up to date.
constexpr Duration kPublishPeriod = std::chrono::milliseconds(500);
// The longest sleep towards a wall time: what a clock that jumped can cost.
constexpr Duration kLongestWallSleep = std::chrono::minutes(10);

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

struct Controller::State {
  // A run with a deadline, for the monitor to stop.
  struct Run {
    MonotonicTime deadline;
    std::stop_source stop;
  };

  State(ControllerOptions controller_options, Reconcile function, const Clock& the_clock,
        Metrics& registry, const Logger& logger)
      : options(std::move(controller_options)),
        reconcile(std::move(function)),
        clock(the_clock),
        log(logger.With({{"controller", options.name}})),
        metrics(options.name, registry),
        queue({.name = options.name, .per_key_backoff = options.per_key_backoff}, the_clock,
              registry) {
    metrics.max_concurrent.Set(options.workers);
  }

  void Work(const StopToken& stop);
  void Monitor(const StopToken& stop);
  Outcome RunOnce(const kube::ObjectKey& key, const StopToken& stop);
  Result<Requeue> Call(const kube::ObjectKey& key, ReconcileContext& context);
  Outcome Judge(const Result<Requeue>& result, const ReconcileContext& context);
  Outcome JudgeSuccess(const Requeue& requeue);
  void StopOverdueRuns();
  MonotonicTime NextLook();

  const ControllerOptions options;
  const Reconcile reconcile;
  const Clock& clock;
  const Logger log;
  ControllerMetrics metrics;
  WorkQueue queue;

  std::mutex mutex;
  std::condition_variable_any changed;
  std::list<Run> runs;  // with a deadline

  std::vector<std::jthread> workers;
  std::jthread monitor;
};

void Controller::State::Work(const StopToken& stop) {
  while (const auto key = queue.Get()) {
    metrics.active_workers.Add(1);
    const Outcome outcome = RunOnce(*key, stop);
    metrics.active_workers.Add(-1);
    queue.Done(*key, outcome);
  }
}

Outcome Controller::State::RunOnce(const kube::ObjectKey& key, const StopToken& stop) {
  const bool limited = options.reconcile_timeout > Duration::zero();
  const MonotonicTime start = clock.Monotonic();
  const MonotonicTime deadline = limited ? start + options.reconcile_timeout : MonotonicTime::max();
  std::stop_source run_stop;
  const std::stop_callback pass_on(stop, [&run_stop] { run_stop.request_stop(); });
  std::list<Run>::iterator entry;
  if (limited) {
    const std::scoped_lock lock(mutex);
    entry = runs.insert(runs.end(), {deadline, run_stop});
    changed.notify_all();
  }

  const std::string id = RandomUuid();
  ReconcileContext context{
      .now = clock.Now(),
      .stop = run_stop.get_token(),
      .deadline = deadline,
      .reconcile_id = id,
      .log = log.With({{"object", key.ToString()}, {"reconcile", id}}),
  };
  const Result<Requeue> result = Call(key, context);
  metrics.time.Observe(Seconds(clock.Monotonic() - start));

  if (limited) {
    const std::scoped_lock lock(mutex);
    runs.erase(entry);
  }
  return Judge(result, context);
}

// The one place that stops exceptions of reconcile functions: a bug in one object's run must not
// end the work on all others.
Result<Requeue> Controller::State::Call(const kube::ObjectKey& key, ReconcileContext& context) {
  try {
    return reconcile(key, context);
  } catch (const std::exception& error) {
    metrics.panics.Increment();
    return Fail(ErrorKind::kInternal, "reconcile {} threw an exception: {}", key.ToString(),
                error.what());
  } catch (...) {
    metrics.panics.Increment();
    return Fail(ErrorKind::kInternal, "reconcile {} threw an exception of unknown type",
                key.ToString());
  }
}

Outcome Controller::State::Judge(const Result<Requeue>& result, const ReconcileContext& context) {
  if (result) return JudgeSuccess(*result);

  const Error& error = result.error();
  if (clock.Monotonic() >= context.deadline) {
    metrics.timeouts.Increment();
  } else if (error.kind == ErrorKind::kCancelled && context.stop.stop_requested()) {
    return Outcome::Retry();  // we are stopping: no failure of the object
  }
  metrics.errors.Increment();
  metrics.failed.Increment();
  if (error.kind == ErrorKind::kTerminal) {
    metrics.terminal_errors.Increment();
    context.log.Error("Gave up on object until it changes", {{"error", error}});
    return Outcome::GivenUp();
  }
  context.log.Error("Failed to reconcile object", {{"error", error}, {"kind", NameOf(error.kind)}});
  return error.retry_after ? Outcome::RetryNotBefore(*error.retry_after) : Outcome::Retry();
}

Outcome Controller::State::JudgeSuccess(const Requeue& requeue) {
  switch (requeue.kind_) {
    case Requeue::Kind::kNever:
      metrics.succeeded.Increment();
      return Outcome::Succeeded();
    case Requeue::Kind::kSoon:
      metrics.requeued.Increment();
      return Outcome::Retry();
    case Requeue::Kind::kAfter:
      metrics.requeued_after.Increment();
      return Outcome::RunAfter(requeue.delay_);
    case Requeue::Kind::kAt:
      metrics.requeued_after.Increment();
      return Outcome::RunAfter(
          std::clamp(requeue.instant_ - clock.Now(), Duration::zero(), kLongestWallSleep));
  }
  return Outcome::Succeeded();
}

void Controller::State::Monitor(const StopToken& stop) {
  const std::stop_callback wake(stop, [this] {
    const std::scoped_lock lock(mutex);
    changed.notify_all();
  });
  while (!stop.stop_requested()) {
    queue.PublishRunning();
    StopOverdueRuns();
    std::unique_lock lock(mutex);
    if (!stop.stop_requested()) clock.WaitUntil(changed, lock, NextLook());
  }
}

// Under the lock: a run that begins now wakes the monitor.
MonotonicTime Controller::State::NextLook() {
  MonotonicTime next = clock.Monotonic() + kPublishPeriod;
  for (const Run& run : runs) {
    if (!run.stop.stop_requested()) next = std::min(next, run.deadline);
  }
  return next;
}

void Controller::State::StopOverdueRuns() {
  std::vector<std::stop_source> overdue;
  {
    const std::scoped_lock lock(mutex);
    const MonotonicTime now = clock.Monotonic();
    for (const Run& run : runs) {
      if (run.deadline <= now && !run.stop.stop_requested()) overdue.push_back(run.stop);
    }
  }
  // Without the lock: a stop callback may do anything.
  for (std::stop_source& stop : overdue) stop.request_stop();
}

Controller::Controller(ControllerOptions options, Reconcile reconcile, const Clock& clock,
                       Metrics& metrics, const Logger& log)
    : state_(
          std::make_unique<State>(std::move(options), std::move(reconcile), clock, metrics, log)) {}

Controller::~Controller() { Stop(); }

std::string_view Controller::name() const { return state_->options.name; }

WorkQueue& Controller::queue() { return state_->queue; }

Status Controller::Start() {
  State& state = *state_;
  state.monitor = std::jthread([&state](const StopToken& stop) { state.Monitor(stop); });
  for (unsigned i = 0; i < state.options.workers; ++i) {
    state.workers.emplace_back([&state](const StopToken& stop) { state.Work(stop); });
  }
  state.log.Info("Started workers", {{"workers", state.options.workers}});
  return {};
}

void Controller::Stop() {
  State& state = *state_;
  state.queue.Stop();
  for (std::jthread& worker : state.workers) worker.request_stop();
  state.workers.clear();  // joins
  state.monitor = std::jthread();
}

Status Controller::Check() const {
  const Duration longest = state_->queue.longest_run();
  if (longest <= state_->options.stuck_after) return {};
  return Fail(ErrorKind::kTimeout,
              "controller {} has been reconciling one object for {:.0f} s: its thread is stuck",
              state_->options.name, Seconds(longest));
}

}  // namespace tracekeeper::runtime
