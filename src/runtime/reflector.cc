#include "src/runtime/reflector.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "src/runtime/timer.h"

namespace tracekeeper::runtime {
namespace {

// A watch that ends sooner, without an event, counts as failed: a proxy that cuts streams must not
// become a loop of requests.
constexpr Duration kShortWatch = std::chrono::seconds(1);
// Two expiries closer than this are a server that keeps forgetting: the second one waits.
constexpr Duration kExpiryPause = std::chrono::seconds(5);

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Such a version says "whatever there is": watched from, it brings the existing objects as ADDED.
bool NamesNoPlace(std::string_view version) { return version.empty() || version == "0"; }

}  // namespace

std::string_view NameOf(ReflectorState state) {
  switch (state) {
    case ReflectorState::kIdle:
      return "idle";
    case ReflectorState::kSyncing:
      return "syncing";
    case ReflectorState::kWatching:
      return "watching";
    case ReflectorState::kWaiting:
      return "waiting";
  }
  return "idle";
}

// Takes the events of one watch. `syncing` while a WatchList sends what exists.
class Reflector::EventSink final : public kube::WatchSink {
 public:
  EventSink(Reflector& owner, bool syncing)
      : owner_(owner), syncing_(syncing), placed_(!NamesNoPlace(owner.version_)) {
    Touch();
  }

  Status OnEvent(const kube::WatchEvent& event) override {
    ++events_;
    Touch();
    if (event.type == kube::WatchEventType::kBookmark) {
      OnBookmark(event);
      return {};
    }
    if (event.error) {
      owner_.sink_.Broken(event.key, *event.error);
    } else if (event.type == kube::WatchEventType::kDeleted) {
      owner_.sink_.Remove(event.object);
    } else {
      owner_.sink_.Upsert(event.object);
    }
    Advance(event);
    return {};
  }

  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] bool syncing() const { return syncing_; }
  /// When the last event came. Safe from any thread.
  [[nodiscard]] MonotonicTime last_event() const {
    return MonotonicTime(Duration(last_event_.load()));
  }

 private:
  void Touch() { last_event_ = owner_.clock_.Monotonic().time_since_epoch().count(); }

  void OnBookmark(const kube::WatchEvent& event) {
    if (!syncing_) {
      Advance(event);
    } else if (event.initial_events_end) {
      syncing_ = false;
      placed_ = true;
      owner_.FinishSync(event.resource_version, "watch");
    }
  }

  // The versions of objects that exist already say nothing of where the stream is.
  void Advance(const kube::WatchEvent& event) {
    if (syncing_ || event.resource_version.empty()) return;
    placed_ = placed_ || event.type != kube::WatchEventType::kAdded;
    if (placed_) owner_.SetVersion(event.resource_version);
  }

  Reflector& owner_;
  std::atomic<bool> syncing_;
  bool placed_;
  std::size_t events_ = 0;
  std::atomic<Duration::rep> last_event_;
};

class Reflector::PageSink final : public kube::ListSink {
 public:
  explicit PageSink(ReflectorSink& sink) : sink_(sink) {}

  void OnRestart() override { sink_.BeginReplace(); }
  Status OnObject(codec::JsonValue object) override {
    sink_.Upsert(object);
    return {};
  }
  void OnBrokenObject(const Error& error) override { sink_.Broken(std::nullopt, error); }

 private:
  ReflectorSink& sink_;
};

// Watches over a WatchList until its bookmark: says in the log that it is late, and asks for a stop
// when the server sends nothing at all, as one does that ignores the wish for initial events.
class Reflector::LateBookmarkGuard {
 public:
  LateBookmarkGuard(const Reflector& owner, const EventSink& events, const StopToken& stop)
      : owner_(owner),
        events_(events),
        pass_on_(stop, [this] { stop_.request_stop(); }),
        thread_([this](const StopToken& done) { Run(done); }) {}

  [[nodiscard]] StopToken token() const { return stop_.get_token(); }
  [[nodiscard]] bool gave_up() const { return gave_up_; }

