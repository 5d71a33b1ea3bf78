#pragma once
// Reflector keeps a ReflectorSink equal to the objects of one resource on the API server: it lists,
// watches, resumes where a watch ended, and lists again when the server has forgotten that place.
//
//   kSyncing   WatchList where the server has it (the objects come first, then changes, in one
//              stream), else a list in pages; ends with EndReplace
//   kWatching  changes from the last resourceVersion on; a watch that ends is opened again there
//   410        in the stream or as status: back to kSyncing, reading the newest
//   other      wait (0.8 s doubling to 30 s, jittered, Retry-After honoured), same place again
//
// Threads:  Run() does everything on the caller's thread, the sink's calls too, until `stop`.
//           status() is safe from any thread.
// Owner:    the Informer; client, sink and clock outlive it.
// Failure:  none that ends it: every error is logged and tried again; 403 is logged as an error,
//           others as warnings, unless ReflectorOptions::on_failure takes them. A server that does
//           not serve the resource is such an error too.
// Source:   client-go's reflector, kube-rs' watcher.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "src/base/backoff.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/kube/client.h"
#include "src/kube/resource.h"

namespace tracekeeper::runtime {

/// What a Reflector keeps up to date: the Store. Called from the Reflector's thread alone.
class ReflectorSink {
 public:
  virtual ~ReflectorSink() = default;
  /// A full set begins, or begins anew: what it does not name by EndReplace() is gone.
  virtual void BeginReplace() = 0;
  virtual void Upsert(codec::JsonValue object) = 0;
  /// `object` is its last state.
  virtual void Remove(codec::JsonValue object) = 0;
  /// One object could not be read; `key` says which, where that much was readable. What was known
  /// of it stays.
  virtual void Broken(const std::optional<kube::ObjectKey>& key, const Error& error) = 0;
  virtual void EndReplace() = 0;
  /// Hands everything to the handlers once more.
  virtual void Redeliver() = 0;
};

enum class WatchListMode { kAuto, kOff };

struct ReflectorOptions {
  kube::Resource resource;
  kube::Selection selection;
  int page_size = 500;
  WatchListMode watch_list = WatchListMode::kAuto;
  /// Each watch ends after a time drawn from here, so that replicas do not come back together.
  Duration watch_timeout_min = std::chrono::minutes(5);
  Duration watch_timeout_max = std::chrono::minutes(10);
  Backoff backoff = Backoff::Watch();
  /// Without trouble for this long, the backoff starts over.
  Duration backoff_reset = std::chrono::minutes(2);
  /// The bookmark that ends the initial events is late: said in the log this often.
  Duration late_bookmark_warning = std::chrono::seconds(10);
  /// No event for this long before that bookmark: the server ignored the wish; list instead.
  Duration late_bookmark_limit = std::chrono::seconds(30);
  /// Everything is handed to the handlers again, +-10 %; between two watches.
  Duration redeliver_every = std::chrono::hours(10);
  /// Told of each failure, on the reflector's thread, in place of the log: for programs that go on
  /// without the resource and say what that means.
  std::function<void(const Error&)> on_failure = {};
};

enum class ReflectorState { kIdle, kSyncing, kWatching, kWaiting };

/// "idle", "syncing", "watching" or "waiting".
std::string_view NameOf(ReflectorState state);

struct ReflectorStatus {
  ReflectorState state = ReflectorState::kIdle;
  std::string resource_version;
  std::uint64_t syncs = 0;     // full sets that were completed
  std::uint64_t watches = 0;   // watches opened, WatchLists included
  std::uint64_t failures = 0;  // each led to a wait
  std::string last_error;
};

class Reflector {
 public:
  /// Uniform in [0, 1): jitter and timeouts. Tests bring a fixed one.
  using Random = std::function<double()>;

  Reflector(ReflectorOptions options, kube::Client& client, ReflectorSink& sink, const Clock& clock,
            Random random, const Logger& log);

  void Run(const StopToken& stop);

  /// Returns when the first full set is in the sink. False when `stop` was asked for before.
  bool WaitForSync(const StopToken& stop) const;

  [[nodiscard]] ReflectorStatus status() const;

 private:
  class EventSink;
  class PageSink;
  class LateBookmarkGuard;
  enum class WatchListSupport { kUnknown, kSupported, kUnsupported };

  Status Sync(const StopToken& stop);
  Status SyncByList(const StopToken& stop);
  Status SyncByWatchList(const StopToken& stop);
  Status Watch(const StopToken& stop);
  void Recover(const Error& error, const StopToken& stop);
  void LogFailure(const Error& error, Duration wait) const;
  void RedeliverWhenDue();
  void SetState(ReflectorState state);
  void CountWatch();
  void SetVersion(std::string_view resource_version);
  void FinishSync(std::string_view resource_version, std::string_view way);
  bool IsFirstExpiryForAWhile();
  [[nodiscard]] Duration WaitAfter(const Error& error);
  [[nodiscard]] Duration DrawWatchTimeout() const;
  [[nodiscard]] Duration DrawRedelivery() const;

  const ReflectorOptions options_;
  kube::Client& client_;
  ReflectorSink& sink_;
  const Clock& clock_;
  const Random random_;
  const Logger log_;

  // Used by the thread in Run() alone.
  std::string version_;            // where a watch continues
  bool synced_ = false;            // version_ can be watched from
  bool read_newest_ = false;       // the last version was refused: ask without one
  bool paged_from_cache_ = false;  // the server has no watch cache: pages cost it nothing extra
  WatchListSupport watch_list_ = WatchListSupport::kUnknown;
  unsigned attempt_ = 0;  // failures in a row, for the backoff
  std::optional<MonotonicTime> last_failure_;
  std::optional<MonotonicTime> last_expiry_;
  MonotonicTime redeliver_at_{};

  mutable std::mutex mutex_;
  mutable std::condition_variable_any first_sync_;
  ReflectorStatus status_;
};

}  // namespace tracekeeper::runtime
