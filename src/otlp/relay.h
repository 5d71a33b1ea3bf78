#pragma once
// Relay takes requests from the receivers and delivers them, in batches, to its Exporter:
//
//   Accept -> sample -> BatchQueue -> sender thread -> Exporter -> Judge -> done | again | halves
//
// Configure() swaps exporter, sampling and limits while it runs: what is queued, waits for its next
// attempt or is refused by the old destination goes to the new one.
//
// Threads:  Accept, Report and Configure from any thread. It has sender threads of its own: one
//           from the first configuration with a destination, more when batches wait for a sender.
// Owner:    the sidecar's wiring; receivers end before it, clock and log outlive it.
// Failure:  Accept says why it takes nothing. Everything taken is delivered or counted as dropped.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/otlp/batch_queue.h"
#include "src/otlp/exporter.h"
#include "src/otlp/intake.h"
#include "src/otlp/relay_counters.h"
#include "src/otlp/retry_policy.h"
#include "src/otlp/sampler.h"

namespace tracekeeper::otlp {

struct RelaySettings {
  BatchQueue::Options queue;
  Sampler sampler;
  /// Null: there is nowhere to deliver to; what comes is counted as dropped.
  std::shared_ptr<Exporter> exporter;
};

/// How delivering goes, for people.
struct Delivery {
  std::string destination;  // empty: nowhere
  std::string problem;      // of the last attempt that failed; empty after a success
  std::optional<Instant> failing_since;
  std::optional<Instant> last_success;
};

struct RelayReport {
  Delivery delivery;
  std::size_t queue_bytes = 0;
  std::size_t queue_budget = 0;
  PerSignal<std::size_t> queued{};
};

class Relay final : public Intake {
 public:
  Relay(const Clock& clock, const Logger& log);
  ~Relay() override;  // stops; what is left is counted as dropped
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void Configure(RelaySettings settings);

  /// Takes `request`, protobuf of that signal, as a whole or not at all.
  Accepted Accept(Signal signal, Ingress ingress, std::string_view request) override;

  /// Takes nothing more, delivers what is there until `patience` has passed, counts the rest as
  /// dropped and ends the senders.
  void Drain(Duration patience);

  [[nodiscard]] RelayReport Report() const;
  [[nodiscard]] const RelayCounters& counters() const { return counters_; }
  void CountRefused(RefuseReason reason) override { counters_.refused.Add(reason, 1); }

 private:
  class Sender;

  tl::unexpected<Refusal> Refuse(RefuseReason reason, std::string sentence,
                                 std::optional<Duration> retry_after = std::nullopt);
  [[nodiscard]] bool IsDue() const;
  void StartSenderIfNeeded();
  void LogDelivery(const Delivery& before, const Delivery& after) const;

  const Clock& clock_;
  const Logger log_;
  RelayCounters counters_;

  mutable std::mutex mutex_;
  std::condition_variable_any work_;     // a batch may be due
  std::condition_variable_any changed_;  // other settings, draining or the end: attempts go on now
  std::condition_variable_any drained_;
  // Guarded by mutex_.
  RelaySettings settings_;
  std::uint64_t settings_version_ = 0;
  BatchQueue queue_;
  Delivery delivery_;
  bool draining_ = false;
  bool ending_ = false;
  std::size_t idle_senders_ = 0;
  std::vector<std::unique_ptr<Sender>> senders_;
};

}  // namespace tracekeeper::otlp