 private:
  void Run(const StopToken& done) {
    const Clock& clock = owner_.clock_;
    const MonotonicTime start = clock.Monotonic();
    while (clock.SleepFor(owner_.options_.late_bookmark_warning, done) && events_.syncing()) {
      const Duration silence = clock.Monotonic() - events_.last_event();
      if (silence >= owner_.options_.late_bookmark_limit) {
        gave_up_ = true;
        stop_.request_stop();
        return;
      }
      owner_.log_.Warn("Waited long for the end of the initial events",
                       {{"seconds", Seconds(clock.Monotonic() - start)}});
    }
  }

  const Reflector& owner_;
  const EventSink& events_;
  std::stop_source stop_;
  std::atomic<bool> gave_up_ = false;
  std::stop_callback<std::function<void()>> pass_on_;
  std::jthread thread_;
};

Reflector::Reflector(ReflectorOptions options, kube::Client& client, ReflectorSink& sink,
                     const Clock& clock, Random random, const Logger& log)
    : options_(std::move(options)),
      client_(client),
      sink_(sink),
      clock_(clock),
      random_(std::move(random)),
      log_(log.With({{"resource", options_.resource.QualifiedName()}})) {
  if (options_.watch_list == WatchListMode::kOff) watch_list_ = WatchListSupport::kUnsupported;
}

void Reflector::Run(const StopToken& stop) {
  redeliver_at_ = clock_.Monotonic() + DrawRedelivery();
  while (!stop.stop_requested()) {
    const Status status = synced_ ? Watch(stop) : Sync(stop);
    if (stop.stop_requested()) break;
    if (!status) Recover(status.error(), stop);
    RedeliverWhenDue();
  }
  SetState(ReflectorState::kIdle);
}

Status Reflector::Sync(const StopToken& stop) {
  SetState(ReflectorState::kSyncing);
  sink_.BeginReplace();
  return watch_list_ == WatchListSupport::kUnsupported ? SyncByList(stop) : SyncByWatchList(stop);
}

Status Reflector::SyncByList(const StopToken& stop) {
  std::string version = version_.empty() ? "0" : version_;
  if (read_newest_) version.clear();
  // A limit would make the server pass its watch cache by and read everything from etcd.
  const bool pages = NamesNoPlace(version) || paged_from_cache_;
  PageSink sink(sink_);
  Result<kube::ListOutcome> listed = client_.List(options_.resource,
                                                  {.selection = options_.selection,
                                                   .resource_version = version,
                                                   .page_size = pages ? options_.page_size : 0},
                                                  sink, stop);
  if (!listed) {
    // The server does not have that version, no more or not yet.
    const ErrorKind kind = listed.error().kind;
    if (kind == ErrorKind::kExpired || kind == ErrorKind::kTimeout) read_newest_ = true;
    return Fail(std::move(listed).error());
  }
  if (version == "0" && listed->pages > 1) paged_from_cache_ = true;
  FinishSync(listed->resource_version, "list");
  return {};
}

Status Reflector::SyncByWatchList(const StopToken& stop) {
  EventSink sink(*this, /*syncing=*/true);
  Status status;
  bool ignored = false;
  {
    LateBookmarkGuard guard(*this, sink, stop);
    CountWatch();
    status = client_.Watch(options_.resource,
                           {.selection = options_.selection,
                            .resource_version = read_newest_ ? std::string() : version_,
                            .timeout = DrawWatchTimeout(),
                            .send_initial_events = true},
                           sink, guard.token());
    ignored = guard.gave_up();
  }
  if (!sink.syncing()) return status;  // went on as a watch

  const bool refused = !status && status.error().kind == ErrorKind::kInvalid;
  if (refused || ignored || status) {
    watch_list_ = WatchListSupport::kUnsupported;
    log_.Info("Fell back to listing: the server does not send initial events");
    return {};
  }
  if (status.error().kind == ErrorKind::kTimeout) read_newest_ = true;
  return status;
}

Status Reflector::Watch(const StopToken& stop) {
  SetState(ReflectorState::kWatching);
  EventSink sink(*this, /*syncing=*/false);
  const MonotonicTime start = clock_.Monotonic();
  CountWatch();
  TRY(client_.Watch(options_.resource,
                    {.selection = options_.selection,
                     .resource_version = version_,
                     .timeout = DrawWatchTimeout()},
                    sink, stop));
  const Duration lasted = clock_.Monotonic() - start;
  if (sink.events() == 0 && lasted < kShortWatch) {
    return Fail(ErrorKind::kUnavailable,
                "the server ended the watch after {:.3f} s without an event", Seconds(lasted));
  }
  return {};
}

