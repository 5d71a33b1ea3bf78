#include "src/analysis/analysis.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "src/otlp/request.h"
#include "src/otlp/telemetry_scanner.h"

namespace tracekeeper::analysis {
namespace {

using continuity::Tick;

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr auto kTryAgain = std::chrono::seconds(1);
/// A shard knows 255 epochs within the repair window. New rules make one, a profile up to two.
constexpr Tick kRulesInMemory = 100;
constexpr Tick kProfilesInMemory = 50;
/// In which the engine looks again at what waited for its first profile.
constexpr Tick kAfterFirstProfile = 20;

/// Each takes a quarter of the memory at most, and no more than it does by default.
continuity::NameLimits NameLimitsOf(const AnalysisOptions& options) {
  constexpr std::size_t kPerName = 64;  // half of it its text
  continuity::NameLimits limits;
  limits.names = std::min(limits.names, options.memory_bytes / 4 / kPerName);
  limits.bytes = std::min(limits.bytes, options.memory_bytes / 8);
  return limits;
}
std::size_t ShapeLimitOf(const AnalysisOptions& options) {
  const std::size_t per_shape =
      (sizeof(continuity::Shape) + 16 + options.shards * sizeof(continuity::ShapeCard)) * 5 / 4;
  return std::min(continuity::ShapeTable::kDefaultLimit, options.memory_bytes / 4 / per_shape);
}

Tick TicksOf(Duration duration) {
  return static_cast<Tick>(std::max<Duration::rep>(1, (duration + kTick - Duration(1)) / kTick));
}

continuity::Microseconds MicrosecondsOf(Duration duration) {
  return static_cast<continuity::Microseconds>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

continuity::StreamOptions EngineOptions(const AnalysisOptions& options, Instant now) {
  const Tick memory = TicksOf(options.repair_window);
  const Tick interval =
      std::max(TicksOf(options.learning_interval), memory / kProfilesInMemory + 1);
  return {
      .shards = options.shards,
      .running = options.shards > 1 ? continuity::Running::kInThread : continuity::Running::kAtOnce,
      .budget_bytes = options.memory_bytes,
      .key = options.key,
      .join_window = TicksOf(options.join_window),
      .memory = memory,
      .learning =
          options.given_profile ? continuity::Learning::kGiven : continuity::Learning::kFromStream,
      .learner = {.warm_up = TicksOf(options.warm_up),
                  .interval = interval,
                  .settle_window = MicrosecondsOf(options.settle_window)},
      .origin = MicrosecondsOf(now.time_since_epoch())};
}

std::shared_ptr<const continuity::Epoch> FirstEpoch(const AnalysisOptions& options,
                                                    continuity::PolicyRules rules,
                                                    continuity::Names& names) {
  auto epoch = std::make_shared<continuity::Epoch>();
  epoch->rules = std::move(rules);
  if (options.given_profile) epoch->profile = options.given_profile(names);
  epoch->profile.settle_window = MicrosecondsOf(options.settle_window);
  return epoch;
}

otlp::Accepted Refuse(otlp::RefuseReason reason, std::string sentence,
                      std::optional<Duration> retry_after) {
  return tl::unexpected(otlp::Refusal{reason, std::move(sentence), retry_after});
}

}  // namespace

/// What the scanner calls for what it finds in a request.
struct Analysis::Reader {
  continuity::SpanReader spans;
  otlp::TelemetryScanner scanner;
  continuity::StreamEngine& engine;
  Tick now = 0;
  std::uint64_t items = 0;

