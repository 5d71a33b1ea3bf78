#include "sidecar/config_watcher.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

namespace tracekeeper::sidecar {
namespace {

std::string DirectoryOf(const std::string& file) {
  const std::string directory = std::filesystem::path(file).parent_path().string();
  return directory.empty() ? "." : directory;
}

}  // namespace

ConfigWatcher::ConfigWatcher(Options options, const Clock& clock, Logger log, Listener on_applied)
    : options_(std::move(options)),
      clock_(clock),
      log_(std::move(log)),
      on_applied_(std::move(on_applied)),
      state_(options_.file),
      notifier_(DirectoryOf(options_.file), [this] { ReadNow(); }) {}

ConfigWatcher::~ConfigWatcher() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void ConfigWatcher::Start() {
  // Armed first: a swap between this reading and the first wait is then announced.
  if (!notifier_.Arm()) {
    log_.Info("Could not watch the configuration's directory, polls it", {{"file", options_.file}});
  }
  Read();
  thread_ = std::jthread([this](const StopToken& stop) { Run(stop); });
}

void ConfigWatcher::ReadNow() {
  {
    const std::scoped_lock guard(mutex_);
    wanted_ = true;
  }
  wake_.notify_all();
}

ConfigState ConfigWatcher::Report() const {
  const std::scoped_lock guard(mutex_);
  return state_;
}

void ConfigWatcher::Run(const StopToken& stop) {
  const std::stop_callback wake(stop, [this] { ReadNow(); });
  while (!stop.stop_requested()) {
    const MonotonicTime deadline = clock_.Monotonic() + options_.poll_interval;
    {
      std::unique_lock lock(mutex_);
      while (!wanted_ && clock_.Monotonic() < deadline) clock_.WaitUntil(wake_, lock, deadline);
      wanted_ = false;
    }
    if (stop.stop_requested()) return;
    notifier_.Arm();
    Read();
  }
}

void ConfigWatcher::Read() {
  const FileReading reading = ReadConfigFile(options_.file);
  ConfigState state = Report();
  const ConfigOutcome outcome = state.Take(reading, clock_.Now());
  {
    const std::scoped_lock guard(mutex_);
    state_ = state;
  }
  LogOutcome(outcome, state);
  logged_problem_ =
      state.problem() ? std::optional(state.problem()->message) : std::optional<std::string>();
  if (outcome == ConfigOutcome::kApplied) on_applied_(state.in_use()->config);
}

void ConfigWatcher::LogOutcome(ConfigOutcome outcome, const ConfigState& state) const {
  if (outcome == ConfigOutcome::kApplied) {
    const ConfigInUse& in_use = *state.in_use();
    const config::PolicyName& policy = in_use.config.policy;
    log_.Info("Took a new configuration",
              {{"policy", fmt::format("{}/{}", policy.namespace_name, policy.name)},
               {"generation", in_use.config.generation},
               {"digest", in_use.digest}});
    if (!in_use.unknown_fields.empty()) {
      log_.Warn("Left out fields that this version does not know: a newer sidecar image reads them",
                {{"fields", fmt::format("{}", fmt::join(in_use.unknown_fields, ","))}});
    }
    return;
  }
  if (outcome == ConfigOutcome::kRecovered) {
    log_.Info("Found the configuration in use again", {{"digest", state.in_use()->digest}});
    return;
  }
  // Each problem once, not at every poll.
  if (!state.problem() || logged_problem_ == state.problem()->message) return;
  if (outcome == ConfigOutcome::kRefused) {
    log_.Error("Refused a configuration", {{"error", state.problem()->message}});
  } else {
    log_.Warn("Found no configuration", {{"error", state.problem()->message}});
  }
}

}  // namespace tracekeeper::sidecar
