// DEPENDS: tracekeeper::continuity
// SOURCES: process_figures.cc trace_corpus.cc
//
// From the bytes of OTLP requests to counted verdicts, one core, with ten million spans live: what
// each stage costs, against reading the bytes alone.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/continuity/profile_learner.h"
#include "src/continuity/span_reader.h"
#include "src/continuity/stream_engine.h"
#include "src/otlp/telemetry_scanner.h"
#include "tests/bench/process_figures.h"
#include "tests/bench/report.h"
#include "tests/bench/trace_corpus.h"

namespace tracekeeper::bench {
namespace {

using namespace continuity;

constexpr std::size_t kTraces = 32'768;           // of the corpus: 125 MB
constexpr std::uint64_t kMicroseconds = 393'216;  // it is sent within: 667,000 spans a second
constexpr std::size_t kWarmUp = 50;               // passes until ten million spans wait
constexpr std::size_t kBudget = std::size_t{640} << 20U;  // which they fill to two thirds
constexpr std::size_t kMeasured = 10;                     // passes of a run
constexpr int kRuns = 5;

struct Sum {
  std::uint64_t value = 0;
  void OnResource(const otlp::ResourceFields& resource) { value += resource.service.size(); }
  void OnScope(std::string_view name) { value += name.size(); }
  void OnSpan(const otlp::SpanFields& span) {
    value += span.trace_id.size() + span.span_id.size() + span.parent_span_id.size() + span.flags +
             span.start_nanoseconds + span.name.size() + static_cast<std::uint64_t>(span.kind);
  }
};

/// Reads spans as the engine does, and does with them what `use` says.
template <typename Use>
struct Reading {
  SpanReader& reader;
  Use use;
  void OnResource(const otlp::ResourceFields& resource) { reader.OnResource(resource); }
  void OnScope(std::string_view name) { reader.OnScope(name); }
  /// Flat, as the analyzer's.
  [[gnu::flatten]] void OnSpan(const otlp::SpanFields& fields) { use(reader.Read(fields)); }
};

template <typename Visitor>
void Scan(const std::vector<std::string>& requests, Visitor& visitor) {
  otlp::TelemetryScanner scanner;
  for (const std::string& request : requests) {
    if (!scanner.ScanTraces(request, visitor)) std::abort();
  }
}

template <typename Do>
double SecondsOf(Do work) {
  const double began = ThreadCpuSeconds();
  work();
  return ThreadCpuSeconds() - began;
}

class EngineBench {
 public:
  EngineBench() : corpus_(kTraces, kMicroseconds, 1), reader_(names_, shapes_) {}

  void Run(Report& report) {
    MeasureStages();
    Start();
    for (std::size_t pass = 0; pass < kWarmUp; ++pass) Play();
    for (int run = 0; run < kRuns; ++run) MeasureWhole();
    Tell(report);
  }

 private:
  [[nodiscard]] double PerSecond(double seconds, std::size_t passes) const {
    return static_cast<double>(corpus_.spans() * passes) / seconds;
  }

  void MeasureStages() {
    for (int run = 0; run < kRuns; ++run) {
      Sum sum;
      scanned_.push_back(PerSecond(SecondsOf([&] { Scan(corpus_.requests(), sum); }), 1));
      Keep(sum.value);
      std::uint64_t ids = 0;
      Reading reading{reader_, [&ids](const ReadSpan& read) { ids += read.span.id; }};
      read_.push_back(PerSecond(SecondsOf([&] { Scan(corpus_.requests(), reading); }), 1));
      Keep(ids);
    }
  }

