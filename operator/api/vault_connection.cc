#include "operator/api/vault_connection.h"

#include <algorithm>

#include "src/codec/decode.h"
#include "src/codec/encode.h"

namespace tracekeeper::api {

bool VaultConnection::Allows(std::string_view namespace_name) const {
  if (spec.allowed_namespaces.empty()) return namespace_name == metadata.key.namespace_name;
  return std::ranges::any_of(spec.allowed_namespaces, [&](const std::string& allowed) {
    return allowed == kEveryNamespace || allowed == namespace_name;
  });
}

Result<VaultConnection> DecodeVaultConnection(codec::JsonValue object) {
  VaultConnection connection;
  connection.metadata = TRY(kube::DecodeMeta(object));
  const std::string kind(object["kind"].StringOr(kVaultConnectionKind));
  if (kind != kVaultConnectionKind) {
    return Fail(ErrorKind::kDecode, "{} is a {}, not a VaultConnection",
                connection.metadata.key.ToString(), kind);
  }
  auto spec = codec::Decode<VaultConnectionSpec>(object["spec"], "spec");
  if (!spec) {
    return Fail(std::move(spec.error()).Within("connection " + connection.metadata.key.ToString()));
  }
  connection.spec = *std::move(spec);
  connection.status = codec::Decode<VaultConnectionStatus>(object["status"], "status")
                          .value_or(VaultConnectionStatus());
  return connection;
}

std::string EncodeSpec(const VaultConnectionSpec& spec) { return codec::EncodeJson(spec); }

std::string EncodeStatus(const VaultConnectionStatus& status) { return codec::EncodeJson(status); }

}  // namespace tracekeeper::api
