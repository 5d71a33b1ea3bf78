#include "src/kube/events.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "src/kube/event_series.h"

namespace tracekeeper::kube {
namespace {

constexpr unsigned kTries = 12;
constexpr Duration kTryPeriod = std::chrono::seconds(10);
/// How often counts that are due are looked for.
constexpr Duration kLookPeriod = std::chrono::seconds(30);

bool IsWorthATry(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kTimeout ||
         kind == ErrorKind::kTooManyRequests;
}

Counter& DropCounter(Metrics& metrics, std::string_view reason) {
  return metrics.MakeCounter("tracekeeper_events_dropped_total",
                             "Kubernetes Events that were not written, by reason.",
                             {{"reason", std::string(reason)}});
}

}  // namespace

struct EventRecorder::State {
  State(Options recorder_options, Client& kube_client, const Clock& clock_to_use, Metrics& metrics,
        Logger logger)
      : field_manager(recorder_options.reporting_controller),
        client(kube_client),
        clock(clock_to_use),
        log(std::move(logger)),
        queue_full(DropCounter(metrics, "queue_full")),
        refused(DropCounter(metrics, "refused")),
        gave_up(DropCounter(metrics, "gave_up")),
        series(std::move(recorder_options)) {}

  struct Seen {
    EventNote note;
    Instant at;
  };

  const std::string field_manager;
  Client& client;
  const Clock& clock;
  Logger log;
  Counter& queue_full;
  Counter& refused;
  Counter& gave_up;

  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<Seen> queue;    // under mutex
  bool is_stopping = false;  // under mutex
  bool is_done = true;       // under mutex

  EventSeries series;        // the thread's alone
  std::stop_source abandon;  // ends the call in flight when the flush takes too long
  std::jthread thread;

  void Run();
  void Write(const EventWrite& write);
  Status TryOnce(const EventWrite& write);
  bool WaitForNextTry();
};

void EventRecorder::State::Run() {
  std::unique_lock lock(mutex);
  while (true) {
    const MonotonicTime look = clock.Monotonic() + kLookPeriod;
    while (queue.empty() && !is_stopping && clock.Monotonic() < look) {
      clock.WaitUntil(changed, lock, look);
    }
    std::deque<Seen> notes = std::exchange(queue, {});
    const bool is_last = is_stopping;
    lock.unlock();
    for (const Seen& seen : notes) {
      const auto write = series.Observe(seen.note, seen.at, clock.Monotonic());
      if (write) Write(*write);
    }
    for (const EventWrite& write : is_last ? series.TakeAll() : series.TakeDue(clock.Monotonic())) {
      Write(write);
    }
    lock.lock();
    if (is_last && queue.empty()) break;
  }
  is_done = true;
  changed.notify_all();
}

void EventRecorder::State::Write(const EventWrite& write) {
  for (unsigned tries = 1;; ++tries) {
    const Status written = TryOnce(write);
    if (written) return;
    const ErrorKind kind = written.error().kind;
    // A second try that finds the Event was our first try's.
    if (kind == ErrorKind::kAlreadyExists) return;
    if (kind == ErrorKind::kCancelled || !IsWorthATry(kind)) {
      // kNotFound: the server has deleted the Event (after an hour); the next note makes a new one.
      series.Forget(write.series);
      if (kind != ErrorKind::kNotFound || write.verb == EventWrite::Verb::kCreate) {
        refused.Increment();
        log.Debug("Dropped event", {{"event", write.event.ToString()}, {"error", written.error()}});
      }
      return;
    }
    if (tries == kTries || !WaitForNextTry()) {
      series.Forget(write.series);
      gave_up.Increment();
      log.Debug("Gave up on event",
                {{"event", write.event.ToString()}, {"error", written.error()}});
      return;
    }
  }
}

Status EventRecorder::State::TryOnce(const EventWrite& write) {
  const WriteOptions options{.field_manager = field_manager};
  const StopToken stop = abandon.get_token();
  if (write.verb == EventWrite::Verb::kPatch) {
    TRY(client.PatchMerge(kEvents, write.event, write.json, options, stop));
  } else {
    TRY(client.Create(kEvents, write.event.namespace_name, write.json, options, stop));
  }
  return {};
}

/// False when we are to stop: then an event that could not be written is not waited for.
bool EventRecorder::State::WaitForNextTry() {
  std::unique_lock lock(mutex);
  const MonotonicTime next = clock.Monotonic() + kTryPeriod;
  while (!is_stopping && clock.Monotonic() < next) clock.WaitUntil(changed, lock, next);
  return !is_stopping;
}

EventRecorder::EventRecorder(Options options, Client& client, const Clock& clock, Metrics& metrics,
                             Logger log)
    : state_(std::make_unique<State>(std::move(options), client, clock, metrics, std::move(log))) {}

EventRecorder::~EventRecorder() { Stop(); }

void EventRecorder::Start() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_done) return;
  state_->is_stopping = false;
  state_->is_done = false;
  state_->thread = std::jthread([state = state_.get()] { state->Run(); });
}

void EventRecorder::Record(EventNote note) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->queue.size() < kQueueLimit) {
      state_->queue.push_back({std::move(note), state_->clock.Now()});
    } else {
      state_->queue_full.Increment();
    }
  }
  state_->changed.notify_all();
}

void EventRecorder::Stop() {
  {
    std::unique_lock lock(state_->mutex);
    if (!state_->thread.joinable()) return;
    state_->is_stopping = true;
    state_->changed.notify_all();
    const MonotonicTime end = state_->clock.Monotonic() + kFlushDeadline;
    while (!state_->is_done && state_->clock.Monotonic() < end) {
      state_->clock.WaitUntil(state_->changed, lock, end);
    }
  }
  state_->abandon.request_stop();
  state_->thread.join();
}

}  // namespace tracekeeper::kube
