#pragma once
// ExportAuth: which credential the sidecar sends with its spans, and how.

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "operator/api/rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class AuthScheme { kBearer, kBasic, kHeader };

consteval auto ValuesOf(AuthScheme) {
  using codec::EnumValue;
  return std::array{
      EnumValue{AuthScheme::kBearer, "Bearer", "the value is a token"},
      EnumValue{AuthScheme::kBasic, "Basic", "the value is user:password"},
      EnumValue{AuthScheme::kHeader, "Header", "the value is sent as it is, in `header`"},
  };
}

inline constexpr std::array kHeaderNameRules = {
    codec::Rule{
        .expression = "self.matches('^[a-z0-9][a-z0-9_.-]*$')",
        .message_expression =
            "'header \"' + self + '\" must be lower-case letters, digits, - _ and .: write ' "
            "+ (self.matches('^[A-Za-z0-9][A-Za-z0-9_.-]*$') ? self.lowerAscii() : "
            "'x-api-key')"},
    codec::Rule{.expression =
                    "!(self in ['host', 'content-type', 'content-length', 'content-encoding', "
                    "'transfer-encoding', 'connection', 'te']) && !self.startsWith('grpc-')",
                .message_expression =
                    "'header ' + self + ' is written by the sidecar itself: choose another'"},
};

/// The members `scheme` and `header` of T: how a value is sent.
template <typename T>
consteval auto SchemeFields() {
  using codec::Field;
  return std::tuple{
      Field("scheme", &T::scheme, {.doc = "How the value is sent."}),
      Field("header", &T::header,
            {.doc = "With scheme Header: the name of the header.",
             .max_length = 128,
             .example = "x-api-key",
             .rules = kHeaderNameRules}),
  };
}

inline constexpr codec::Rule kHeaderNeeded{
    .expression = "self.scheme != 'Header' || has(self.header)",
    .message =
        "scheme Header needs header: the name under which the value is sent, such as header: "
        "x-api-key",
    .field_path = ".header",
    .reason = "FieldValueRequired"};
inline constexpr codec::Rule kHeaderUnused{
    .expression = "self.scheme == 'Header' || !has(self.header)",
    .message_expression =
        "'scheme ' + self.scheme + ' sends the value in authorization: remove "
        "header, or write scheme: Header'",
    .field_path = ".header",
    .reason = "FieldValueForbidden"};

/// A credential from a Secret that somebody else keeps.
struct SecretRef {
  std::string name;
  std::string key;
  AuthScheme scheme = AuthScheme::kBearer;
  std::string header;  // scheme Header: the header's name

  bool operator==(const SecretRef&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple_cat(std::tuple{Field("name", &SecretRef::name,
                                           {.doc = "Name of the Secret, in the pod's namespace.",
                                            .required = true,
                                            .max_length = 253,
                                            .rules = kObjectNameRules}),
                                     Field("key", &SecretRef::key,
                                           {.doc = "Key in its data.",
                                            .required = true,
                                            .max_length = 253,
                                            .rules = kDataKeyRules})},
                          SchemeFields<SecretRef>());
  }

  static constexpr std::array kRules = {kHeaderNeeded, kHeaderUnused};
};

/// One of the two: a credential of the policy with how it is sent, or a Secret that has both.
struct ExportAuth {
  std::string credential;
  std::string key = "token";
  AuthScheme scheme = AuthScheme::kBearer;
  std::string header;
  std::optional<SecretRef> secret_ref;

  bool operator==(const ExportAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple_cat(
        std::tuple{
            Field(
                "credential", &ExportAuth::credential,
                {.doc = "Name of one of the policy's credentials. Its Secret is mounted, and read "
                        "again when it changes.",
                 .max_length = 63,
                 .example = "backend",
                 .rules = kCredentialNameRules}),
            Field("key", &ExportAuth::key,
                  {.doc = "With credential: which key of its Secret is sent.",
                   .max_length = 128,
                   .rules = kShownKeyRules})},
        SchemeFields<ExportAuth>(),
        std::tuple{Field("secretRef", &ExportAuth::secret_ref,
                         {.doc = "A key of a Secret in the pod's namespace that somebody else "
                                 "keeps. It is mounted, read again when it changes, and never "
                                 "copied."})});
  }

  static constexpr std::array kRules = {
      codec::Rule{.expression = "has(self.credential) || has(self.secretRef)",
                  .message = "auth says nothing: write credential: with the name of one in "
                             "credentials, or secretRef: {name: ..., key: ...}, or remove auth",
                  .field_path = ".credential",
                  .reason = "FieldValueRequired"},
      codec::Rule{.expression = "!has(self.credential) || !has(self.secretRef)",
                  .message =
                      "auth takes one value, from credential or from secretRef: remove one of "
                      "them",
                  .field_path = ".secretRef",
                  .reason = "FieldValueForbidden"},
      codec::Rule{.expression = "!has(self.secretRef) || has(self.credential) || (self.key == "
                                "'token' && self.scheme == 'Bearer' && !has(self.header))",
                  .message =
                      "key, scheme and header beside secretRef would not be looked at: write "
                      "them inside of secretRef",
                  .field_path = ".secretRef"},
      kHeaderNeeded,
      kHeaderUnused,
  };
};

}  // namespace tracekeeper::api
