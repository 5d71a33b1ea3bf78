#pragma once
// Analysis is the continuity engine at work: receivers give it OTLP, one thread of its own judges
// it, and whoever asks gets a Snapshot.
//
//   receivers -> RequestQueue -> engine thread: read, insert, every tenth of a second advance
//                                     |
//   scrapes, API  <- Snapshot --------+   made between two requests, so that its sums are of one
//                                         moment, and no lock is on the way of a span
//
// What verdicts are made with, rules and profile, changes while it runs: rules by UseRules, the
// profile by what the engine learns from its stream.
//
// Threads:  Start, Drain and the destructor from the owner's; all else from any.
// Owner:    the program's wiring; clock and log outlive it. It outlives its receivers.
// Failure:  Accept refuses what is no OTLP, what finds no room (to come again) and what comes while
//           it drains. Nothing blocks: TakeSnapshot and LookAt wait for the request that is
//           being read.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "src/analysis/request_queue.h"
#include "src/analysis/series.h"
#include "src/analysis/snapshot.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/continuity/pod_policies.h"
#include "src/continuity/stream_engine.h"
#include "src/otlp/intake.h"

namespace tracekeeper::analysis {

struct AnalysisOptions {
  std::size_t shards = 1;
  /// Of spans and what is remembered of them. What traces ask each other takes a quarter as much at
  /// most beside it, and names and shapes a half.
  std::size_t memory_bytes = std::size_t{256} << 20U;
  /// Of requests that wait to be read.
  std::size_t queue_bytes = std::size_t{64} << 20U;
  SeriesLimits series;
  /// After such a pause a trace is judged.
  Duration settle_window = std::chrono::seconds(10);
  /// How long other traces have to answer what one trace asks.
  Duration join_window = std::chrono::seconds(10);
  /// How long late spans repair what was judged.
  Duration repair_window = std::chrono::minutes(10);
  /// From the first spans to the first profile, before which nothing is judged.
  Duration warm_up = std::chrono::seconds(30);
  /// From then on, from profile to profile. A fiftieth of the repair window at least.
  Duration learning_interval = std::chrono::seconds(60);
  /// Instead of all that: used for good. Called by the constructor.
  std::function<continuity::Profile(continuity::Names&)> given_profile;
  /// Of the process: ids of traces are chosen by peers.
  std::uint64_t key = 0;
};

class Analysis final : public otlp::Intake {
 public:
  Analysis(AnalysisOptions options, continuity::PolicyRules rules, const Clock& clock, Logger log);
  ~Analysis() override;
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;

  void Start();
  /// Takes no more, judges what is pending, and ends. Snapshots are of the end from then on.
  void Drain();

  otlp::Accepted Accept(otlp::Signal signal, otlp::Ingress ingress,
                        std::string_view request) override;
  void CountRefused(otlp::RefuseReason reason) override;

  /// For spans that come from now on and name no policy.
  void UsePods(std::shared_ptr<const continuity::PodPolicies> pods);
  /// For what is judged from now on.
  void UseRules(continuity::PolicyRules rules);
  /// Once it was started. Never null; at most a tenth of a second old.
  [[nodiscard]] std::shared_ptr<const Snapshot> TakeSnapshot();
  /// What is known of one trace now; nothing once it drains, too.
  [[nodiscard]] std::optional<continuity::KnownTrace> LookAt(const otlp::TraceId& trace);

 private:
  struct Reader;

  void Run();
  void Read(const QueuedRequest& request);
  void RunTasks(const std::vector<QueuedTask>& tasks) const;
  void AdvanceTo(continuity::Tick tick);
  void UseRulesWhenDue();
  void NoteEpoch();
  void JudgePending();
  [[nodiscard]] continuity::Tick TickNow() const;
  std::shared_ptr<const Snapshot> SnapshotNow();
  [[nodiscard]] std::vector<BreakPlace> BreaksNow(const continuity::BreakSketch& sketch) const;
  [[nodiscard]] IntakeCounts IntakeNow() const;

  const AnalysisOptions options_;
  const Clock& clock_;
  const Logger log_;
  const MonotonicTime started_;
  const std::uint64_t start_;
  RequestQueue queue_;
  std::array<std::atomic<std::uint64_t>, otlp::kRefuseReasons.size()> refused_{};
  std::atomic<std::uint64_t> metrics_requests_ = 0;
  std::atomic<bool> is_draining_ = false;

  // The engine's thread only, once it runs.
  continuity::Names names_;
  continuity::ShapeTable shapes_;
  std::optional<continuity::PolicyRules> new_rules_;
  continuity::Tick next_rules_ = 0;
  const continuity::Epoch* epoch_ = nullptr;  // that the engine uses
  std::uint64_t epochs_ = 1;
  std::unique_ptr<continuity::StreamEngine> engine_;
  std::unique_ptr<Reader> reader_;
  SeriesBook series_;
  continuity::Tick tick_ = 0;
  std::array<std::uint64_t, otlp::kIngresses.size()> spans_{};
  std::array<std::uint64_t, otlp::kIngresses.size()> logs_{};
  std::shared_ptr<const Snapshot> snapshot_;  // of snapshot_tick_
  continuity::Tick snapshot_tick_ = 0;

  std::promise<std::shared_ptr<const Snapshot>> last_;  // of the end
  std::shared_future<std::shared_ptr<const Snapshot>> last_snapshot_;
  std::jthread thread_;
};

}  // namespace tracekeeper::analysis
