#include "operator/domain/explain_credential.h"

#include <fmt/format.h>

#include <algorithm>

#include "operator/api/tracing_policy.h"
#include "operator/domain/credential_plan.h"
#include "operator/domain/rotation_journal.h"
#include "operator/domain/secret_template.h"
#include "src/codec/duration.h"

namespace tracekeeper::domain {
namespace {

using api::ConsumerReload;
using api::GeneratorType;
using api::VaultEngine;

std::string Made(const api::Generator& generate) {
  switch (generate.type) {
    case GeneratorType::kPassword:
      return fmt::format("password of {} characters", generate.length);
    case GeneratorType::kRsa:
      return fmt::format("RSA key of {} bits", generate.bits);
    case GeneratorType::kEcdsa:
      return "key on the curve P-256";
    case GeneratorType::kEd25519:
      return "key for Ed25519";
    case GeneratorType::kNone:
      break;
  }
  return "value";
}

/// One credential, and the words for it that its phases share.
class Teller {
 public:
  Teller(const api::TracingPolicy& policy, const api::Credential& credential)
      : policy_(policy),
        plan_(PlanCredential(policy, credential)),
        credential_(plan_.credential),
        source_(credential_.vault),
        rotation_(credential_.rotation),
        place_(source_.mount + "/" + source_.path) {
    const auto found =
        std::ranges::find(policy.status.credentials, credential.name, &api::CredentialStatus::name);
    if (found != policy.status.credentials.end()) status_ = &*found;
  }

  ExplainedCredential Tell() const {
    ExplainedCredential told;
    told.what = What() + ", by way of VaultConnection " + plan_.connection.ToString();
    told.status = Status();
    told.when = When();
    told.phases = {Phase(RotationPhase::kPrepare, Prepare()),
                   Phase(RotationPhase::kPublish, Publish()),
                   Phase(RotationPhase::kActivate, Activate()),
                   Phase(RotationPhase::kDrain, Drain()), Phase(RotationPhase::kRetire, Retire())};
    told.problems = Problems();
    return told;
  }

 private:
  [[nodiscard]] ExplainedPhase Phase(RotationPhase phase, std::string sentence) const {
    const std::string_view name = codec::NameOfEnum(phase);
    return {name, std::move(sentence), status_ != nullptr && status_->phase == name};
  }

  [[nodiscard]] std::string What() const {
    switch (source_.engine) {
      case VaultEngine::kDatabase:
        return fmt::format("a user of a database that Vault makes for role {} of {}", source_.role,
                           source_.mount);
      case VaultEngine::kPki:
        return fmt::format("a certificate for {} that Vault issues for role {} of {}",
                           source_.common_name, source_.role, source_.mount);
      case VaultEngine::kTransit:
        return fmt::format("the key {} of {}, whose private half stays in Vault", source_.path,
                           source_.mount);
      case VaultEngine::kKv2:
        break;
    }
    if (!IsGenerated()) return fmt::format("what somebody else writes to {} in Vault", place_);
    return fmt::format("{} {} that the operator makes, key {} of {} in Vault",
                       rotation_.generate.type == GeneratorType::kRsa ? "an" : "a",
                       Made(rotation_.generate), rotation_.generate.key, place_);
  }

  [[nodiscard]] std::string Status() const {
    if (status_ == nullptr) return {};
    std::string text = "no version yet, the first comes as soon as it can";
    if (status_->version > 0) text = fmt::format("version {}", status_->version);
    if (!status_->last_rotation.empty()) text += ", in use since " + status_->last_rotation;
    text += fmt::format("; phase {}.", status_->phase);
    if (!status_->reason.empty()) {
      text += fmt::format(" Reason {}: condition CredentialsRotated says more.", status_->reason);
    }
    return text;
  }

  [[nodiscard]] std::string When() const {
    if (plan_.spec.source == RotationSource::kFollowed) {
      return "as soon as Vault has a newer version.";
    }
    const Duration earliest = rotation_.every - rotation_.every / 10;
    std::string text;
    if (status_ != nullptr && !status_->next_rotation.empty()) {
      text = fmt::format("at {}; each is due ", status_->next_rotation);
    }
    text += fmt::format("{} to {} after the one before began, never later",
                        codec::FormatDuration(earliest), codec::FormatDuration(rotation_.every));
    if (source_.engine == VaultEngine::kPki) {
      text += "; earlier where two thirds of the certificate's life are over before";
    }
    if (source_.engine == VaultEngine::kDatabase) {
      text += "; its lease is renewed till then, and where it cannot be, earlier";
    }
    return text + ".";
  }

