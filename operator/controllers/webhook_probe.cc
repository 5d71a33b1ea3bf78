#include "operator/controllers/webhook_probe.h"

#include "operator/domain/webhook_probe.h"

namespace tracekeeper::controllers {
namespace {

/// What the API server says after naming the webhook: "... Post \"https://...\": dial tcp ...".
std::string CauseIn(std::string_view message) {
  constexpr std::string_view kBefore = "failed to call webhook: ";
  const std::size_t found = message.find(kBefore);
  if (found != std::string_view::npos) message.remove_prefix(found + kBefore.size());
  return std::string(message);
}

bool IsRefusal(ErrorKind kind) {
  return kind == ErrorKind::kForbidden || kind == ErrorKind::kInvalid ||
         kind == ErrorKind::kNotFound || kind == ErrorKind::kConflict;
}

}  // namespace

Result<ProbeResult> WebhookProbe::Ask(std::string_view token, const StopToken& stop) {
  const auto answer = client_.Create(kube::kConfigMaps, namespace_name_,
                                     domain::ProbeConfigMapJson(namespace_name_, token),
                                     {.dry_run = kube::DryRun::kYes}, stop);
  if (answer) {
    const bool answered = domain::IsProbeAnswered(answer->root());
    return ProbeResult{answered ? ProbeVerdict::kInForce : ProbeVerdict::kNotYet, ""};
  }
  const Error& error = answer.error();
  if (error.message.find(domain::kProbeWebhook) != std::string::npos) {
    return ProbeResult{ProbeVerdict::kUnreachable, CauseIn(error.message)};
  }
  if (IsRefusal(error.kind)) return ProbeResult{ProbeVerdict::kRefused, error.message};
  return Fail(error);
}

}  // namespace tracekeeper::controllers
