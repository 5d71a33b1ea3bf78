#include "sidecar/config_state.h"

#include <fmt/core.h>

#include "src/crypto/digest.h"

namespace tracekeeper::sidecar {
namespace {

std::string DigestOf(std::string_view text) { return "sha256:" + crypto::Sha256Hex(text); }

}  // namespace

ConfigOutcome ConfigState::Take(const FileReading& reading, Instant now) {
  if (std::holds_alternative<FileMissing>(reading)) return TakeMissing(now);
  if (const auto* unreadable = std::get_if<FileUnreadable>(&reading)) {
    return TakeUnreadable(unreadable->reason, now);
  }
  return TakeText(std::get<FileText>(reading).text, now);
}

ConfigOutcome ConfigState::TakeMissing(Instant now) {
  last_seen_.clear();
  if (in_use_ == nullptr) {
    SetProblem(fmt::format("waiting for {}: it is not there yet; the operator writes it into the "
                           "policy's ConfigMap, which is mounted as optional",
                           file_),
               now);
  } else {
    SetProblem(fmt::format("{} is gone; the last good configuration stays in use", file_), now);
  }
  return ConfigOutcome::kMissing;
}

ConfigOutcome ConfigState::TakeUnreadable(const std::string& reason, Instant now) {
  const bool is_news = last_seen_ != reason;
  last_seen_ = reason;
  if (!is_news) return ConfigOutcome::kUnchanged;
  return Refuse(fmt::format("cannot read {}: {}", file_, reason), now);
}

ConfigOutcome ConfigState::TakeText(const std::string& text, Instant now) {
  std::string seen = DigestOf(text);
  if (seen == last_seen_) return ConfigOutcome::kUnchanged;
  last_seen_ = std::move(seen);

  auto decoded = config::DecodeSidecarConfig(text);
  if (!decoded) return Refuse(fmt::format("{}: {}", file_, decoded.error().message), now);
  std::string digest = DigestOf(config::BodyOf(text));
  if (!decoded->digest.empty() && decoded->digest != digest) {
    return Refuse(fmt::format("{}: its first line says digest {}, but the text has {}: it was "
                              "changed by hand; delete the ConfigMap and the operator writes it "
                              "again, or remove the digest line",
                              file_, decoded->digest, digest),
                  now);
  }
  problem_.reset();
  if (in_use_ != nullptr && in_use_->digest == digest) return ConfigOutcome::kRecovered;
  in_use_ = std::make_shared<const ConfigInUse>(
      ConfigInUse{.config = std::move(decoded->config),
                  .digest = std::move(digest),
                  .unknown_fields = std::move(decoded->unknown_fields),
                  .since = now});
  ++applied_;
  return ConfigOutcome::kApplied;
}

ConfigOutcome ConfigState::Refuse(std::string message, Instant now) {
  ++refused_;
  if (in_use_ != nullptr) message += "; the last good configuration stays in use";
  SetProblem(std::move(message), now);
  return ConfigOutcome::kRefused;
}

void ConfigState::SetProblem(std::string message, Instant now) {
  if (problem_ && problem_->message == message) return;
  problem_ = ConfigProblem{std::move(message), now};
}

}  // namespace tracekeeper::sidecar
