#include "src/analysis/analysis_settings.h"

#include <CLI/CLI.hpp>

namespace tracekeeper::analysis {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

void AddRoom(CLI::App& app, AnalysisSettings& settings) {
  const auto add = [&app](const char* flag, std::int64_t& number, const char* what) {
    app.add_option(flag, number, what)
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
  };
  add("--memory-mib", settings.memory_mib,
      "Memory of spans; when it is full whole traces are shed and counted as unknown");
  add("--queue-mib", settings.queue_mib,
      "Requests that may wait to be read; beyond, senders are asked to send again");
  add("--max-edges", settings.max_edges,
      "Edges with series of their own; others are counted as client=\"other\", server=\"other\"");
  add("--max-services", settings.max_services, "The same for services, of each kind of unit");
  add("--max-policies", settings.max_policies, "The same for policies");
}

void AddWindows(CLI::App& app, AnalysisSettings& settings) {
  const auto add = [&app](const char* flag, double& seconds, double least, const char* what) {
    app.add_option(flag, seconds, what)
        ->capture_default_str()
        ->check(CLI::Range(least, 86400.0))
        ->type_name("SECONDS");
  };
  add("--settle-seconds", settings.settle_seconds, 0.1,
      "A trace is judged after such a pause; up to 6 times it where spans arrive unevenly");
  add("--join-seconds", settings.join_seconds, 0.1,
      "How long a trace waits for what other traces say of it");
  add("--repair-seconds", settings.repair_seconds, 1, "How long late spans repair a verdict");
  add("--warm-up-seconds", settings.warm_up_seconds, 0.1,
      "From the first spans to the first verdict: what services do is learned first");
  add("--learning-seconds", settings.learning_seconds, 1,
      "How often that is learned again, a fiftieth of --repair-seconds at least");
}

}  // namespace

Duration DurationOfSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

void AddAnalysisFlags(CLI::App& app, AnalysisSettings& settings) {
  AddRoom(app, settings);
  AddWindows(app, settings);
}

AnalysisOptions OptionsOf(const AnalysisSettings& settings) {
  AnalysisOptions options;
  options.memory_bytes = static_cast<std::size_t>(settings.memory_mib) * kMiB;
  options.queue_bytes = static_cast<std::size_t>(settings.queue_mib) * kMiB;
  options.series = {.edges = static_cast<std::size_t>(settings.max_edges),
                    .services = static_cast<std::size_t>(settings.max_services),
                    .policies = static_cast<std::size_t>(settings.max_policies)};
  options.settle_window = DurationOfSeconds(settings.settle_seconds);
  options.join_window = DurationOfSeconds(settings.join_seconds);
  options.repair_window = DurationOfSeconds(settings.repair_seconds);
  options.warm_up = DurationOfSeconds(settings.warm_up_seconds);
  options.learning_interval = DurationOfSeconds(settings.learning_seconds);
  return options;
}

}  // namespace tracekeeper::analysis
