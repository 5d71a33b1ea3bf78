#pragma once
// CredentialSource: where a credential comes from in Vault, and what each engine needs for it.

#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
#include "operator/api/vault_rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class VaultEngine { kKv2, kDatabase, kPki, kTransit };

consteval auto ValuesOf(VaultEngine) {
  using codec::EnumValue;
  return std::array{
      EnumValue{VaultEngine::kKv2, "kv-v2", "a secret of the KV engine, version 2, at `path`"},
      EnumValue{VaultEngine::kDatabase, "database",
                "a user of a database that Vault makes for `role`, and that ends with its lease"},
      EnumValue{VaultEngine::kPki, "pki",
                "a certificate with its key that Vault issues for `role`"},
      EnumValue{VaultEngine::kTransit, "transit",
                "the public keys of the transit key `path`; the private ones stay in Vault"},
  };
}

inline constexpr std::array kConnectionNameRules = {codec::Rule{
    .expression = "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    .message_expression =
        "'name \"' + self + '\" must be lower-case letters, digits, - and .: it names a "
        "VaultConnection, whose namespace goes into namespace'"}};

inline constexpr std::array kConnectionNamespaceRules = {codec::Rule{
    .expression = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    .message_expression = "'namespace \"' + self + '\" must be the name of a namespace: "
                          "write vault, or remove it for the namespace of the policy'"}};

struct ConnectionReference {
  std::string name;
  std::string namespace_name;  // empty: the policy's

  bool operator==(const ConnectionReference&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("name", &ConnectionReference::name,
              {.doc = "Name of the VaultConnection.",
               .required = true,
               .max_length = 253,
               .example = "vault",
               .rules = kConnectionNameRules}),
        Field("namespace", &ConnectionReference::namespace_name,
              {.doc = "Its namespace, which must allow this one in allowedNamespaces. Default: the "
                      "policy's.",
               .max_length = 63,
               .rules = kConnectionNamespaceRules}),
    };
  }
};

/// Where a credential comes from.
struct CredentialSource {
  ConnectionReference connection_ref;
  VaultEngine engine = VaultEngine::kKv2;
  std::string mount;  // empty: the engine's usual one
  std::string path;
  std::string role;
  std::vector<std::string> keys;
  std::string common_name;
  std::vector<std::string> alternative_names;

  bool operator==(const CredentialSource&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    using Self = CredentialSource;
    return std::tuple{
        Field("connectionRef", &Self::connection_ref,
              {.doc = "The VaultConnection to ask through.",
               .required = true,
               .example = "{name: vault}"}),
        Field("engine", &Self::engine, {.doc = "Which engine of Vault it comes from."}),
        Field("mount", &Self::mount,
              {.doc = "Where the engine is mounted. Default: secret for kv-v2, else the engine's "
                      "name.",
               .max_length = 256,
               .rules = kEngineMountRules}),
        Field("path", &Self::path,
              {.doc = "kv-v2: path of the secret below its mount, without data/. transit: name of "
                      "the key.",
               .max_length = 512,
               .example = "shop/checkout",
               .rules = kVaultPathRules}),
        Field("role", &Self::role,
              {.doc = "database, pki: the role that Vault makes it for.",
               .max_length = 256,
               .rules = kVaultRoleRules}),
        Field("keys", &Self::keys,
              {.doc = "kv-v2: which keys of the secret are shown. Default: all.",
               .max_items = 32,
               .item_max_length = 128,
               .list_type = codec::ListType::kSet,
               .item_rules = kShownKeyRules}),
        Field("commonName", &Self::common_name,
              {.doc = "pki: the name that the certificate is for.",
               .max_length = 253,
               .example = "checkout.shop.svc",
               .rules = kCertificateNameRules}),
        Field("altNames", &Self::alternative_names,
              {.doc = "pki: more DNS names that it is for.",
               .max_items = 32,
               .item_max_length = 253,
               .list_type = codec::ListType::kSet,
               .item_rules = kCertificateNameRules}),
    };
  }

  static constexpr std::array kRules = {
      codec::Rule{.expression = "!(self.engine in ['kv-v2', 'transit']) || has(self.path)",
                  .message_expression =
                      "'engine ' + self.engine + ' needs path: ' + (self.engine == 'transit' ? "
                      "'the name of the key, such as path: checkout' : 'where the secret is below "
                      "its mount, such as path: shop/checkout')",
                  .field_path = ".path",
                  .reason = "FieldValueRequired"},
      codec::Rule{.expression = "self.engine in ['kv-v2', 'transit'] || !has(self.path)",
                  .message_expression =
                      "'engine ' + self.engine + ' has no path: it makes what role says; remove "
                      "path, or write engine: kv-v2'",
                  .field_path = ".path",
                  .reason = "FieldValueForbidden"},
      codec::Rule{
          .expression = "self.engine != 'transit' || !has(self.path) || !self.path.contains('/')",
          .message_expression =
              "'path \"' + self.path + '\" must be the name of a key alone, and where the engine "
              "is stands in mount: write mount: team/transit and path: checkout'",
          .field_path = ".path"},
      codec::Rule{.expression = "!(self.engine in ['database', 'pki']) || has(self.role)",
                  .message_expression =
                      "'engine ' + self.engine + ' needs role: the role that Vault "
                      "makes it for, such as role: checkout'",
                  .field_path = ".role",
                  .reason = "FieldValueRequired"},
      codec::Rule{.expression = "self.engine in ['database', 'pki'] || !has(self.role)",
                  .message_expression =
                      "'engine ' + self.engine + ' has no roles: remove role; the one that logs in "
                      "belongs to the VaultConnection'",
                  .field_path = ".role",
                  .reason = "FieldValueForbidden"},
      codec::Rule{.expression = "self.engine == 'kv-v2' || !has(self.keys)",
                  .message_expression = "'engine ' + self.engine + ' has the keys that it has: "
                                        "remove keys, or write engine: kv-v2'",
                  .field_path = ".keys",
                  .reason = "FieldValueForbidden"},
      codec::Rule{.expression = "self.engine != 'pki' || has(self.commonName)",
                  .message = "engine pki needs commonName: the name that the certificate is for, "
                             "such as commonName: checkout.shop.svc",
                  .field_path = ".commonName",
                  .reason = "FieldValueRequired"},
      codec::Rule{
          .expression = "self.engine == 'pki' || (!has(self.commonName) && !has(self.altNames))",
          .message_expression = "'engine ' + self.engine + ' issues no certificate: remove "
                                "commonName and altNames, or write engine: pki'",
          .reason = "FieldValueForbidden"},
  };
};

}  // namespace tracekeeper::api
