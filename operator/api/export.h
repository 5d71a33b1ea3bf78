#pragma once
// Export and Sampling: where the sidecar sends spans, how it proves who it is, and how many it
// sends.

#include <optional>
#include <string>
#include <tuple>

#include "operator/api/scalars.h"
#include "src/codec/fields.h"
#include "src/kube/meta.h"

namespace tracekeeper::api {

enum class ExportProtocol { kGrpc, kHttpProtobuf };
enum class Compression { kGzip, kZstd, kNone };
enum class AuthScheme { kBearer, kBasic, kHeader };

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

consteval auto ValuesOf(AuthScheme) {
  using codec::EnumValue;
  return std::array{
      EnumValue{AuthScheme::kBearer, "Bearer", "the value is a token"},
      EnumValue{AuthScheme::kBasic, "Basic", "the value is user:password"},
      EnumValue{AuthScheme::kHeader, "Header", "the value is sent as it is, in `header`"},
  };
}

/// One key of a Secret or ConfigMap in the pod's namespace.
struct KeyReference {
  std::string name;
  std::string key;

  bool operator==(const KeyReference&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("name", &KeyReference::name,
              {.doc = "Name of the object, in the pod's namespace.",
               .required = true,
               .min_length = 1,
               .max_length = 253}),
        Field("key", &KeyReference::key,
              {.doc = "Key in its data.", .required = true, .min_length = 1, .max_length = 253}),
    };
  }
};

/// Certificates that the endpoint's own certificate is checked against. One of the three.
struct CertificateAuthority {
  std::string pem;
  std::optional<KeyReference> config_map_ref;
  std::optional<KeyReference> secret_ref;

  bool operator==(const CertificateAuthority&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("pem", &CertificateAuthority::pem,
              {.doc = "The certificates themselves, PEM.", .max_length = 65536}),
        Field("configMapRef", &CertificateAuthority::config_map_ref,
              {.doc = "A key of a ConfigMap in the pod's namespace that holds them.",
               .example = "{name: kube-root-ca.crt, key: ca.crt}"}),
        Field("secretRef", &CertificateAuthority::secret_ref,
              {.doc = "A key of a Secret in the pod's namespace that holds them."}),
    };
  }
};

/// A Secret of type kubernetes.io/tls in the pod's namespace.
struct ClientCertificate {
  std::string secret_name;

  bool operator==(const ClientCertificate&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("secretName", &ClientCertificate::secret_name,
              {.doc = "Secret of type kubernetes.io/tls, in the pod's namespace.",
               .required = true,
               .min_length = 1,
               .max_length = 253}),
    };
  }
};

struct ExportTls {
  std::optional<CertificateAuthority> ca;  // absent: the system's certificates
  std::optional<ClientCertificate> client_certificate;
  std::string server_name;
  bool insecure_skip_verify = false;

  bool operator==(const ExportTls&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("ca", &ExportTls::ca,
              {.doc = "Who may vouch for the endpoint. Default: the certificate authorities of "
                      "the sidecar's image."}),
        Field("clientCertificate", &ExportTls::client_certificate,
              {.doc = "Certificate that the sidecar shows (mutual TLS)."}),
        Field("serverName", &ExportTls::server_name,
              {.doc = "Name that the endpoint's certificate must carry. Default: the endpoint's "
                      "host.",
               .max_length = 253}),
        Field("insecureSkipVerify", &ExportTls::insecure_skip_verify,
              {.doc = "Accept any certificate. Whoever sits between can then read and change the "
                      "spans, and take the credential: for tests only."}),
    };
  }
};

/// A credential from a Secret that somebody else keeps.
struct SecretRef {
  std::string name;
  std::string key;
  AuthScheme scheme = AuthScheme::kBearer;
  std::string header;  // scheme Header: the header's name

  bool operator==(const SecretRef&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("name", &SecretRef::name,
              {.doc = "Name of the Secret, in the pod's namespace.",
               .required = true,
               .min_length = 1,
               .max_length = 253}),
        Field("key", &SecretRef::key,
              {.doc = "Key in its data.", .required = true, .min_length = 1, .max_length = 253}),
        Field("scheme", &SecretRef::scheme, {.doc = "How the value is sent."}),
        Field("header", &SecretRef::header,
              {.doc = "With scheme Header: the name of the header.",
               .max_length = 128,
               .example = "x-api-key"}),
    };
  }
};

struct ExportAuth {
  std::optional<SecretRef> secret_ref;

  bool operator==(const ExportAuth&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("secretRef", &ExportAuth::secret_ref,
              {.doc = "A key of a Secret in the pod's namespace. It is mounted, read again when "
                      "it changes, and never copied."}),
    };
  }
};

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
               .example = "https://otel-collector.observability:4317"}),
        Field("protocol", &Export::protocol, {.doc = "Which form of OTLP the endpoint speaks."}),
        Field("compression", &Export::compression, {.doc = "How bodies are compressed."}),
        Field("tls", &Export::tls, {.doc = "TLS towards an https:// endpoint."}),
        Field("headers", &Export::headers,
              {.doc = "Headers that each request carries, such as a tenant. They are readable by "
                      "whoever may read the policy: credentials belong in `auth`.",
               .max_properties = 32,
               .item_max_length = 1024,
               .example = "{x-scope-orgid: shop}"}),
        Field("auth", &Export::auth, {.doc = "How the sidecar proves who it is."}),
    };
  }
};

struct HeadSampling {
  Ratio ratio;

  bool operator==(const HeadSampling&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("ratio", &HeadSampling::ratio,
              {.doc = "Share of new traces that the application records.",
               .required = true,
               .example = "\"0.25\""}),
    };
  }
};

struct SidecarSampling {
  Ratio ratio;

  bool operator==(const SidecarSampling&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("ratio", &SidecarSampling::ratio,
              {.doc = "Share of recorded traces that the sidecar exports.",
               .required = true,
               .example = "\"0.25\""}),
    };
  }
};

/// Consistent sampling, keyed by trace id: all hops of a trace decide alike.
struct Sampling {
  std::optional<HeadSampling> head;
  std::optional<SidecarSampling> sidecar;

  bool operator==(const Sampling&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("head", &Sampling::head, {.doc = "Decided where a trace begins."}),
        Field("sidecar", &Sampling::sidecar, {.doc = "Decided in the sidecar, before export."}),
    };
  }
};

}  // namespace tracekeeper::api
