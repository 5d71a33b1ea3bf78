#pragma once
// VaultAuth: how the operator logs in to Vault for a connection. Whatever it logs in with belongs
// to the connection's own namespace, so a connection can do no more than that namespace may.

#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
#include "operator/api/vault_rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

/// The name of an object beside the connection.
inline constexpr std::array kLocalNameRules = {codec::Rule{
    .expression = "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    .message_expression =
        "'name \"' + self + '\" must be lower-case letters, digits, - and .: it names an object in "
        "the namespace of the connection, without the namespace itself'"}};

/// Where an engine or an auth method is mounted.
inline constexpr std::array kVaultMountRules = {
    codec::Rule{.expression = "!self.startsWith('auth/')",
                .message_expression = "'mount \"' + self + '\" is written without auth/: write ' + "
                                      "(self.size() > 5 ? self.substring(5) : 'kubernetes')"},
    codec::Rule{.expression = "self.startsWith('auth/') || "
                              "self.matches('^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-]"
                              "[A-Za-z0-9_.-]*)*$')",
                .message_expression =
                    "'mount \"' + self + '\" must be names of letters, digits, - _ and . with / "
                    "between them, none at the ends: write kubernetes or team/kubernetes'"},
};

inline constexpr std::array kAudienceRules = {codec::Rule{
    .expression = "self.matches('^[!-~]+$')",
    .message_expression = "'audience \"' + self + '\" must be printable ASCII without spaces: "
                          "write vault or https://vault.example.com'"}};

/// One key of a Secret in the connection's namespace.
struct LocalSecretKey {
  std::string name;
  std::string key;

  bool operator==(const LocalSecretKey&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("name", &LocalSecretKey::name,
              {.doc = "Name of the object, in the connection's namespace.",
               .required = true,
               .max_length = 253,
               .rules = kLocalNameRules}),
        Field("key", &LocalSecretKey::key,
              {.doc = "Key in its data.",
               .required = true,
               .max_length = 253,
               .rules = kDataKeyRules}),
    };
  }
};

/// Login with a token of a ServiceAccount, which Vault asks the API server about.
struct KubernetesAuth {
  std::string mount = "kubernetes";
  std::string role;
  std::string service_account;
  std::vector<std::string> audiences;

  bool operator==(const KubernetesAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mount", &KubernetesAuth::mount,
              {.doc = "Where the method is mounted, without auth/.",
               .min_length = 1,
               .max_length = 256,
               .rules = kVaultMountRules}),
        Field("role", &KubernetesAuth::role,
              {.doc = "Role of the method to log in as.",
               .required = true,
               .max_length = 256,
               .example = "tracekeeper-shop",
               .rules = kVaultRoleRules}),
        Field("serviceAccount", &KubernetesAuth::service_account,
              {.doc = "ServiceAccount of the connection's namespace for which the operator asks a "
                      "token of ten minutes.",
               .required = true,
               .max_length = 253,
               .example = "vault-login",
               .rules = kLocalNameRules}),
        Field("audiences", &KubernetesAuth::audiences,
              {.doc = "Audiences of that token: what the role of Vault expects. Default: [vault].",
               .max_items = 8,
               .item_max_length = 256,
               .list_type = codec::ListType::kSet,
               .example = "[vault]",
               .item_rules = kAudienceRules}),
    };
  }
};

/// Login with such a token, which Vault checks by the issuer's public keys.
struct JwtAuth {
  std::string mount = "jwt";
  std::string role;
  std::string service_account;
  std::vector<std::string> audiences;

  bool operator==(const JwtAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mount", &JwtAuth::mount,
              {.doc = "Where the method is mounted, without auth/.",
               .min_length = 1,
               .max_length = 256,
               .rules = kVaultMountRules}),
        Field("role", &JwtAuth::role,
              {.doc = "Role of the method to log in as.",
               .required = true,
               .max_length = 256,
               .rules = kVaultRoleRules}),
        Field("serviceAccount", &JwtAuth::service_account,
              {.doc = "ServiceAccount of the connection's namespace for which the operator asks a "
                      "token of ten minutes.",
               .required = true,
               .max_length = 253,
               .rules = kLocalNameRules}),
        Field("audiences", &JwtAuth::audiences,
              {.doc = "Audiences of that token: bound_audiences of the role. Default: [vault].",
               .max_items = 8,
               .item_max_length = 256,
               .list_type = codec::ListType::kSet,
               .item_rules = kAudienceRules}),
    };
  }
};

inline constexpr std::array kRoleIdRules = {
    codec::Rule{.expression = "self.matches('^[!-~]+$')",
                .message = "roleId must be printable ASCII without spaces: write what `vault read "
                           "auth/approle/role/NAME/role-id` prints"}};

struct AppRoleAuth {
  std::string mount = "approle";
  std::string role_id;
  LocalSecretKey secret_id_ref;

  bool operator==(const AppRoleAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mount", &AppRoleAuth::mount,
              {.doc = "Where the method is mounted, without auth/.",
               .min_length = 1,
               .max_length = 256,
               .rules = kVaultMountRules}),
        Field("roleId", &AppRoleAuth::role_id,
              {.doc = "The role's id, which is no secret.",
               .required = true,
               .max_length = 256,
               .rules = kRoleIdRules}),
        Field("secretIdRef", &AppRoleAuth::secret_id_ref,
              {.doc = "The role's secret id. It is read again at each login.",
               .required = true,
               .example = "{name: vault-approle, key: secret-id}"}),
    };
  }
};

struct CertificateAuth {
  std::string mount = "cert";
  std::string role;
  std::string secret_name;

  bool operator==(const CertificateAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mount", &CertificateAuth::mount,
              {.doc = "Where the method is mounted, without auth/.",
               .min_length = 1,
               .max_length = 256,
               .rules = kVaultMountRules}),
        Field("role", &CertificateAuth::role,
              {.doc = "Certificate role to log in as. Default: whichever fits.",
               .max_length = 256,
               .rules = kVaultRoleRules}),
        Field("secretName", &CertificateAuth::secret_name,
              {.doc = "Secret of type kubernetes.io/tls with the certificate that is shown.",
               .required = true,
               .max_length = 253,
               .rules = kLocalNameRules}),
    };
  }
};

/// One of the four.
struct VaultAuth {
  std::optional<KubernetesAuth> kubernetes;
  std::optional<JwtAuth> jwt;
  std::optional<AppRoleAuth> app_role;
  std::optional<CertificateAuth> cert;

  bool operator==(const VaultAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("kubernetes", &VaultAuth::kubernetes,
              {.doc = "With a ServiceAccount's token, checked by the API server."}),
        Field("jwt", &VaultAuth::jwt,
              {.doc = "With a ServiceAccount's token, checked by its issuer's public keys."}),
        Field("appRole", &VaultAuth::app_role, {.doc = "With a role id and a secret id."}),
        Field("cert", &VaultAuth::cert, {.doc = "With a client certificate."}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "[has(self.kubernetes), has(self.jwt), has(self.appRole), has(self.cert)]"
                    ".filter(x, x).size() == 1",
      .message = "auth needs exactly one of kubernetes, jwt, appRole and cert: in a cluster write "
                 "kubernetes: {role: ..., serviceAccount: ...}"}};
};

}  // namespace tracekeeper::api
