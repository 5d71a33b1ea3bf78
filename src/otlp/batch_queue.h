#pragma once
// BatchQueue gathers requests into batches and holds them, within a budget of bytes, until they are
// delivered.
//
//   Add -> open batch of its signal -> (full, or old enough) sealed -> Take -> in flight -> Settle
//
// When a request finds no room, the oldest waiting batch of spans goes with every trace that it
// touches: those traces are remembered, and what is queued or comes later of them is left out when
// it is taken. Metrics and logs are never shed for others; where there is nothing to shed the
// request is refused, so that its sender keeps it.
//
// Threads:  a value; one thread at a time (the Relay's lock).
// Failure:  none; a request that has no room is told so.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/otlp/relay_counters.h"
#include "src/otlp/request.h"
#include "src/otlp/shed_memory.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

/// One request to the backend.
struct Batch {
  Signal signal = Signal::kTraces;
  std::string request;
  std::size_t items = 0;
  MonotonicTime since{};              // when its first item came
  std::uint64_t shed_generation = 0;  // all shed traces up to here are out of it
};

struct BatchLimits {
  RequestLimits request{.items = 8192, .bytes = 1U << 20U};
  Duration age = std::chrono::milliseconds(200);

  bool operator==(const BatchLimits& other) const {
    return request.items == other.request.items && request.bytes == other.request.bytes &&
           age == other.age;
  }
};

class BatchQueue {
 public:
  struct Options {
    std::size_t budget = 24U << 20U;
    BatchLimits batch;
  };

  BatchQueue(const Options& options, RelayCounters& counters)
      : options_(options), counters_(counters) {}

  /// New limits; what is queued stays, even over a smaller budget.
  void Configure(const Options& options) { options_ = options; }

  enum class Admission { kTaken, kNoRoom };
  /// Takes a checked request of `items` items. Spans of traces that were shed are dropped here.
  Admission Add(Signal signal, std::string_view request, std::size_t items, MonotonicTime now);

  /// The oldest batch that is due at `now`, without what was shed of it meanwhile. Its bytes count
  /// until Settle().
  std::optional<Batch> Take(MonotonicTime now);
  /// Takes what was shed since out of a batch in flight; true when that changed it.
  bool LeaveOutShed(Batch& batch);
  /// `bytes` and `items` that Take() gave are delivered, dropped or given up, as counted elsewhere.
  void Settle(Signal signal, std::size_t bytes, std::size_t items);

  /// A batch in flight in two or more pieces, in flight in its place; none when it is one record.
  std::vector<Batch> Halve(const Batch& batch);
  /// Forgets everything, as counted elsewhere.
  void Clear();

  /// Makes every open batch due.
  void Flush();
  /// When Take() will have something next; nothing while nothing is waiting.
  [[nodiscard]] std::optional<MonotonicTime> NextDue() const;

  /// Waiting and in flight.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t budget() const { return options_.budget; }
  [[nodiscard]] std::size_t items(Signal signal) const { return items_[IndexOf(signal)]; }
  [[nodiscard]] const BatchLimits& limits() const { return options_.batch; }
  [[nodiscard]] std::size_t sealed() const { return sealed_.size(); }

 private:
  void Append(Signal signal, std::string_view request, std::size_t items, MonotonicTime now);
  void AppendInPieces(Signal signal, std::string_view request, std::size_t items,
                      MonotonicTime now);
  void Seal(Signal signal);
  bool MakeRoom(Signal signal, std::size_t needed, MonotonicTime now);
  bool ShedOldestTraces(MonotonicTime now);
  void Shed(const Batch& batch, MonotonicTime now);
  /// The same request without shed traces, or nothing where none is in it.
  std::optional<FilteredRequest> WithoutShed(Signal signal, std::string_view request) const;

  Options options_;
  RelayCounters& counters_;
  PerSignal<std::optional<Batch>> open_;
  std::deque<Batch> sealed_;
  ShedMemory shed_;
  std::size_t bytes_ = 0;
  PerSignal<std::size_t> waiting_bytes_{};
  PerSignal<std::size_t> items_{};
};

}  // namespace tracekeeper::otlp
