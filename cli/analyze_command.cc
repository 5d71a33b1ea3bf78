// `tracekeeper analyze`: which hop of the traces in a file loses its context, and why.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <ostream>

#include "cli/analyze_input.h"
#include "cli/command_line.h"
#include "cli/documents.h"
#include "operator/domain/continuity_rules.h"
#include "src/codec/duration.h"
#include "src/continuity/batch_analysis.h"

namespace tracekeeper::cli {
namespace {

using continuity::Outcome;

constexpr const char* kFooter =
    "Examples:\n"
    "  tracekeeper analyze traces.json\n"
    "  tracekeeper analyze traces.json.gz --logs logs.json -o markdown\n"
    "  curl -s http://jaeger:16686/api/traces?service=shop | tracekeeper analyze -\n"
    "  tracekeeper analyze traces.json --traces broken --fail-on bad\n"
    "\n"
    "Reads OTLP (JSON, or protobuf), Jaeger, Zipkin and Tempo, plain, gzip or zstd.\n"
    "--shuffle, --redeliver and --batch replay the same input in another order of arrival: the\n"
    "verdicts are the same.\n"
    "Exit codes: 0 read and judged, 1 --fail-on found what it looks for, 2 an unusable file or "
    "flag.";

struct AnalyzeOptions {
  std::vector<std::string> files;
  std::vector<std::string> logs;
  std::string format;
  std::string output = "table";
  std::string traces = "none";
  std::string policy_file;
  std::string fail_on;
  std::optional<std::uint64_t> shuffle;
  std::size_t redeliver = 0;
  std::string batch;
  std::string show_profile;
};

/// One line on a terminal, rewritten a few times a second; nothing anywhere else.
class ProgressLine {
 public:
  explicit ProgressLine(const Console& console) : console_(console) {
    is_shown_ = &console.err == &std::cerr && ::isatty(STDERR_FILENO) == 1;
  }
  ~ProgressLine() {
    if (was_written_) console_.err << "\r\x1b[K" << std::flush;
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(std::string_view what, std::size_t done, std::size_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (!is_shown_ || of == 0 || now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    was_written_ = true;
    console_.err << "\r\x1b[K" << what << " " << done * 100 / of << " %" << std::flush;
  }

 private:
  const Console& console_;
  bool is_shown_ = false;
  bool was_written_ = false;
  std::chrono::steady_clock::time_point last_;
};

continuity::WhichTraces WhichTracesNamed(const std::string& name) {
  if (name == "all") return continuity::WhichTraces::kAll;
  return name == "broken" ? continuity::WhichTraces::kBroken : continuity::WhichTraces::kNone;
}

Result<continuity::Replay> ReplayOf(const AnalyzeOptions& options) {
  continuity::Replay replay{.shuffle_seed = options.shuffle, .redeliveries = options.redeliver};
  if (options.batch.empty()) return replay;
  const auto interval = codec::ParseDuration(options.batch);
  if (!interval || interval->count() <= 0) {
    return Fail(ErrorKind::kInvalid, "--batch {}: write a duration such as 5s", options.batch);
  }
  replay.batch_nanoseconds = static_cast<std::uint64_t>(interval->count());
  return replay;
}

Result<std::vector<AnalyzeSource>> SourcesOf(const AnalyzeOptions& options) {
  std::optional<otlp::TelemetryFormat> format;
  if (!options.format.empty()) format = otlp::TelemetryFormatNamed(options.format);
  std::vector<AnalyzeSource> sources;
  sources.reserve(options.files.size() + options.logs.size());
  for (const std::string& file : options.files) sources.push_back({file, format, false});
  for (const std::string& file : options.logs) sources.push_back({file, std::nullopt, true});
  const auto inputs = std::ranges::count(sources, "-", &AnalyzeSource::file) +
                      static_cast<std::ptrdiff_t>(options.policy_file == "-");
  if (inputs > 1) {
    return Fail(ErrorKind::kInvalid, "- stands twice: standard input can be read once");
  }
  return sources;
}

Result<continuity::Rules> RulesOf(const AnalyzeOptions& options, std::istream& standard_input) {
  if (options.policy_file.empty()) return continuity::Rules();
  const api::TracingPolicy policy = TRY(ReadPolicy(options.policy_file, "default", standard_input));
  return domain::RulesOf(policy.spec.slo);
}

/// The rows are as large as the spans, so they are gone before anything is judged.
continuity::Structure StructureOf(const continuity::Recording& recording) {
  std::vector<continuity::SpanRow> rows = recording.Rows();
  return continuity::CountStructure(rows);
}

Result<Analysis> Analyze(const AnalyzeOptions& options, const Console& console) {
  const continuity::Replay replay = TRY(ReplayOf(options));
  const std::vector<AnalyzeSource> sources = TRY(SourcesOf(options));
  const continuity::Rules rules = TRY(RulesOf(options, console.in));
  ProgressLine progress(console);
  continuity::Recording recording;
  Analysis analysis;
  const auto on_read = [&](const std::string& file, std::size_t bytes, std::size_t of) {
    progress.Show("reading " + file, bytes, of);
  };
  for (const AnalyzeSource& source : sources) {
    analysis.inputs.push_back(TRY(ReadTelemetry(source, console.in, on_read, recording)));
  }
  recording.Apply(replay);
  analysis.structure = StructureOf(recording);
  continuity::ReportBuilder builder(recording, WhichTracesNamed(options.traces));
  continuity::BatchAnalysis judging(recording, rules,
                                    [&](const continuity::AnalysisProgress& step) {
                                      progress.Show(step.step, step.done, step.of);
                                    });
  judging.Run(builder);
  analysis.report = builder.Finish();
  if (!options.show_profile.empty()) {
    analysis.profile = ProfileJsonOf(judging.profile(), recording.names());
  }
  return analysis;
}

bool Found(const continuity::Report& report, Outcome outcome) {
  return std::ranges::any_of(
      report.families, [outcome](const continuity::Ratio& ratio) { return ratio.of(outcome) > 0; });
}

Status ShowProfile(const AnalyzeOptions& options, const std::string& profile,
                   const Console& console) {
  if (options.show_profile.empty()) return {};
  if (options.show_profile == "-") {
    console.err << profile;
    return {};
  }
  std::ofstream file(options.show_profile, std::ios::binary);
  file << profile << std::flush;
  if (file) return {};
  return Fail(ErrorKind::kInvalid, "--show-profile {}: cannot be written", options.show_profile);
}

int Run(const AnalyzeOptions& options, const Console& console) {
  const auto analysis = Analyze(options, console);
  const Status shown =
      analysis ? ShowProfile(options, analysis->profile, console) : Fail(Error(analysis.error()));
  if (!shown) {
    console.err << "tracekeeper analyze: " << shown.error().message << "\n";
    return kUnusable;
  }
  if (options.output == "json") {
    console.out << JsonOf(*analysis);
  } else {
    console.out << (options.output == "markdown" ? MarkdownOf(*analysis) : TableOf(*analysis));
  }
  const bool fails = (options.fail_on == "bad" && Found(analysis->report, Outcome::kBad)) ||
                     (options.fail_on == "unknown" && (Found(analysis->report, Outcome::kBad) ||
                                                       Found(analysis->report, Outcome::kUnknown)));
  return fails ? kFailed : kDone;
}

}  // namespace

void AddAnalyze(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command = root.add_subcommand(
      "analyze", "Find in traces on a file which hop loses the context, and why");
  command->footer(kFooter);
  command->add_option("file", options->files, "Files of spans; - is standard input")
      ->required()
      ->type_name("FILE");
  command->add_option("--logs", options->logs, "OTLP log records that belong to them")
      ->type_name("FILE");
  command
      ->add_option("--policy", options->policy_file,
                   "A TracingPolicy, for its entry points and exclusions")
      ->type_name("FILE");
  command->add_option("--format", options->format, "Instead of recognising it")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"otlp-json", "otlp-protobuf", "jaeger", "zipkin", "tempo"}));
  command->add_option("-o,--output", options->output, "How to tell it")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "json", "markdown"}));
  command->add_option("--traces", options->traces, "Which traces to list one by one")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "broken", "all"}));
  command
      ->add_option("--fail-on", options->fail_on,
                   "Exit with 1 where something is bad, or bad or unknown")
      ->check(CLI::IsMember({"bad", "unknown"}));
  command->add_option("--shuffle", options->shuffle, "Read the spans in another order")
      ->type_name("SEED");
  command->add_option("--redeliver", options->redeliver, "Read every span so many times more")
      ->type_name("N")
      ->check(CLI::Range(0, 100));
  command
      ->add_option("--batch", options->batch,
                   "Read the spans as instances would send them, in batches of this interval")
      ->type_name("DURATION");
  command
      ->add_option("--show-profile", options->show_profile,
                   "Write what was learned of the services, as JSON; - is standard error")
      ->type_name("FILE");
  command->callback([options, &chosen] {
    chosen.run = [options](const Console& console) { return Run(*options, console); };
  });
}

}  // namespace tracekeeper::cli