  void OnResource(const otlp::ResourceFields& resource) { spans.OnResource(resource); }
  void OnScope(std::string_view name) { spans.OnScope(name); }
  /// Flat, so that what was read stays in registers on its way into the engine.
  [[gnu::flatten]] void OnSpan(const otlp::SpanFields& fields) {
    ++items;
    engine.Insert(spans.Read(fields), now);
  }
  void OnLog(const otlp::LogFields& fields) {
    ++items;
    engine.Insert(spans.Read(fields), now);
  }
};

Analysis::Analysis(AnalysisOptions options, continuity::PolicyRules rules, const Clock& clock,
                   Logger log)
    : options_(std::move(options)),
      clock_(clock),
      log_(std::move(log)),
      started_(clock.Monotonic()),
      start_(static_cast<std::uint64_t>(clock.Now().time_since_epoch().count())),
      queue_(options_.queue_bytes, clock),
      names_(NameLimitsOf(options_)),
      shapes_(ShapeLimitOf(options_)),
      series_(options_.series),
      last_snapshot_(last_.get_future()) {
  engine_ = std::make_unique<continuity::StreamEngine>(
      EngineOptions(options_, clock.Now()), names_, shapes_,
      FirstEpoch(options_, std::move(rules), names_));
  epoch_ = &engine_->epoch();
  reader_ = std::make_unique<Reader>(
      Reader{.spans = {names_, shapes_}, .scanner = {}, .engine = *engine_});
}

Analysis::~Analysis() {
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

void Analysis::Start() {
  thread_ = std::jthread([this] { Run(); });
}

void Analysis::Drain() {
  is_draining_ = true;
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

// --- Any thread ----------------------------------------------------------------------------------

otlp::Accepted Analysis::Accept(otlp::Signal signal, otlp::Ingress ingress,
                                std::string_view request) {
  const auto items = otlp::CountItems(signal, request);
  if (!items) {
    CountRefused(otlp::RefuseReason::kMalformed);
    return Refuse(otlp::RefuseReason::kMalformed, items.error().message, std::nullopt);
  }
  if (signal == otlp::Signal::kMetrics) {
    // A sender of all three signals is not told to go away for one that says nothing here.
    ++metrics_requests_;
    return otlp::PartialSuccess();
  }
  switch (queue_.Push(signal, ingress, request)) {
    case RequestQueue::Outcome::kTaken:
      return otlp::PartialSuccess();
    case RequestQueue::Outcome::kFull:
      CountRefused(otlp::RefuseReason::kQueueFull);
      return Refuse(
          otlp::RefuseReason::kQueueFull,
          fmt::format("{} bytes wait to be read and there is no room for more: send again",
                      queue_.bytes()),
          kTryAgain);
    case RequestQueue::Outcome::kClosed:
      break;
  }
  CountRefused(otlp::RefuseReason::kDraining);
  return Refuse(otlp::RefuseReason::kDraining, "this analyzer is ending: send to another",
                kTryAgain);
}

void Analysis::CountRefused(otlp::RefuseReason reason) {
  ++refused_[static_cast<std::size_t>(reason)];
}

void Analysis::UseRules(continuity::PolicyRules rules) {
  queue_.Post([this, rules = std::move(rules)] { new_rules_ = rules; });
}

void Analysis::UsePods(std::shared_ptr<const continuity::PodPolicies> pods) {
  queue_.Post([this, pods = std::move(pods)] { reader_->spans.UsePods(pods); });
}

std::shared_ptr<const Snapshot> Analysis::TakeSnapshot() {
  auto answer = std::make_shared<std::promise<std::shared_ptr<const Snapshot>>>();
  auto future = answer->get_future();
  const bool will_run = queue_.Post([this, answer] { answer->set_value(SnapshotNow()); });
  if (will_run) return future.get();
  // The engine's thread is ending, or has ended: what it leaves is the answer.
  return last_snapshot_.get();
}

std::optional<continuity::KnownTrace> Analysis::LookAt(const otlp::TraceId& trace) {
  auto answer = std::make_shared<std::promise<std::optional<continuity::KnownTrace>>>();
  auto future = answer->get_future();
  const bool will_run =
      queue_.Post([this, answer, trace] { answer->set_value(engine_->Look(trace)); });
  return will_run ? future.get() : std::nullopt;
}

// --- The engine's thread -------------------------------------------------------------------------

Tick Analysis::TickNow() const {
  return static_cast<Tick>((clock_.Monotonic() - started_) / kTick) + 1;
}

void Analysis::Run() {
  while (true) {
    RequestQueue::Work work = queue_.TakeUntil(started_ + tick_ * kTick);
    RunTasks(work.tasks);
    for (QueuedRequest& request : work.requests) {
      Read(request);
      queue_.Release(std::move(request));
      RunTasks(queue_.TakeTasks());
      AdvanceTo(TickNow());
    }
    AdvanceTo(TickNow());
    if (work.is_closed) break;
  }
  JudgePending();
  snapshot_.reset();
  last_.set_value(SnapshotNow());
}

void Analysis::RunTasks(const std::vector<QueuedTask>& tasks) const {
  for (const QueuedTask& task : tasks) task();
}

void Analysis::Read(const QueuedRequest& request) {
  reader_->now = tick_;
  reader_->items = 0;
  const bool is_logs = request.signal == otlp::Signal::kLogs;
  const Status status = is_logs ? reader_->scanner.ScanLogs(request.bytes, *reader_)
                                : reader_->scanner.ScanTraces(request.bytes, *reader_);
  (is_logs ? logs_ : spans_)[static_cast<std::size_t>(request.ingress)] += reader_->items;
  // Its framing was checked when it was taken, but for what only the reader looks into.
  if (!status) log_.Debug("Read a request in part", {{"error", status.error()}});
}

void Analysis::AdvanceTo(Tick tick) {
  if (tick <= tick_) return;
  tick_ = tick;
  UseRulesWhenDue();
  engine_->Advance(tick_);
  NoteEpoch();
}

void Analysis::UseRulesWhenDue() {
  if (!new_rules_ || tick_ < next_rules_) return;
  next_rules_ = tick_ + TicksOf(options_.repair_window) / kRulesInMemory + 1;
  engine_->UseRules(*std::exchange(new_rules_, std::nullopt));
  NoteEpoch();
}

void Analysis::NoteEpoch() {
  if (std::exchange(epoch_, &engine_->epoch()) != &engine_->epoch()) ++epochs_;
}

/// As if the time passed that every trace has.
void Analysis::JudgePending() {
  const auto pass = [this](Tick ticks) {
    AdvanceTo(tick_ + ticks);
    AdvanceTo(tick_ + 1);  // shards with threads are answered with the next one
  };
  const Tick settle =
      TicksOf(options_.settle_window) * static_cast<Tick>(continuity::StreamLearner::kMostTimes);
  pass(settle + 1);
  // The first sample may be thrown away, once.
  for (int draws = 0; draws < 2 && !engine_->is_judging(); ++draws) {
    pass(TicksOf(options_.warm_up) + settle + 1);
  }
  pass(kAfterFirstProfile);
  pass(TicksOf(options_.join_window) + settle + 1);
}

// --- Snapshots -----------------------------------------------------------------------------------

std::shared_ptr<const Snapshot> Analysis::SnapshotNow() {
  if (snapshot_ && snapshot_tick_ == tick_) return snapshot_;
  snapshot_.reset();  // its room is needed
  engine_->Flush();
  // Where they are: a copy of the counts would take as much memory again.
  std::vector<const continuity::Tally*> tallies;
  continuity::Tally breaks;
  for (const continuity::StreamShard* shard : engine_->shards()) {
    tallies.push_back(&shard->tally());
    breaks.AddBreaks(shard->tally());
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken = clock_.Now();
  snapshot->start = start_;
  snapshot->epochs = epochs_;
  snapshot->is_learned = engine_->is_judging();
  snapshot->is_draining = is_draining_;
  snapshot->settle_window = engine_->epoch().profile.settle_window;
  snapshot->series = series_.Fold(tallies, names_);
  snapshot->breaks = BreaksNow(breaks.breaks());
  snapshot->breaks_floor = breaks.breaks().floor();
  for (const auto& [finding, count] : breaks.findings()) {
    if (count <= 0) continue;
    snapshot->findings.push_back({.cause = finding.cause,
                                  .service = LabelText(names_.Text(finding.service)),
                                  .count = static_cast<std::uint64_t>(count)});
  }
  snapshot->counts = engine_->counts();
  for (const auto& shard : engine_->shards()) {
    snapshot->shards.push_back({.pending_spans = shard->pending_spans(),
                                .table_bytes = shard->table_bytes(),
                                .budget_bytes = options_.memory_bytes / options_.shards});
  }
  snapshot->intake = IntakeNow();
  snapshot_ = snapshot;
  snapshot_tick_ = tick_;
  return snapshot;
}

std::vector<BreakPlace> Analysis::BreaksNow(const continuity::BreakSketch& sketch) const {
  std::vector<BreakPlace> breaks;
  for (const continuity::BreakSketch::Entry& entry : sketch.entries()) {
    if (entry.net() <= 0) continue;
    BreakPlace& place = breaks.emplace_back();
    place.cause = entry.key.cause;
    place.policy = PolicyLabelsOf(names_.Text(entry.key.policy));
    place.service = LabelText(names_.Text(entry.key.service));
    place.peer = LabelText(names_.Text(entry.key.peer));
    place.scope = LabelText(names_.Text(entry.key.scope));
    place.span_name = LabelText(names_.Text(entry.key.span_name));
    place.count = static_cast<std::uint64_t>(entry.net());
    place.error = std::min(entry.error, place.count);
    for (const continuity::SpanReference& example : entry.examples) {
      if (example.trace != otlp::TraceId()) place.examples.push_back(example);
    }
  }
  std::ranges::sort(breaks, [](const BreakPlace& left, const BreakPlace& right) {
    const auto order = [](const BreakPlace& place) {
      return std::tie(place.cause, place.service, place.peer, place.span_name, place.scope,
                      place.policy);
    };
    return left.count != right.count ? left.count > right.count : order(left) < order(right);
  });
  return breaks;
}

IntakeCounts Analysis::IntakeNow() const {
  IntakeCounts intake{.spans = spans_, .logs = logs_};
  for (std::size_t i = 0; i < refused_.size(); ++i) intake.refused[i] = refused_[i];
  intake.metrics_requests = metrics_requests_;
  intake.queued_bytes = queue_.bytes();
  intake.queue_budget_bytes = queue_.budget_bytes();
  return intake;
}

}  // namespace tracekeeper::analysis
