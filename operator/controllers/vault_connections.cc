#include "operator/controllers/vault_connections.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "operator/domain/rotation_failure.h"
#include "src/crypto/certificate.h"
#include "src/crypto/digest.h"
#include "src/kube/secret_value.h"
#include "src/kube/service_account_token.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kDefaultAudience = "vault";
/// New TLS connections wait for what they trust no longer than for Vault itself.
const StopToken kNoStop;

using PairPointer = std::shared_ptr<const crypto::CertificatePair>;

/// In [0, 1), the same after each restart and another one for each connection.
double ShareOf(const api::VaultConnection& connection) {
  const std::string digest = crypto::Sha256Hex(connection.metadata.uid);
  return static_cast<double>(std::stoull(digest.substr(0, 8), nullptr, 16)) / 4294967296.0;
}

std::function<Result<std::string>()> AuthoritiesOf(const api::VaultConnection& connection,
                                                   kube::Client& everyday, kube::Client& secrets) {
  const api::VaultAuthority& ca = connection.spec.ca;
  const std::string& own = connection.metadata.key.namespace_name;
  if (ca.config_map_ref) {
    return [&everyday, own, from = *ca.config_map_ref] {
      return kube::ReadConfigMapValue(everyday, {own, from.name}, from.key, kNoStop);
    };
  }
  if (ca.secret_ref) {
    return [&secrets, own, from = *ca.secret_ref]() -> Result<std::string> {
      const auto value = TRY(kube::ReadSecretValue(secrets, {own, from.name}, from.key, kNoStop));
      return std::string(value.Reveal());  // certificates: no secret, wherever they lie
    };
  }
  return [pem = ca.pem]() -> Result<std::string> { return pem; };
}

std::function<Result<PairPointer>()> CertificateOf(const api::VaultConnection& connection,
                                                   kube::Client& secrets) {
  if (!connection.spec.auth.cert) return {};
  const kube::ObjectKey secret{connection.metadata.key.namespace_name,
                               connection.spec.auth.cert->secret_name};
  return [&secrets, secret]() -> Result<PairPointer> {
    const auto chain = TRY(kube::ReadSecretValue(secrets, secret, "tls.crt", kNoStop));
    auto key = TRY(kube::ReadSecretValue(secrets, secret, "tls.key", kNoStop));
    auto pair = crypto::CertificatePair::Parse(std::string(chain.Reveal()), std::move(key));
    if (!pair) return Fail(std::move(pair).error().Within("Secret " + secret.ToString()));
    return std::make_shared<const crypto::CertificatePair>(*std::move(pair));
  };
}

}  // namespace

vault::SecretProvider VaultConnections::TokenOf(const kube::ObjectKey& service_account,
                                                const std::vector<std::string>& audiences) const {
  kube::TokenOptions options;
  options.audiences = audiences;
  if (options.audiences.empty()) options.audiences.emplace_back(kDefaultAudience);
  return [&secrets = parts_.secrets, service_account,
          options](const StopToken& stop) -> Result<crypto::SecretString> {
    return TRY(kube::RequestToken(secrets, service_account, options, stop)).token;
  };
}

Result<std::unique_ptr<vault::Login>> VaultConnections::MakeLogin(
    const api::VaultConnection& connection) const {
  const api::VaultAuth& auth = connection.spec.auth;
  const std::string& own = connection.metadata.key.namespace_name;
  if (auth.kubernetes) {
    return vault::MakeJwtLogin(
        {.mount = auth.kubernetes->mount,
         .role = auth.kubernetes->role,
         .jwt = TokenOf({own, auth.kubernetes->service_account}, auth.kubernetes->audiences)});
  }
  if (auth.jwt) {
    return vault::MakeJwtLogin(
        {.mount = auth.jwt->mount,
         .role = auth.jwt->role,
         .jwt = TokenOf({own, auth.jwt->service_account}, auth.jwt->audiences)});
  }
  if (auth.app_role) {
    return vault::MakeAppRoleLogin(
        {.mount = auth.app_role->mount,
         .role_id = auth.app_role->role_id,
         .secret_id = [&secrets = parts_.secrets, own,
                       from = auth.app_role->secret_id_ref](const StopToken& stop) {
           return kube::ReadSecretValue(secrets, {own, from.name}, from.key, stop);
         }});
  }
  if (auth.cert) {
    return vault::MakeCertificateLogin({.mount = auth.cert->mount, .name = auth.cert->role});
  }
  return Fail(ErrorKind::kInvalid,
              "connection {} says no way to log in: write auth.kubernetes, jwt, appRole or cert",
              connection.metadata.key.ToString());
}

