#include "analyzer/live_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "src/crypto/certificate.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::analyzer {

LiveFiles::LiveFiles(CommandLine command_line, ReadPolicies in_use, crypto::ServerTlsFiles* tls,
                     const Clock& clock, Log& log, analysis::AnalysisServer& analysis)
    : command_line_(std::move(command_line)),
      tls_(tls),
      clock_(clock),
      log_(log),
      logger_(log),
      analysis_(analysis),
      last_(command_line_.options),
      policies_in_use_(std::move(in_use.text)) {}

LiveFiles::~LiveFiles() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void LiveFiles::Start() {
  if (tls_ != nullptr) TellCertificate();
  thread_ = std::jthread([this](const StopToken& stop) { Run(stop); });
}

void LiveFiles::ReadNow() {
  {
    const std::scoped_lock guard(mutex_);
    is_wanted_ = true;
  }
  wake_.notify_all();
}

void LiveFiles::Run(const StopToken& stop) {
  const std::stop_callback wake(stop, [this] { ReadNow(); });
  const auto interval = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(command_line_.options.poll_seconds));
  while (true) {
    const MonotonicTime deadline = clock_.Monotonic() + interval;
    {
      std::unique_lock lock(mutex_);
      while (!is_wanted_ && clock_.Monotonic() < deadline) {
        clock_.WaitUntil(wake_, lock, deadline);
      }
      is_wanted_ = false;
    }
    if (stop.stop_requested()) return;
    Look();
  }
}

void LiveFiles::Look() {
  if (tls_ != nullptr) LookAtCertificates();
  const auto problem = [this](const Error& error) {
    if (std::exchange(last_problem_, error.message) == error.message) return;
    logger_.Error("Refused a changed file, kept what is in use", {{"error", error}});
  };
  const auto options = ReadAgain(command_line_);
  if (!options) return problem(options.error());
  const auto policies = ReadPolicyFiles(options->policies);
  if (!policies) return problem(policies.error());
  last_problem_.clear();
  TakeOptions(*options);
  // From where they come is decided when the program starts.
  if (options->kubernetes == command_line_.options.kubernetes) TakePolicies(*policies);
}

void LiveFiles::LookAtCertificates() {
  const auto change = tls_->ReadAgain();
  if (!change) {
    if (std::exchange(last_tls_problem_, change.error().message) == change.error().message) return;
    logger_.Error("Refused changed TLS files, kept those in use", {{"error", change.error()}});
    return;
  }
  last_tls_problem_.clear();
  if (*change == crypto::ServerTlsFiles::Change::kTaken) TellCertificate();
}

void LiveFiles::TellCertificate() const {
  const crypto::CertificateInfo leaf = tls_->source()->Certificate()->leaf();
  const bool asks_clients = !tls_->source()->ClientAuthoritiesPem().empty();
  logger_.Info("Took a TLS certificate", {{"subject", leaf.subject},
                                          {"ends", kube::FormatTimestamp(leaf.not_after)},
                                          {"asks_clients", asks_clients}});
  if (leaf.not_after > clock_.Now()) return;
  logger_.Warn("Took a TLS certificate that has ended: senders will refuse it");
}

void LiveFiles::TakeOptions(const Options& options) {
  if (options == last_) return;
  last_ = options;
  log_.set_level(*ParseLogLevel(options.log_level));
  Options with_next_start = options;
  with_next_start.log_level = command_line_.options.log_level;
  with_next_start.policies = command_line_.options.policies;
  const bool needs_restart = with_next_start != command_line_.options;
  logger_.Info("Took a new configuration", {{"log_level", options.log_level},
                                            {"other_options_wait_for_restart", needs_restart}});
}

void LiveFiles::TakePolicies(const ReadPolicies& policies) {
  if (policies.text == policies_in_use_) return;
  policies_in_use_ = policies.text;
  analysis_.UseRules(policies.rules);
  logger_.Info("Took new policies",
               {{"policies", fmt::format("{}", fmt::join(policies.names, ","))}});
}

}  // namespace tracekeeper::analyzer
