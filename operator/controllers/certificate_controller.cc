#include "operator/controllers/certificate_controller.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kFieldManager = "tracekeeper-certificate";

std::string_view Describe(domain::CertificateStep step) {
  switch (step) {
    case domain::CertificateStep::kCreate:
      return "Made webhook certificate";
    case domain::CertificateStep::kPrepare:
      return "Prepared next webhook certificate";
    case domain::CertificateStep::kActivate:
      return "Activated next webhook certificate";
    case domain::CertificateStep::kRetire:
      return "Retired previous webhook authority";
    case domain::CertificateStep::kNothing:
      return "Kept webhook certificate";
  }
  return "";
}

}  // namespace

Result<runtime::Requeue> CertificateController::Reconcile(const kube::ObjectKey& /*key*/,
                                                          runtime::ReconcileContext& context) {
  const Seen seen = TRY(Read(context));
  domain::CertificateState state;
  if (seen.stored) {
    std::optional<Instant> trusted;
    if (seen.stored->next) trusted = trust_.TrustedSince(seen.stored->next->authority_pem);
    state = StateOf(*seen.stored, trusted);
  }
  const domain::CertificatePlan plan = domain::PlanCertificate(state, options_.policy, context.now);
  if (plan.step == domain::CertificateStep::kNothing) {
    trust_.SetDesired(seen.stored->TrustBundle());
    return runtime::Requeue::After(plan.look_again);
  }
  const WebhookCertificate next = TRY(Perform(plan.step, seen, context));
  TRY(Write(next, seen, context));
  trust_.SetDesired(next.TrustBundle());
  context.log.Info(Describe(plan.step), {{"secret", options_.secret.ToString()},
                                         {"fingerprint", next.serving.pair->leaf().fingerprint}});
  return runtime::Requeue::After(plan.look_again);
}

Result<CertificateController::Seen> CertificateController::Read(
    runtime::ReconcileContext& context) {
  const auto secret = client_.Get(kube::kSecrets, options_.secret, context.stop);
  if (!secret && secret.error().kind == ErrorKind::kNotFound) return Seen{};
  if (!secret) return Fail(secret.error());
  Seen seen;
  seen.resource_version = (*secret)["metadata"]["resourceVersion"].StringOr("");
  auto stored = ReadWebhookCertificate(secret->root());
  if (stored) {
    seen.stored = std::move(*stored);
  } else {
    context.log.Warn("Replaced unreadable webhook certificate",
                     {{"secret", options_.secret.ToString()}, {"error", stored.error()}});
  }
  return seen;
}

Result<WebhookCertificate> CertificateController::Perform(domain::CertificateStep step,
                                                          const Seen& seen,
                                                          runtime::ReconcileContext& context) {
  if (step == domain::CertificateStep::kActivate) return Activated(*seen.stored, context.now);
  if (step == domain::CertificateStep::kRetire) return Retired(*seen.stored);

  VouchedPair fresh = TRY(MakeVouchedPair(options_.names, options_.policy.lifetime, context.now));
  if (step == domain::CertificateStep::kPrepare) return Prepared(*seen.stored, std::move(fresh));
  return WebhookCertificate{.serving = std::move(fresh)};
}

Status CertificateController::Write(const WebhookCertificate& next, const Seen& seen,
                                    runtime::ReconcileContext& context) {
  const std::string json = WriteWebhookCertificate(options_.secret, next, seen.resource_version);
  if (seen.resource_version.empty()) {
    // Create, not apply: of two leaders that overlap for a moment one must lose.
    auto created = client_.Create(kube::kSecrets, options_.secret.namespace_name, json,
                                  {.field_manager = std::string(kFieldManager)}, context.stop);
    if (!created) return Fail(std::move(created.error()));
    return {};
  }
  TRY(client_.Apply(kube::kSecrets, options_.secret, json,
                    {.field_manager = std::string(kFieldManager), .force = kube::Force::kYes},
                    context.stop));
  return {};
}

Result<runtime::Requeue> CertificateLoader::Reconcile(const kube::ObjectKey& /*key*/,
                                                      runtime::ReconcileContext& context) {
  const auto secret = client_.Get(kube::kSecrets, secret_, context.stop);
  if (!secret && secret.error().kind == ErrorKind::kNotFound) {
    return runtime::Requeue::Never();  // the leader makes it, and the watch tells
  }
  if (!secret) return Fail(secret.error());
  const WebhookCertificate stored = TRY(ReadWebhookCertificate(secret->root()));
  const auto current = tls_.Certificate();
  const std::string& fingerprint = stored.serving.pair->leaf().fingerprint;
  if (current != nullptr && current->leaf().fingerprint == fingerprint) {
    return runtime::Requeue::Never();
  }
  TRY(tls_.Swap(stored.serving.pair));
  context.log.Info("Loaded webhook certificate", {{"fingerprint", fingerprint}});
  return runtime::Requeue::Never();
}

}  // namespace tracekeeper::controllers