Result<std::unique_ptr<vault::Connection>> VaultConnections::Make(
    const api::VaultConnection& connection) const {
  const api::VaultConnectionSpec& spec = connection.spec;
  vault::ConnectionOptions options;
  options.address = spec.address;
  while (options.address.ends_with('/')) options.address.pop_back();
  options.server_name = spec.server_name;
  options.authorities_pem = AuthoritiesOf(connection, parts_.everyday, parts_.secrets);
  options.client_certificate = CertificateOf(connection, parts_.secrets);
  options.endpoint.queries_per_second = static_cast<double>(spec.limits.qps);
  options.endpoint.burst = static_cast<double>(spec.limits.burst);
  options.endpoint.labels = {{"connection", connection.metadata.key.name},
                             {"connection_namespace", connection.metadata.key.namespace_name}};
  options.session.name_space = spec.vault_namespace;
  options.session.renewal_share = ShareOf(connection);
  options.session.random = parts_.random;
  return vault::Connection::Make(std::move(options), TRY(MakeLogin(connection)), parts_.clock,
                                 parts_.metrics);
}

std::shared_ptr<vault::Connection> VaultConnections::TakeLocked(const kube::ObjectKey& key) {
  const auto found = open_.find(key);
  if (found == open_.end()) return nullptr;
  std::shared_ptr<vault::Connection> taken = std::move(found->second.connection);
  open_.erase(found);
  std::erase_if(ending_, [](const auto& entry) { return entry.second.expired(); });
  ending_[key] = taken;
  return taken;
}

Result<std::shared_ptr<vault::Connection>> VaultConnections::Open(
    const api::VaultConnection& connection, const StopToken& stop) {
  const kube::ObjectKey& key = connection.metadata.key;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = open_.find(key);
    if (found != open_.end() && found->second.object.metadata.uid == connection.metadata.uid &&
        found->second.object.spec == connection.spec) {
      return found->second.connection;
    }
  }
  Close(key, stop);
  const std::scoped_lock lock(mutex_);
  const auto ending = ending_.find(key);
  if (ending != ending_.end() && !ending->second.expired()) {
    return Fail(ErrorKind::kUnavailable,
                "VaultConnection {} is still in use as it was before: it is opened anew in a "
                "moment",
                key.ToString());
  }
  std::shared_ptr<vault::Connection> opened = TRY(Make(connection));
  open_[key] = {connection, opened};
  return opened;
}

void VaultConnections::Close(const kube::ObjectKey& key, const StopToken& stop) {
  std::shared_ptr<vault::Connection> closing;
  {
    const std::scoped_lock lock(mutex_);
    closing = TakeLocked(key);
  }
  // A token that cannot be revoked ends by itself.
  if (closing != nullptr) (void)closing->session().Close(stop);
}

void VaultConnections::CloseAll(const StopToken& stop) {
  std::vector<kube::ObjectKey> keys;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, entry] : open_) keys.push_back(key);
  }
  for (const kube::ObjectKey& key : keys) Close(key, stop);
}

Result<std::shared_ptr<vault::Connection>> VaultConnections::Find(
    const kube::ObjectKey& key, std::string_view namespace_name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(key);
  const auto fail = [](ErrorKind kind, std::string_view label, std::string message) {
    Error error{kind, std::move(message), std::nullopt};
    error.reason = label;
    return Fail(std::move(error));
  };
  if (found == open_.end()) {
    return fail(ErrorKind::kNotFound, domain::failure::kConnectionMissing,
                fmt::format("VaultConnection {} is not open: create it, or see its condition Ready",
                            key.ToString()));
  }
  if (!found->second.object.Allows(namespace_name)) {
    return fail(ErrorKind::kForbidden, domain::failure::kConnectionForbidden,
                fmt::format("VaultConnection {} does not allow namespace {}: add it to its "
                            "allowedNamespaces",
                            key.ToString(), namespace_name));
  }
  return found->second.connection;
}

}  // namespace tracekeeper::controllers
