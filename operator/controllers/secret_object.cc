#include "operator/controllers/secret_object.h"

#include <fmt/format.h>

#include <utility>

#include "operator/domain/rotation_failure.h"
#include "src/codec/base64.h"
#include "src/vault/secret_json.h"

namespace tracekeeper::controllers {
namespace {

namespace failure = domain::failure;

std::string_view RowOf(const Error& error) {
  const auto says = [&](std::string_view words) {
    return error.message.find(words) != std::string::npos;
  };
  if (error.kind == ErrorKind::kForbidden && says("being terminated")) {
    return failure::kNamespaceEnding;
  }
  if (error.kind == ErrorKind::kForbidden) {
    return says("is forbidden: exceeded quota") ? failure::kTargetRefused
                                                : failure::kTargetForbidden;
  }
  if (error.kind != ErrorKind::kInvalid) return {};
  if (says("immutable")) return failure::kTargetImmutable;
  if (says("Too long")) return failure::kTooLarge;
  return failure::kTargetRefused;
}

/// What the API server says of a Secret may quote what was sent: only what it is about is kept.
Error Translated(Error error, std::string_view tried, const kube::ObjectKey& key) {
  error.reason = RowOf(error);
  const domain::RotationFailure* row = domain::FindRotationFailure(error.reason);
  if (row == nullptr) return error;
  error.message =
      fmt::format("{} Secret {}: {}: {}", tried, key.ToString(), row->what, row->remedy);
  return error;
}

Error TooLarge(const kube::ObjectKey& key, std::size_t size) {
  const domain::RotationFailure& row = *domain::FindRotationFailure(failure::kTooLarge);
  Error error{ErrorKind::kInvalid,
              fmt::format("write Secret {}: its values take {} bytes: {}: {}", key.ToString(), size,
                          row.what, row.remedy),
              std::nullopt};
  error.reason = failure::kTooLarge;
  return error;
}

void WriteTexts(vault::SecretJson& json, std::string_view key, const kube::StringMap& texts) {
  if (texts.empty()) return;
  json.Begin(key);
  for (const auto& [name, text] : texts) json.Text(name, text);
  json.End();
}

void WriteMeta(vault::SecretJson& json, const kube::ObjectMeta& meta, bool is_shell) {
  json.Begin("metadata").Text("name", meta.key.name).Text("namespace", meta.key.namespace_name);
  if (!is_shell && !meta.uid.empty()) json.Text("uid", meta.uid);
  if (!is_shell) json.Text("resourceVersion", meta.resource_version);
  WriteTexts(json, "labels", meta.labels);
  if (!is_shell) WriteTexts(json, "annotations", meta.annotations);
  json.BeginList("ownerReferences");
  for (const kube::OwnerReference& owner : meta.owner_references) {
    json.Begin().Text("apiVersion", owner.api_version).Text("kind", owner.kind);
    json.Text("name", owner.name).Text("uid", owner.uid);
    json.Flag("controller", owner.controller).End();
  }
  json.EndList().End();
}

void WriteData(vault::SecretJson& json, const vault::SecretValues& data) {
  json.Begin("data");
  for (const auto& [key, value] : data) {
    std::string encoded = codec::EncodeBase64(value.Reveal());
    json.Text(key, encoded);
    crypto::Wipe(encoded);
  }
  json.End();
}

vault::SecretJson BodyOf(const SecretObject& secret) {
  vault::SecretJson json;
  json.Begin().Text("apiVersion", "v1").Text("kind", "Secret").Text("type", secret.type);
  WriteMeta(json, secret.meta, false);
  WriteData(json, secret.data);
  json.End();
  return json;
}

/// Made by a create, which fails where there is one: an apply would take it over. It is empty, so
/// that all data is the apply's, which may then drop it; but for types that want certain keys.
Result<kube::ObjectMeta> MakeShell(kube::Client& client, const SecretObject& secret,
                                   std::string_view manager, const StopToken& stop) {
  vault::SecretJson json;
  json.Begin().Text("apiVersion", "v1").Text("kind", "Secret").Text("type", secret.type);
  WriteMeta(json, secret.meta, true);
  if (secret.type != "Opaque") WriteData(json, secret.data);
  json.End();
  auto made = client.Create(kube::kSecrets, secret.meta.key.namespace_name, json.text(),
                            {.field_manager = std::string(manager)}, stop);
  if (!made && made.error().kind == ErrorKind::kAlreadyExists) {
    return Fail(ErrorKind::kConflict, "Secret {} was made by somebody else in between",
                secret.meta.key.ToString());
  }
  if (!made) return Fail(Translated(std::move(made).error(), "create", secret.meta.key));
  return kube::DecodeMeta(made->root());
}

}  // namespace

Result<std::optional<SecretObject>> ReadSecret(kube::Client& client, const kube::ObjectKey& key,
                                               const StopToken& stop) {
  auto found = client.Get(kube::kSecrets, key, stop);
  if (!found && found.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!found) return Fail(Translated(std::move(found).error(), "read", key));
  SecretObject secret;
  secret.meta = TRY(kube::DecodeMeta(found->root()));
  secret.type = (*found)["type"].StringOr("Opaque");
  secret.immutable = (*found)["immutable"].BoolOr(false);
  for (const auto& [name, value] : (*found)["data"].Members()) {
    auto decoded = codec::DecodeBase64(value.StringOr(""));
    if (!decoded) {
      return Fail(ErrorKind::kDecode, "key {} of Secret {} is not base64", name, key.ToString());
    }
    secret.data.insert_or_assign(std::string(name), crypto::SecretString::Taking(*decoded));
  }
  return secret;
}

Result<std::string> WriteSecret(kube::Client& client, const SecretObject& secret,
                                std::string_view manager, const StopToken& stop) {
  std::size_t size = 0;
  for (const auto& [key, value] : secret.data) size += value.size();
  if (size > kMostSecretBytes) return Fail(TooLarge(secret.meta.key, size));
  if (secret.meta.resource_version.empty()) {
    const kube::ObjectMeta made = TRY(MakeShell(client, secret, manager, stop));
    SecretObject whole{.meta = secret.meta, .type = secret.type};
    whole.meta.uid = made.uid;
    whole.meta.resource_version = made.resource_version;
    for (const auto& [key, value] : secret.data) whole.data.emplace(key, value.Clone());
    return WriteSecret(client, whole, manager, stop);
  }
  const vault::SecretJson body = BodyOf(secret);
  auto applied =
      client.Apply(kube::kSecrets, secret.meta.key, body.text(),
                   {.field_manager = std::string(manager), .force = kube::Force::kYes}, stop);
  if (!applied) return Fail(Translated(std::move(applied).error(), "write", secret.meta.key));
  return std::string((*applied)["metadata"]["resourceVersion"].StringOr(""));
}

}  // namespace tracekeeper::controllers
