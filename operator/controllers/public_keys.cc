#include "operator/controllers/public_keys.h"

#include <fmt/format.h>

#include <set>

#include "operator/controllers/owned_objects.h"
#include "operator/domain/rotation_failure.h"
#include "src/codec/base64.h"
#include "src/codec/json_writer.h"
#include "src/crypto/jwk.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kManager = "tracekeeper-credential";

tl::unexpected<Error> FailAs(std::string_view label, ErrorKind kind,
                             const kube::ObjectKey& config_map) {
  const domain::RotationFailure& row = *domain::FindRotationFailure(label);
  Error error{
      kind, fmt::format("write ConfigMap {}: {}: {}", config_map.ToString(), row.what, row.remedy),
      std::nullopt};
  error.reason = row.label;
  return Fail(std::move(error));
}

tl::unexpected<Error> Malformed(const domain::CredentialPlan& plan, std::string_view why) {
  return Fail(vault::MakeError(vault::Failure::kMalformedSecret,
                               "write ConfigMap " + plan.public_keys.ToString(), why));
}

/// Visits the values of each version that verifiers may meet, the oldest first.
template <typename Visit>
Status ForEachVersion(const domain::RotationJournal& journal, const VersionValues& values,
                      const Visit& visit) {
  for (const auto* slot : {&journal.previous, &journal.current, &journal.next}) {
    if (!*slot) continue;
    const auto found = values.find((*slot)->number);
    if (found != values.end()) TRY(visit(found->second));
  }
  return {};
}

Result<std::string> JwkOf(std::string_view key) {
  if (key.starts_with("-----BEGIN")) return crypto::PublicJwk(key);
  // Vault gives Ed25519 keys as Base64.
  return crypto::Ed25519Jwk(TRY(codec::DecodeBase64(key)));
}

Result<std::string> KeySetOf(const domain::CredentialPlan& plan,
                             const domain::RotationJournal& journal, const VersionValues& values) {
  const bool is_transit = plan.credential.vault.engine == api::VaultEngine::kTransit;
  const std::string name = is_transit ? "public-key.pem" : plan.credential.rotation.generate.key;
  std::string keys;
  TRY(ForEachVersion(journal, values, [&](const vault::SecretValues& version) -> Status {
    const auto key = version.find(name);
    if (key == version.end()) return Malformed(plan, fmt::format("there is no {}", name));
    const auto jwk = JwkOf(key->second.Reveal());
    if (!jwk) return Malformed(plan, fmt::format("{}: {}", name, jwk.error().message));
    keys.append(keys.empty() ? "" : ",").append(*jwk);
    return {};
  }));
  return fmt::format(R"({{"keys":[{}]}})", keys);
}

Result<std::string> AuthoritiesOf(const domain::CredentialPlan& plan,
                                  const domain::RotationJournal& journal,
                                  const VersionValues& values) {
  std::string bundle;
  std::set<std::string, std::less<>> seen;
  TRY(ForEachVersion(journal, values, [&](const vault::SecretValues& version) -> Status {
    const auto authority = version.find("ca.crt");
    if (authority == version.end()) return Malformed(plan, "there is no ca.crt");
    const std::string_view pem = authority->second.Reveal();
    if (!seen.emplace(pem).second) return {};
    bundle.append(pem);
    if (!bundle.ends_with('\n')) bundle.push_back('\n');
    return {};
  }));
  return bundle;
}

std::string BodyOf(const domain::CredentialPlan& plan, const domain::RotationJournal& journal,
                   const PublicKeys& keys, const kube::ObjectMeta* there) {
  const kube::ObjectMeta meta = MetaOf(plan, plan.public_keys);
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap");
  json.Key("metadata").BeginObject();
  json.Member("name", meta.key.name).Member("namespace", meta.key.namespace_name);
  if (there != nullptr) json.Member("uid", there->uid);
  if (there != nullptr) json.Member("resourceVersion", there->resource_version);
  json.Key("labels").BeginObject();
  for (const auto& [name, text] : meta.labels) json.Member(name, text);
  json.EndObject().Key("annotations").BeginObject();
  json.Member(domain::kSequenceAnnotation, std::to_string(journal.sequence)).EndObject();
  json.Key("ownerReferences").BeginArray();
  for (const kube::OwnerReference& owner : meta.owner_references) {
    json.BeginObject().Member("apiVersion", owner.api_version).Member("kind", owner.kind);
    json.Member("name", owner.name).Member("uid", owner.uid);
    json.Key("controller").Bool(owner.controller).EndObject();
  }
  json.EndArray().EndObject();
  json.Key("data").BeginObject().Member(keys.key, keys.text).EndObject().EndObject();
  return json.Take();
}

}  // namespace

Result<PublicKeys> PublicKeysOf(const domain::CredentialPlan& plan,
                                const domain::RotationJournal& journal,
                                const VersionValues& values) {
  if (plan.credential.vault.engine == api::VaultEngine::kPki) {
    return PublicKeys{"ca.crt", TRY(AuthoritiesOf(plan, journal, values))};
  }
  return PublicKeys{"jwks.json", TRY(KeySetOf(plan, journal, values))};
}

Status WritePublicKeys(kube::Client& client, const domain::CredentialPlan& plan,
                       const domain::RotationJournal& journal, const VersionValues& values,
                       const StopToken& stop) {
  if (plan.public_keys.name.empty()) return {};
  const PublicKeys keys = TRY(PublicKeysOf(plan, journal, values));
  const auto found = client.Get(kube::kConfigMaps, plan.public_keys, stop);
  if (!found && found.error().kind != ErrorKind::kNotFound) return Fail(found.error());
  std::optional<kube::ObjectMeta> there;
  if (found) there = TRY(kube::DecodeMeta(found->root()));
  if (there && !IsOf(*there, plan)) {
    return FailAs(domain::failure::kTargetOwned, ErrorKind::kTerminal, plan.public_keys);
  }
  if (there && SequenceOf(*there) > journal.sequence) {
    return FailAs(domain::failure::kFenced, ErrorKind::kConflict, plan.public_keys);
  }
  TRY(client.Apply(kube::kConfigMaps, plan.public_keys,
                   BodyOf(plan, journal, keys, there ? &*there : nullptr),
                   {.field_manager = std::string(kManager), .force = kube::Force::kYes}, stop));
  return {};
}

}  // namespace tracekeeper::controllers
