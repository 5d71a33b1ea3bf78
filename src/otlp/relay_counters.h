#pragma once
// RelayCounters is everything a relay counts. At any moment, for each signal:
//
//   received = sent + dropped (all reasons) + queued
//
// so nothing that was accepted can vanish without a reason.
//
// Threads:  safe from any thread.
// Owner:    the Relay.

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "src/otlp/intake.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

/// Why accepted telemetry was not delivered; NameOf is the metric label.
enum class DropReason : std::uint8_t {
  kSampled,        // the policy's sampling ratio
  kQueueFull,      // shed, whole traces at once, to keep within the queue's budget
  kRejected,       // the backend refused it for what it is, or in part
  kTooLarge,       // one record is more than the backend takes
  kNoDestination,  // the policy exports nowhere
  kShutdown,       // not delivered when the drain's deadline passed
};
inline constexpr std::array kDropReasons = {DropReason::kSampled,       DropReason::kQueueFull,
                                            DropReason::kRejected,      DropReason::kTooLarge,
                                            DropReason::kNoDestination, DropReason::kShutdown};
std::string_view NameOf(DropReason reason);

template <typename Key, std::size_t kSize>
class CounterRow {
 public:
  void Add(Key key, std::uint64_t count) {
    values_[static_cast<std::size_t>(key)].fetch_add(count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t Get(Key key) const {
    return values_[static_cast<std::size_t>(key)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kSize> values_{};
};

struct RelayCounters {
  PerSignal<CounterRow<Ingress, kIngresses.size()>> received;      // items
  PerSignal<CounterRow<DropReason, kDropReasons.size()>> dropped;  // items
  PerSignal<std::atomic<std::uint64_t>> sent{};                    // items
  PerSignal<std::atomic<std::uint64_t>> batches{};                 // delivered requests
  CounterRow<RefuseReason, kRefuseReasons.size()> refused;         // requests
  std::atomic<std::uint64_t> retried = 0;                          // attempts after the first
  std::atomic<std::uint64_t> shed_traces = 0;

  void Drop(Signal signal, DropReason reason, std::uint64_t items) {
    dropped[IndexOf(signal)].Add(reason, items);
  }
};

}  // namespace tracekeeper::otlp
