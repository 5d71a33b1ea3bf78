#pragma once
// Export: where the sidecar sends spans, and how it proves who it is.

#include <optional>
#include <string>
#include <tuple>

#include "operator/api/export_auth.h"
#include "operator/api/export_tls.h"
#include "operator/api/rules.h"
#include "src/codec/fields.h"
#include "src/kube/meta.h"

namespace tracekeeper::api {

enum class ExportProtocol { kGrpc, kHttpProtobuf };
enum class Compression { kGzip, kZstd, kNone };

consteval auto ValuesOf(ExportProtocol) {
  using codec::EnumValue;
  return std::array{
      EnumValue{ExportProtocol::kGrpc, "grpc", "OTLP over gRPC, usually on port 4317"},
      EnumValue{ExportProtocol::kHttpProtobuf, "http/protobuf",
                "OTLP over HTTP with protobuf bodies, usually on port 4318"},
  };
}

consteval auto ValuesOf(Compression) {
  using codec::EnumValue;
  return std::array{
      EnumValue{Compression::kGzip, "gzip", ""},
      EnumValue{Compression::kZstd, "zstd", ""},
      EnumValue{Compression::kNone, "none", ""},
  };
}

inline constexpr std::array kEndpointRules = {
    codec::Rule{.expression = "self.matches('^https?://')",
                .message_expression =
                    "'endpoint \"' + self + '\" must begin with https:// (TLS) or http:// (plain "
                    "text): write https://' + (self.contains('://') ? "
                    "self.substring(self.indexOf('://') + 3) : self)"},
    codec::Rule{
        .expression = "!self.matches('^https?://') || "
                      "self.matches('^https?://"
                      "([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})"
                      "?(/[A-Za-z0-9._~%+/-]*)?$')",
        .message_expression =
            "self.contains('@') ? 'endpoint must not carry a user or password, which "
            "everybody who reads the policy would see: put them into a Secret and name it "
            "in auth.secretRef' : 'endpoint \"' + self + '\" must be scheme, host, port and "
            "path, without spaces, query and fragment: write "
            "https://otel-collector.observability:4317'"},
    codec::Rule{.expression =
                    "!self.matches('^https?://[^/]*:[0-9]{1,5}(/.*)?$') || !isURL(self) || "
                    "(int(url(self).getPort()) >= 1 && int(url(self).getPort()) <= 65535)",
                .message_expression =
                    "'endpoint \"' + self + '\" has a port that is not between 1 and 65535: write "
                    "4317 for grpc, 4318 for http/protobuf'"},
};

// A map's keys have no length bound, so no sentence can be made of them.
inline constexpr std::array kHeadersRules = {
    codec::Rule{.expression = "self.all(k, k.size() <= 128 && k.matches('^[a-z0-9][a-z0-9_.-]*$'))",
                .message =
                    "header names must be at most 128 lower-case letters, digits, - _ and .: write "
                    "x-scope-orgid"},
    codec::Rule{
        .expression = "!self.exists(k, k in ['authorization', 'proxy-authorization', 'cookie'])",
        .message = "credentials in headers could be read by everybody who reads the policy: put "
                   "the value into a Secret and name it in auth.secretRef",
        .reason = "FieldValueForbidden"},
    codec::Rule{.expression = "!self.exists(k, k in ['host', 'content-type', 'content-length', "
                              "'content-encoding', 'transfer-encoding', 'connection', 'te'] || "
                              "k.startsWith('grpc-'))",
                .message =
                    "host, content-*, transfer-encoding, connection, te and grpc-* are written by "
                    "the sidecar itself: remove them",
                .reason = "FieldValueForbidden"},
};

inline constexpr std::array kHeaderValueRules = {codec::Rule{
    .expression = "self.matches('^[!-~]([ -~]*[!-~])?$')",
    .message = "header values must be printable ASCII, not empty and without spaces at their "
               "ends"}};

struct Export {
  std::string endpoint;
  ExportProtocol protocol = ExportProtocol::kGrpc;
  Compression compression = Compression::kGzip;
  std::optional<ExportTls> tls;
  kube::StringMap headers;
  std::optional<ExportAuth> auth;

  bool operator==(const Export&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("endpoint", &Export::endpoint,
              {.doc = "Where spans go: https:// for TLS, http:// for plain text.",
               .required = true,
               .max_length = 512,
               .example = "https://otel-collector.observability:4317",
               .rules = kEndpointRules}),
        Field("protocol", &Export::protocol, {.doc = "Which form of OTLP the endpoint speaks."}),
        Field("compression", &Export::compression, {.doc = "How bodies are compressed."}),
        Field("tls", &Export::tls, {.doc = "TLS towards an https:// endpoint."}),
        Field("headers", &Export::headers,
              {.doc = "Headers that each request carries, such as a tenant. They are readable by "
                      "whoever may read the policy: credentials belong in `auth`.",
               .max_properties = 32,
               .item_max_length = 1024,
               .example = "{x-scope-orgid: shop}",
               .rules = kHeadersRules,
               .item_rules = kHeaderValueRules}),
        Field("auth", &Export::auth, {.doc = "How the sidecar proves who it is."}),
    };
  }

  static constexpr std::array kRules = {
      codec::Rule{
          .expression = "self.protocol != 'grpc' || !self.endpoint.matches('^https?://[^/]+/.')",
          .message = "protocol grpc takes no path: write scheme, host and port alone, or protocol: "
                     "http/protobuf",
          .field_path = ".endpoint"},
      codec::Rule{
          .expression =
              "self.protocol != 'grpc' || !self.endpoint.matches('^https?://[^/]*:4318/?$')",
          .message = "port 4318 is OTLP over HTTP, and protocol is grpc: write port 4317, or "
                     "protocol: http/protobuf",
          .field_path = ".endpoint"},
      codec::Rule{
          .expression = "self.protocol != 'http/protobuf' || "
                        "!self.endpoint.matches('^https?://[^/]*:4317(/.*)?$')",
          .message = "port 4317 is OTLP over gRPC, and protocol is http/protobuf: write port 4318, "
                     "or protocol: grpc",
          .field_path = ".endpoint"},
      codec::Rule{.expression = "self.protocol != 'http/protobuf' || "
                                "!self.endpoint.matches('/v1/(traces|metrics|logs)/?$')",
                  .message = "the sidecar appends /v1/traces itself: write the endpoint without it",
                  .field_path = ".endpoint"},
      codec::Rule{.expression = "!has(self.tls) || !self.endpoint.startsWith('http://')",
                  .message =
                      "tls is for an https:// endpoint, and this one is http://, plain text: write "
                      "https://, or remove tls",
                  .field_path = ".tls",
                  .reason = "FieldValueForbidden"},
      codec::Rule{.expression =
                      "!has(self.headers) || !has(self.auth) || !has(self.auth.secretRef) || "
                      "!has(self.auth.secretRef.header) || !(self.auth.secretRef.header in "
                      "self.headers)",
                  .message_expression =
                      "'header ' + self.auth.secretRef.header + ' stands in headers and in auth: "
                      "remove it from headers'",
                  .field_path = ".headers"},
      codec::Rule{.expression =
                      "!has(self.headers) || !has(self.auth) || !has(self.auth.header) || "
                      "!(self.auth.header in self.headers)",
                  .message_expression = "'header ' + self.auth.header + ' stands in headers and in "
                                        "auth: remove it from headers'",
                  .field_path = ".headers"},
  };
};

}  // namespace tracekeeper::api
