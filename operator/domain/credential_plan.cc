#include "operator/domain/credential_plan.h"

#include <fmt/format.h>

#include "operator/domain/names.h"
#include "src/codec/encode.h"
#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

std::string_view UsualMount(api::VaultEngine engine) {
  switch (engine) {
    case api::VaultEngine::kKv2:
      return "secret";
    case api::VaultEngine::kDatabase:
      return "database";
    case api::VaultEngine::kPki:
      return "pki";
    case api::VaultEngine::kTransit:
      return "transit";
  }
  return {};
}

RotationSource SourceOf(const api::Credential& credential) {
  switch (credential.vault.engine) {
    case api::VaultEngine::kDatabase:
      return RotationSource::kLease;
    case api::VaultEngine::kPki:
      return RotationSource::kCertificate;
    case api::VaultEngine::kTransit:
      return RotationSource::kTransitKey;
    case api::VaultEngine::kKv2:
      break;
  }
  return credential.rotation.generate.type == api::GeneratorType::kNone
             ? RotationSource::kFollowed
             : RotationSource::kGenerated;
}

api::Credential Resolved(const api::Credential& credential) {
  api::Credential resolved = credential;
  if (resolved.vault.mount.empty()) resolved.vault.mount = UsualMount(resolved.vault.engine);
  api::Generator& generate = resolved.rotation.generate;
  if (generate.key.empty() && generate.type != api::GeneratorType::kNone) {
    generate.key = generate.type == api::GeneratorType::kPassword ? "password" : "private-key.pem";
  }
  return resolved;
}

bool IsPaused(const api::TracingPolicy& policy) {
  const auto found = policy.metadata.annotations.find(kPausedAnnotation);
  return found != policy.metadata.annotations.end() && found->second == "true";
}

std::string_view Annotation(const api::TracingPolicy& policy, std::string_view name) {
  const auto found = policy.metadata.annotations.find(name);
  return found == policy.metadata.annotations.end() ? std::string_view() : found->second;
}

/// What is asked of the source: another one makes what is in use foreign to it. Which keys are
/// shown is the target's business.
std::string SourceDigest(const api::Credential& credential, const kube::ObjectKey& connection) {
  api::CredentialSource source = credential.vault;
  source.keys.clear();
  return crypto::Sha256Hex(
             fmt::format("{}\n{}\n{}\n{}", connection.ToString(), codec::EncodeJson(source),
                         credential.rotation.generate.key,
                         credential.rotation.generate.type == api::GeneratorType::kNone
                             ? "followed"
                             : "generated"))
      .substr(0, 16);
}

std::string TargetDigest(const api::Credential& credential) {
  std::string text = codec::EncodeJson(credential.secret);
  for (const std::string& key : credential.vault.keys) text.append("\n").append(key);
  return crypto::Sha256Hex(text).substr(0, 16);
}

}  // namespace

CredentialPlan PlanCredential(const api::TracingPolicy& policy, const api::Credential& credential) {
  const kube::ObjectKey& key = policy.metadata.key;
  CredentialPlan plan;
  plan.policy = key;
  plan.identity = {key.ToString(), policy.metadata.uid, credential.name};
  plan.credential = Resolved(credential);
  const api::ConnectionReference& reference = credential.vault.connection_ref;
  plan.connection = {
      reference.namespace_name.empty() ? key.namespace_name : reference.namespace_name,
      reference.name};
  plan.target = {key.namespace_name, credential.secret.name};
  // A credential's name has no dot, so no two credentials share a journal.
  plan.journal = {key.namespace_name, fmt::format("tracekeeper.{}.{}", key.name, credential.name)};
  if (!credential.secret.public_keys.empty()) {
    plan.public_keys = {key.namespace_name, credential.secret.public_keys};
  }
  const api::CredentialRotation& rotation = credential.rotation;
  plan.spec = {.source = SourceOf(credential),
               .every = rotation.every,
               .overlap = rotation.overlap,
               .activate_after = rotation.activate_after,
               .linger = rotation.linger,
               .pause = IsPaused(policy) ? RotationPause::kPaused : RotationPause::kRunning,
               .source_digest = SourceDigest(plan.credential, plan.connection),
               .target_digest = TargetDigest(credential)};
  return plan;
}

std::string RotationRequest(const api::TracingPolicy& policy, std::string_view credential) {
  const std::string_view all = Annotation(policy, kRotateAnnotation);
  const std::string_view one = Annotation(policy, std::string(kRotateOnePrefix).append(credential));
  if (all.empty() && one.empty()) return {};
  return crypto::Sha256Hex(fmt::format("{}\n{}", all, one)).substr(0, 16);
}

}  // namespace tracekeeper::domain