void Reflector::Recover(const Error& error, const StopToken& stop) {
  // What cannot be read would come again from the same place; a list steps over it.
  const bool lost_place = error.kind == ErrorKind::kExpired || error.kind == ErrorKind::kDecode;
  if (error.kind == ErrorKind::kExpired) read_newest_ = true;
  const bool was_synced = std::exchange(synced_, synced_ && !lost_place);
  {
    const std::scoped_lock lock(mutex_);
    ++status_.failures;
    status_.last_error = error.message;
  }
  // A forgotten place is no fault to wait for, whatever broke before it (a server that restarts
  // breaks connections first). Only a server that forgets again and again is one.
  if (error.kind == ErrorKind::kExpired && was_synced && IsFirstExpiryForAWhile()) {
    log_.Info("Began to list again: the server forgot where the watch was", {{"error", error}});
    return;
  }
  const Duration wait = WaitAfter(error);
  LogFailure(error, wait);
  SetState(ReflectorState::kWaiting);
  clock_.SleepFor(wait, stop);
}

bool Reflector::IsFirstExpiryForAWhile() {
  const MonotonicTime now = clock_.Monotonic();
  const auto before = std::exchange(last_expiry_, now);
  return !before || now - *before >= kExpiryPause;
}

Duration Reflector::WaitAfter(const Error& error) {
  const MonotonicTime now = clock_.Monotonic();
  if (last_failure_ && now - *last_failure_ >= options_.backoff_reset) attempt_ = 0;
  last_failure_ = now;
  const Duration wait = options_.backoff.Wait(attempt_++, random_());
  return std::max(wait, error.retry_after.value_or(Duration::zero()));
}

void Reflector::LogFailure(const Error& error, Duration wait) const {
  if (options_.on_failure) return options_.on_failure(error);
  const std::initializer_list<LogField> fields = {{"error", error}, {"retry_in", Seconds(wait)}};
  if (error.kind == ErrorKind::kForbidden || error.kind == ErrorKind::kUnauthorized) {
    log_.Error("Was not allowed to read the resource: grant list and watch on it", fields);
  } else {
    log_.Warn("Failed to read the resource", fields);
  }
}

void Reflector::FinishSync(std::string_view resource_version, std::string_view way) {
  sink_.EndReplace();
  synced_ = true;
  read_newest_ = false;
  SetVersion(resource_version);
  // Pages and documents of the sync are free now, but still ours: give them back.
  malloc_trim(0);
  log_.Info("Synced cache", {{"by", way}, {"resource_version", resource_version}});
  {
    const std::scoped_lock lock(mutex_);
    ++status_.syncs;
    status_.state = ReflectorState::kWatching;
  }
  first_sync_.notify_all();
}

bool Reflector::WaitForSync(const StopToken& stop) const {
  std::unique_lock lock(mutex_);
  return first_sync_.wait(lock, stop, [this] { return status_.syncs > 0; });
}

void Reflector::RedeliverWhenDue() {
  if (!synced_ || clock_.Monotonic() < redeliver_at_) return;
  sink_.Redeliver();
  redeliver_at_ = clock_.Monotonic() + DrawRedelivery();
}

void Reflector::SetState(ReflectorState state) {
  const std::scoped_lock lock(mutex_);
  status_.state = state;
}

void Reflector::CountWatch() {
  const std::scoped_lock lock(mutex_);
  ++status_.watches;
}

void Reflector::SetVersion(std::string_view resource_version) {
  version_ = resource_version;
  const std::scoped_lock lock(mutex_);
  status_.resource_version = resource_version;
}

Duration Reflector::DrawWatchTimeout() const {
  const Duration span = options_.watch_timeout_max - options_.watch_timeout_min;
  return options_.watch_timeout_min + std::chrono::duration_cast<Duration>(span * random_());
}

Duration Reflector::DrawRedelivery() const {
  return std::chrono::duration_cast<Duration>(options_.redeliver_every * (0.9 + 0.2 * random_()));
}

ReflectorStatus Reflector::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

}  // namespace tracekeeper::runtime
