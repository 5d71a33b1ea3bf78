#pragma once
// CredentialTarget: the Secret that shows a credential beside its policy, and what verifiers get.

#include <array>
#include <map>
#include <string>
#include <tuple>

#include "operator/api/rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

inline constexpr std::array kSecretTypeRules = {
    codec::Rule{.expression = "self.matches('^[A-Za-z0-9]([A-Za-z0-9./_-]*[A-Za-z0-9])?$')",
                .message_expression = "'type \"' + self + '\" must be the type of a Secret: write "
                                      "Opaque, kubernetes.io/tls or example.com/token'"},
    codec::Rule{.expression = "!(self in ['kubernetes.io/service-account-token', "
                              "'bootstrap.kubernetes.io/token'])",
                .message_expression = "'type ' + self + ' is one that Kubernetes acts upon, and a "
                                      "rotated value must not become a login to it: write Opaque'",
                .reason = "FieldValueForbidden"},
};

inline constexpr std::array kTargetNameRules = {
    kObjectNameRules[0],
    codec::Rule{.expression = "!self.startsWith('tracekeeper.')",
                .message_expression = "'name ' + self + ' is one of those under which the operator "
                                      "keeps its journals: write ' + (self.size() > 12 ? "
                                      "self.substring(12) : 'checkout-db')",
                .reason = "FieldValueForbidden"},
};

// A map's keys have no length bound, so no sentence can be made of them.
inline constexpr std::array kTemplateKeysRules = {
    codec::Rule{.expression = "self.all(k, k.size() <= 253 && "
                              "k.matches('^([-_A-Za-z0-9]|[.][-_A-Za-z0-9])[-._A-Za-z0-9]*$'))",
                .message = "keys of a template must be at most 253 letters, digits, - _ and ., not "
                           "beginning with ..: each names one entry of the Secret, such as url"},
    codec::Rule{.expression = "!self.exists(k, k.endsWith('.previous') || k.endsWith('.next') || "
                              "k.startsWith('tracekeeper.'))",
                .message = "keys that end with .previous or .next, or begin with tracekeeper., are "
                           "written by the operator itself: choose another, such as previous-url",
                .reason = "FieldValueForbidden"},
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
               .rules = kTargetNameRules}),
        Field("type", &Self::type,
              {.doc = "Type of the Secret.", .max_length = 128, .rules = kSecretTypeRules}),
        Field("template", &Self::template_text,
              {.doc = "More keys, made of the others: {{ password }}, {{ previous.password }}, "
                      "{{ password | base64 }}.",
               .max_properties = 16,
               .item_max_length = 4096,
               .example = "{url: \"postgres://{{ username }}:{{ password | urlencode }}@db/shop\"}",
               .rules = kTemplateKeysRules}),
        Field("publicKeys", &Self::public_keys,
              {.doc = "Name of a ConfigMap that shows what verifiers need of all versions in use: "
                      "jwks.json for keys, ca.crt for certificates. Default: none.",
               .max_length = 253,
               .rules = kObjectNameRules}),
    };
  }
};

}  // namespace tracekeeper::api