  [[nodiscard]] std::string Prepare() const {
    switch (source_.engine) {
      case VaultEngine::kDatabase:
        return fmt::format("asks {} for another user by role {}.", source_.mount, source_.role);
      case VaultEngine::kPki:
        return fmt::format("asks {} for another certificate by role {}.", source_.mount,
                           source_.role);
      case VaultEngine::kTransit:
        return fmt::format("makes another version of the key {} in {}.", source_.path,
                           source_.mount);
      case VaultEngine::kKv2:
        break;
    }
    if (!IsGenerated()) return fmt::format("reads the newest version of {}.", place_);
    return fmt::format("writes a new {} to key {} of {} as its next version; other keys are kept.",
                       Made(rotation_.generate), rotation_.generate.key, place_);
  }

  /// The one key that the Secret has, or KEY for each.
  [[nodiscard]] std::string Key() const { return HasOneKey() ? source_.keys.front() : "KEY"; }
  [[nodiscard]] bool HasOneKey() const { return source_.keys.size() == 1; }

  [[nodiscard]] std::string Publish() const {
    std::string text =
        fmt::format("shows {} in Secret {} as {}.next beside {}", HasOneKey() ? "it" : "each key",
                    plan_.target.ToString(), Key(), Key());
    if (!plan_.public_keys.name.empty()) {
      text += fmt::format(", and in ConfigMap {} what verifiers need of both",
                          plan_.public_keys.ToString());
    }
    return text + ".";
  }

  [[nodiscard]] std::string Activate() const {
    const bool waits = rotation_.activate_after > Duration::zero();
    std::string text =
        fmt::format("{}, {}{} becomes the new one, {}.previous the one before",
                    waits ? "after " + codec::FormatDuration(rotation_.activate_after) : "at once",
                    HasOneKey() ? "" : "each ", Key(), Key());
    for (const auto& [name, entry] : credential_.secret.template_text) {
      if (SecretTemplate::Parse(entry)) text.append("; ").append(name).append(" is made anew");
    }
    return text + ".";
  }

  [[nodiscard]] std::string Drain() const {
    std::string text = Consumers();
    text += fmt::format("both were valid for {}", codec::FormatDuration(rotation_.overlap));
    if (rotation_.linger > Duration::zero()) {
      text += fmt::format(", and {} passed since nobody uses the previous one",
                          codec::FormatDuration(rotation_.linger));
    }
    if (credential_.consumers.reload == ConsumerReload::kNone) {
      text += "; consumers follow by themselves";
    }
    return text + ".";
  }

  /// What is waited for, up to the overlap.
  [[nodiscard]] std::string Consumers() const {
    switch (credential_.consumers.reload) {
      case ConsumerReload::kRestart:
        return "restarts the workloads of the policy's pods, and waits until they run with it and ";
      case ConsumerReload::kNone:
        return "waits until ";
      case ConsumerReload::kSidecar:
        break;
    }
    const std::int64_t pods = policy_.status.injected_pods;
    if (pods == 1) return "waits until the sidecar of 1 pod says that it uses it, and ";
    return fmt::format("waits until the sidecars of {} say that they use it, and ",
                       pods == 0 ? "the policy's pods" : fmt::format("{} pods", pods));
  }

  [[nodiscard]] std::string Retire() const {
    const std::string begin = fmt::format("takes {}.previous out of the Secret, then ", Key());
    switch (source_.engine) {
      case VaultEngine::kDatabase:
        return begin + "revokes the previous lease, which ends that user.";
      case VaultEngine::kPki:
        return begin + "revokes the previous certificate.";
      case VaultEngine::kTransit:
        return begin + "lets Vault refuse the previous version of the key.";
      case VaultEngine::kKv2:
        break;
    }
    if (IsGenerated()) return begin + fmt::format("destroys the previous version of {}.", place_);
    return fmt::format("takes {}.previous out of the Secret; Vault is left as it is.", Key());
  }

  [[nodiscard]] std::vector<std::string> Problems() const {
    std::vector<std::string> problems;
    if (plan_.spec.pause == RotationPause::kPaused) {
      problems.push_back(fmt::format(
          "Nothing of this is done while the annotation {} stands there{}.", api::kPausedAnnotation,
          source_.engine == VaultEngine::kDatabase ? "; leases are renewed" : ""));
    }
    for (const auto& [name, text] : credential_.secret.template_text) {
      const auto parsed = SecretTemplate::Parse(text);
      if (!parsed) {
        problems.push_back(
            fmt::format("Entry {} cannot be made: {}.", name, parsed.error().message));
      }
    }
    return problems;
  }

  [[nodiscard]] bool IsGenerated() const { return plan_.spec.source == RotationSource::kGenerated; }

  const api::TracingPolicy& policy_;
  const CredentialPlan plan_;
  const api::Credential& credential_;  // of the plan
  const api::CredentialSource& source_;
  const api::CredentialRotation& rotation_;
  const std::string place_;  // in Vault
  const api::CredentialStatus* status_ = nullptr;
};

}  // namespace

ExplainedCredential ExplainCredential(const api::TracingPolicy& policy,
                                      const api::Credential& credential) {
  return Teller(policy, credential).Tell();
}

}  // namespace tracekeeper::domain
