#pragma once
// Credential: one secret that a policy rotates. Where it comes from in Vault, how often it is
// replaced, the Secret that shows it, and who must follow. Credentials belong to policies of one
// namespace: the Secret is written beside the policy.

#include <array>
#include <string>
#include <tuple>

#include "operator/api/credential_rotation.h"
#include "operator/api/credential_source.h"
#include "operator/api/credential_target.h"
#include "operator/api/rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class ConsumerReload { kSidecar, kRestart, kNone };

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
               .example = "backend",
               .rules = kCredentialNameRules}),
        Field("vault", &Credential::vault, {.doc = "Where it comes from.", .required = true}),
        Field("rotation", &Credential::rotation, {.doc = "When and how it is replaced."}),
        Field("secret", &Credential::secret, {.doc = "Where it is shown.", .required = true}),
        Field("consumers", &Credential::consumers, {.doc = "Who must follow a new one."}),
    };
  }

  static constexpr std::array kRules = {
      codec::Rule{.expression =
                      "self.vault.engine == 'kv-v2' || !has(self.rotation) || "
                      "!has(self.rotation.generate) || self.rotation.generate.type == 'none'",
                  .message_expression =
                      "'engine ' + self.vault.engine + ' makes its values itself: remove generate'",
                  .field_path = ".rotation.generate",
                  .reason = "FieldValueForbidden"},
      codec::Rule{
          .expression =
              "!has(self.vault.keys) || !has(self.rotation) || !has(self.rotation.generate) || "
              "self.rotation.generate.type == 'none' || (has(self.rotation.generate.key) ? "
              "self.rotation.generate.key : self.rotation.generate.type == 'password' ? 'password' "
              ": 'private-key.pem') in self.vault.keys",
          .message_expression =
              "'keys leaves out what is generated, so nobody would see it: add ' + "
              "(has(self.rotation.generate.key) ? self.rotation.generate.key : "
              "self.rotation.generate.type == 'password' ? 'password' : 'private-key.pem')",
          .field_path = ".vault.keys"},
      codec::Rule{
          .expression =
              "!has(self.secret.publicKeys) || self.vault.engine in ['transit', 'pki'] || "
              "(has(self.rotation) && has(self.rotation.generate) && self.rotation.generate.type "
              "in "
              "['rsa', 'ecdsa', 'ed25519'])",
          .message =
              "publicKeys needs keys that are known to be public: those of engine transit or "
              "pki, or generated ones of type rsa, ecdsa or ed25519; remove publicKeys",
          .field_path = ".secret.publicKeys",
          .reason = "FieldValueForbidden"},
  };
};

}  // namespace tracekeeper::api