  /// Learns the profile from one pass.
  void Start() {
    std::vector<std::pair<otlp::TraceId, Span>> spans;
    Reading reading{reader_,
                    [&](const ReadSpan& read) { spans.emplace_back(read.trace, read.span); }};
    Scan(corpus_.requests(), reading);
    std::ranges::sort(spans, {}, [](const auto& span) { return span.first.low; });
    ProfileLearner learner(shapes_, names_);
    TraceTree tree(shapes_, names_);
    std::vector<Span> trace;
    for (std::size_t first = 0; first < spans.size();) {
      trace.clear();
      std::size_t last = first;
      for (; last < spans.size() && spans[last].first == spans[first].first; ++last) {
        trace.push_back(spans[last].second);
      }
      tree.Build(spans[first].first, trace);
      learner.Learn(tree);
      first = last;
    }
    auto epoch = std::make_shared<Epoch>();
    epoch->profile = learner.Finish();
    resident_before_ = Resident();
    engine_ = std::make_unique<StreamEngine>(
        StreamOptions{.budget_bytes = kBudget,
                      .key = 42,
                      .join_window = 50,
                      .memory = 1,
                      .origin = Microseconds{1'700'000'000} * 1'000'000},
        names_, shapes_, epoch);
  }

  static double Resident() { return MemoryOf(getpid(), "VmRSS"); }

  void Play() {
    corpus_.Renew();
    microseconds_ += kMicroseconds;
    const auto now = static_cast<Tick>(microseconds_ / 100'000);
    Reading reading{reader_, [&](const ReadSpan& read) { engine_->Insert(read, now); }};
    inserting_ += SecondsOf([&] { Scan(corpus_.requests(), reading); });
    judging_ += SecondsOf([&] { engine_->Advance(now); });
    live_ = std::max(live_, engine_->shards().front()->pending_spans());
  }

  void MeasureWhole() {
    inserting_ = judging_ = 0;
    for (std::size_t pass = 0; pass < kMeasured; ++pass) Play();
    inserted_.push_back(PerSecond(inserting_, kMeasured));
    judged_.push_back(PerSecond(judging_, kMeasured));
    whole_.push_back(PerSecond(inserting_ + judging_, kMeasured));
    const StreamShard& shard = *engine_->shards().front();
    const auto pending = static_cast<double>(shard.pending_spans());
    bytes_.push_back(static_cast<double>(shard.table_bytes()) / pending);
    resident_.push_back((Resident() - resident_before_) / pending);
  }

  void Tell(Report& report) const {
    const auto add = [&](const char* name, const std::vector<double>& samples,
                         std::optional<Goal> goal = std::nullopt) {
      report.Add({.name = name,
                  .metric = "spans_per_cpu_second",
                  .unit = "1/s",
                  .samples = samples,
                  .better = Better::kHigher,
                  .peer = Peer{"scan alone", Median(scanned_)},
                  .goal = goal});
    };
    add("scan", scanned_, AtLeast(20e6));
    add("scan_and_read", read_);
    add("bytes_to_table", inserted_);
    add("table_to_verdict", judged_);
    add("bytes_to_verdict", whole_, AtLeast(10e6));
    report.Add({.name = "live",
                .metric = "spans",
                .unit = "1",
                .samples = {static_cast<double>(live_)},
                .better = Better::kHigher,
                .goal = AtLeast(10e6)});
    report.Add({.name = "pending_span",
                .metric = "bytes",
                .unit = "bytes",
                .samples = bytes_,
                .goal = AtMost(48)});
    report.Add({.name = "pending_span",
                .metric = "resident_bytes",
                .unit = "bytes",
                .samples = resident_,
                .goal = AtMost(96)});
  }

  TraceCorpus corpus_;
  Names names_;
  ShapeTable shapes_;
  SpanReader reader_;
  std::unique_ptr<StreamEngine> engine_;
  std::uint64_t microseconds_ = 0;
  double inserting_ = 0;
  double judging_ = 0;
  std::size_t live_ = 0;
  std::vector<double> scanned_;
  std::vector<double> read_;
  std::vector<double> inserted_;
  std::vector<double> judged_;
  std::vector<double> whole_;
  std::vector<double> bytes_;     // as the table counts them
  std::vector<double> resident_;  // by all that the process holds since the engine began
  double resident_before_ = 0;
};

}  // namespace
}  // namespace tracekeeper::bench

int main() {
  tracekeeper::bench::Report report("engine");
  tracekeeper::bench::EngineBench().Run(report);
  return report.Write();
}
