#pragma once
// Credential: one secret that a policy rotates. Where it comes from in Vault, how often it is
// replaced, the Secret that shows it, and who must follow. Credentials belong to policies of one
// namespace: the Secret is written beside the policy.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
#include "src/base/clock.h"
#include "src/codec/duration.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class VaultEngine { kKv2, kDatabase, kPki, kTransit };
enum class GeneratorType { kNone, kPassword, kRsa, kEcdsa, kEd25519 };
enum class ConsumerReload { kSidecar, kRestart, kNone };

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

consteval auto ValuesOf(GeneratorType) {
  using codec::EnumValue;
  return std::array{
      EnumValue{GeneratorType::kNone, "none",
                "somebody else writes the secret; each new version of it is rolled out"},
      EnumValue{GeneratorType::kPassword, "password", "random letters and digits"},
      EnumValue{GeneratorType::kRsa, "rsa", "an RSA key, PKCS#8 in PEM"},
      EnumValue{GeneratorType::kEcdsa, "ecdsa", "a key on the curve P-256, PKCS#8 in PEM"},
      EnumValue{GeneratorType::kEd25519, "ed25519", "an Ed25519 key, PKCS#8 in PEM"},
  };
}

consteval auto ValuesOf(ConsumerReload) {
  using codec::EnumValue;
  return std::array{
      EnumValue{ConsumerReload::kSidecar, "Sidecar",
                "the sidecars take it from the mounted Secret and report the version they use; "
                "for the credential that export.auth names"},
      EnumValue{ConsumerReload::kRestart, "Restart",
                "the workloads of the policy's pods are restarted, once for each version"},
      EnumValue{ConsumerReload::kNone, "None",
                "consumers follow by themselves; the overlap alone is waited for"},
  };
}

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
               .rules = kObjectNameRules}),
        Field("namespace", &ConnectionReference::namespace_name,
              {.doc = "Its namespace, which must allow this one in allowedNamespaces. Default: the "
                      "policy's.",
               .max_length = 63,
               .rules = kObjectNameRules}),
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
               .max_length = 256}),
        Field("path", &Self::path,
              {.doc = "kv-v2: path of the secret below its mount, without data/. transit: name of "
                      "the key.",
               .max_length = 512,
               .example = "shop/checkout"}),
        Field("role", &Self::role,
              {.doc = "database, pki: the role that Vault makes it for.", .max_length = 256}),
        Field("keys", &Self::keys,
              {.doc = "kv-v2: which keys of the secret are shown. Default: all.",
               .max_items = 32,
               .item_max_length = 128,
               .list_type = codec::ListType::kSet}),
        Field("commonName", &Self::common_name,
              {.doc = "pki: the name that the certificate is for.",
               .max_length = 253,
               .example = "checkout.shop.svc"}),
        Field("altNames", &Self::alternative_names,
              {.doc = "pki: more DNS names that it is for.",
               .max_items = 32,
               .item_max_length = 253,
               .list_type = codec::ListType::kSet}),
    };
  }
};

/// What the operator makes and writes to KV.
struct Generator {
  GeneratorType type = GeneratorType::kNone;
  std::string key;           // empty: "password", or "private-key.pem"
  std::int64_t length = 32;  // of a password
  std::int64_t bits = 2048;  // of an RSA key

  bool operator==(const Generator&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("type", &Generator::type, {.doc = "What is made."}),
        Field("key", &Generator::key,
              {.doc = "Key of the secret that it is written to; the others are kept. Default: "
                      "password, or private-key.pem for keys.",
               .max_length = 128}),
        Field("length", &Generator::length,
              {.doc = "Of a password: how many characters.", .minimum = 16, .maximum = 256}),
        Field("bits", &Generator::bits,
              {.doc = "Of an RSA key: how many bits, 2048, 3072 or 4096.",
               .minimum = 2048,
               .maximum = 4096}),
    };
  }
};

struct CredentialRotation {
  Duration every = std::chrono::hours(72);
  Generator generate;
  Duration overlap = std::chrono::hours(1);
  Duration activate_after{};
  Duration linger{};

  bool operator==(const CredentialRotation&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    using Self = CredentialRotation;
    return std::tuple{
        Field("every", &Self::every,
              {.doc = "How often a new one replaces it: up to a tenth earlier than that, never "
                      "later."}),
        Field("generate", &Self::generate, {.doc = "kv-v2: what is made for each rotation."}),
        Field("overlap", &Self::overlap,
              {.doc = "How long the previous one stays valid beside the new one, at least."}),
        Field("activateAfter", &Self::activate_after,
              {.doc = "How long the next one is shown before it is used: what verifiers cache."}),
        Field("linger", &Self::linger,
              {.doc = "How long what was signed with the previous one is still presented after the "
                      "last consumer left it: the longest life of a token."}),
    };
  }
};

/// The Secret that shows it, beside the policy.
struct CredentialTarget {
  std::string name;
  std::string type = "Opaque";
  std::map<std::string, std::string> template_text;  // data key -> template
  std::string public_keys;                           // ConfigMap for JWKS, or the CA bundle

  bool operator==(const CredentialTarget&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    using Self = CredentialTarget;
    return std::tuple{
        Field("name", &Self::name,
              {.doc = "Name of the Secret. It holds each key as KEY, KEY.previous and KEY.next.",
               .required = true,
               .max_length = 253,
               .rules = kObjectNameRules}),
        Field("type", &Self::type, {.doc = "Type of the Secret.", .max_length = 128}),
        Field(
            "template", &Self::template_text,
            {.doc = "More keys, made of the others: {{ password }}, {{ previous.password }}, "
                    "{{ password | base64 }}.",
             .max_properties = 16,
             .item_max_length = 4096,
             .example = "{url: \"postgres://{{ username }}:{{ password | urlencode }}@db/shop\"}"}),
        Field("publicKeys", &Self::public_keys,
              {.doc = "Name of a ConfigMap that shows what verifiers need of all versions in use: "
                      "jwks.json for keys, ca.crt for certificates. Default: none.",
               .max_length = 253,
               .rules = kObjectNameRules}),
    };
  }
};

struct CredentialConsumers {
  ConsumerReload reload = ConsumerReload::kSidecar;

  bool operator==(const CredentialConsumers&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("reload", &CredentialConsumers::reload, {.doc = "How consumers come to use it."}),
    };
  }
};

struct Credential {
  std::string name;
  CredentialSource vault;
  CredentialRotation rotation;
  CredentialTarget secret;
  CredentialConsumers consumers;

  bool operator==(const Credential&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("name", &Credential::name,
              {.doc = "Name of the credential in this policy.",
               .required = true,
               .max_length = 63,
               .example = "backend"}),
        Field("vault", &Credential::vault, {.doc = "Where it comes from.", .required = true}),
        Field("rotation", &Credential::rotation, {.doc = "When and how it is replaced."}),
        Field("secret", &Credential::secret, {.doc = "Where it is shown.", .required = true}),
        Field("consumers", &Credential::consumers, {.doc = "Who must follow a new one."}),
    };
  }
};

}  // namespace tracekeeper::api
