#pragma once
// VaultConnection (tracekeeper.dev/v1alpha1): a Vault, how to log in to it, and which namespaces
// may use the connection. Credentials of a TracingPolicy name one.
//
// Threads:  plain values.
// Failure:  decoding refuses with the path and what may stand there. The CRD refuses the same at
//           apply.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "operator/api/conditions.h"
#include "operator/api/export_tls.h"
#include "operator/api/tracing_policy.h"
#include "operator/api/vault_auth.h"
#include "src/base/result.h"
#include "src/codec/fields.h"
#include "src/codec/json_value.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"

namespace tracekeeper::api {

inline constexpr std::string_view kVaultConnectionKind = "VaultConnection";
inline constexpr kube::Resource kVaultConnections{kGroup, kVersion, "vaultconnections",
                                                  kVaultConnectionKind};

/// In `allowedNamespaces`: every namespace.
inline constexpr std::string_view kEveryNamespace = "*";

/// Certificates that Vault's own certificate is checked against. One of the three.
struct VaultAuthority {
  std::string pem;
  std::optional<LocalSecretKey> config_map_ref;
  std::optional<LocalSecretKey> secret_ref;

  bool operator==(const VaultAuthority&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field(
            "pem", &VaultAuthority::pem,
            {.doc = "The certificates themselves, PEM.", .max_length = 65536, .rules = kPemRules}),
        Field("configMapRef", &VaultAuthority::config_map_ref,
              {.doc = "A key of a ConfigMap in the connection's namespace that holds them.",
               .example = "{name: vault-ca, key: ca.crt}"}),
        Field("secretRef", &VaultAuthority::secret_ref,
              {.doc = "A key of a Secret in the connection's namespace that holds them."}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "[has(self.pem), has(self.configMapRef), has(self.secretRef)].filter(x, "
                    "x).size() == 1",
      .message = "ca needs exactly one of pem, configMapRef and secretRef"}};
};

/// How much one connection asks of Vault.
struct VaultLimits {
  std::int64_t qps = 20;
  std::int64_t burst = 40;

  bool operator==(const VaultLimits&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("qps", &VaultLimits::qps,
              {.doc = "Requests a second, in the long run.", .minimum = 1, .maximum = 1000}),
        Field(
            "burst", &VaultLimits::burst,
            {.doc = "Requests at once, before that limit holds.", .minimum = 1, .maximum = 10000}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "self.burst >= self.qps",
      .message = "burst is below qps, which could then never be reached: write a burst of at least "
                 "qps, such as twice as much",
      .field_path = ".burst"}};
};

inline constexpr std::array kVaultAddressRules = {
    codec::Rule{.expression = "self.startsWith('https://')",
                .message_expression =
                    "'address \"' + self + '\" must begin with https://, because secrets come back "
                    "from it: write https://' + (self.contains('://') ? "
                    "self.substring(self.indexOf('://') + 3) : self)"},
    codec::Rule{.expression =
                    "!self.startsWith('https://') || self.matches('^https://"
                    "([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?"
                    "/?$')",
                .message_expression =
                    "'address \"' + self + '\" must be scheme, host and port alone: write "
                    "https://vault.vault:8200, without /v1 and without a user'"},
};

inline constexpr std::array kVaultNamespaceRules = {
    codec::Rule{.expression = "self.matches('^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/?$')",
                .message_expression = "'Vault namespace \"' + self + '\" must be names of letters, "
                                      "digits, - and _ with / between "
                                      "them: write team or team/shop'"}};

inline constexpr std::array kAllowedNamespaceRules = {codec::Rule{
    .expression = "self == '*' || self.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    .message_expression =
        "'namespace \"' + self + '\" must be the name of a namespace, or \"*\" for all of them'"}};

struct VaultConnectionSpec {
  std::string address;
  std::string vault_namespace;
  VaultAuthority ca;
  std::string server_name;
  VaultAuth auth;
  std::vector<std::string> allowed_namespaces;
  VaultLimits limits;

  bool operator==(const VaultConnectionSpec&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("address", &VaultConnectionSpec::address,
              {.doc = "Where Vault is.",
               .required = true,
               .max_length = 512,
               .example = "https://vault.vault:8200",
               .rules = kVaultAddressRules}),
        Field("namespace", &VaultConnectionSpec::vault_namespace,
              {.doc = "Namespace inside Vault, where it has such. Default: the root namespace.",
               .max_length = 256,
               .example = "team/shop",
               .rules = kVaultNamespaceRules}),
        Field("ca", &VaultConnectionSpec::ca,
              {.doc = "Who may vouch for Vault's certificate.", .required = true}),
        Field("serverName", &VaultConnectionSpec::server_name,
              {.doc = "Name that Vault's certificate must carry. Default: the host of the address.",
               .max_length = 253,
               .rules = kHostRules}),
        Field("auth", &VaultConnectionSpec::auth,
              {.doc = "How the operator logs in.", .required = true}),
        Field("allowedNamespaces", &VaultConnectionSpec::allowed_namespaces,
              {.doc = "Namespaces whose policies may use this connection; \"*\" is all of them. "
                      "Default: its own.",
               .max_items = 256,
               .item_max_length = 63,
               .list_type = codec::ListType::kSet,
               .example = "[shop, payments]",
               .item_rules = kAllowedNamespaceRules}),
        Field("limits", &VaultConnectionSpec::limits,
              {.doc = "How much this connection asks of Vault."}),
    };
  }
};

struct VaultConnectionStatus {
  std::int64_t observed_generation = 0;
  std::vector<kube::Condition> conditions;

  bool operator==(const VaultConnectionStatus&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field(
            "observedGeneration", &VaultConnectionStatus::observed_generation,
            {.doc = "The metadata.generation that this status is about; -1: nothing was seen yet.",
             .always = true,
             .minimum = -1,
             .schema_default = false}),
        Field("conditions", &VaultConnectionStatus::conditions,
              {.doc = "What is true of this connection: Ready, Reconciling, Stalled, "
                      "ClockInSync.",
               .max_items = 16,
               .list_type = codec::ListType::kMap,
               .list_key = "type"}),
    };
  }
};

struct VaultConnection {
  kube::ObjectMeta metadata;
  VaultConnectionSpec spec;
  VaultConnectionStatus status;

  bool operator==(const VaultConnection&) const = default;

  /// Whether policies of `namespace_name` may use it.
  [[nodiscard]] bool Allows(std::string_view namespace_name) const;
};

/// Reads a whole object. A status that cannot be read is taken as empty: it is ours, and the next
/// reconcile writes it again.
Result<VaultConnection> DecodeVaultConnection(codec::JsonValue object);

/// The spec as canonical JSON with defaults left out: equal specs give equal text.
std::string EncodeSpec(const VaultConnectionSpec& spec);
/// The status as JSON, the value of "status" in a server-side apply.
std::string EncodeStatus(const VaultConnectionStatus& status);

}  // namespace tracekeeper::api
