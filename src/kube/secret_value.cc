#include "src/kube/secret_value.h"

#include "src/codec/base64.h"

namespace tracekeeper::kube {
namespace {

Result<Document> Read(Client& client, const Resource& resource, const ObjectKey& object,
                      const StopToken& stop) {
  auto found = client.Get(resource, object, stop);
  if (found || found.error().kind != ErrorKind::kForbidden) return found;
  Error error = std::move(found).error();
  if (resource == kSecrets) {
    error.message += fmt::format(
        ": the operator may read Secrets only in the namespaces that the chart's "
        "rbac.secretAccess lists; add {}",
        object.namespace_name);
  }
  return Fail(std::move(error));
}

}  // namespace

Result<crypto::SecretString> SecretValueOf(const Document& secret, const ObjectKey& object,
                                           std::string_view key) {
  const auto encoded = secret["data"][key].String();
  if (!encoded) {
    return Fail(ErrorKind::kNotFound, "Secret {} has no key {}", object.ToString(), key);
  }
  auto decoded = codec::DecodeBase64(*encoded);
  if (!decoded) {
    return Fail(ErrorKind::kDecode, "key {} of Secret {} is not base64", key, object.ToString());
  }
  return crypto::SecretString::Taking(*decoded);
}

Result<crypto::SecretString> ReadSecretValue(Client& client, const ObjectKey& object,
                                             std::string_view key, const StopToken& stop) {
  const Document secret = TRY(Read(client, kSecrets, object, stop));
  return SecretValueOf(secret, object, key);
}

Result<std::string> ReadConfigMapValue(Client& client, const ObjectKey& object,
                                       std::string_view key, const StopToken& stop) {
  const Document config_map = TRY(Read(client, kConfigMaps, object, stop));
  if (const auto text = config_map["data"][key].String()) return std::string(*text);
  const auto encoded = config_map["binaryData"][key].String();
  if (!encoded) {
    return Fail(ErrorKind::kNotFound, "ConfigMap {} has no key {}", object.ToString(), key);
  }
  auto decoded = codec::DecodeBase64(*encoded);
  if (decoded) return decoded;
  return Fail(ErrorKind::kDecode, "key {} of ConfigMap {} is not base64", key, object.ToString());
}

}  // namespace tracekeeper::kube
