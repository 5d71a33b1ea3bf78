#pragma once
// Runnable is one long-living part of a program (a server, a cache, a controller). The Manager
// starts parts in the order of their Phase and stops them in the order that Phase explains.
//
// Threads:  Start, WaitUntilReady and Stop are called from the manager's thread, one at a time.
// Owner:    the program's wiring; outlives the manager's Run().
// Failure:  a failed Start or WaitUntilReady ends the program with that sentence. A part that
//           breaks later tells Manager::Fail.

#include <functional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"

namespace tracekeeper::runtime {

/// Start order is top to bottom. Stop order: kAlways, kLeader, kCache, kWebhook, kHttp, so that
/// work ends before the data it reads, and probes are answered to the last.
enum class Phase {
  kHttp,     // health and metrics: a program that is starting can already say so
  kWebhook,  // before the caches: admission must not wait for a long first list
  kCache,    // informers; the next phase starts when all of them are synced
  kAlways,   // runs on every replica
  kLeader,   // runs while this replica holds the lease
};

class Runnable {
 public:
  virtual ~Runnable() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Begins and returns; long work goes on a thread of its own.
  virtual Status Start() = 0;
  /// Blocks until the part can be used. Called after every part of its phase was started.
  virtual Status WaitUntilReady(const StopToken& /*stop*/) { return {}; }
  /// Returns when all work has ended. Called only after a successful Start, and only once.
  virtual void Stop() = 0;
};

/// A Runnable from two functions, for parts that know nothing of this folder (HTTP servers).
class CallbackRunnable final : public Runnable {
 public:
  CallbackRunnable(std::string name, std::function<Status()> start, std::function<void()> stop)
      : name_(std::move(name)), start_(std::move(start)), stop_(std::move(stop)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  Status Start() override { return start_(); }
  void Stop() override { stop_(); }

 private:
  std::string name_;
  std::function<Status()> start_;
  std::function<void()> stop_;
};

}  // namespace tracekeeper::runtime
