#pragma once
// ExportTls: how the sidecar checks the endpoint's certificate, and which one it shows.

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "operator/api/rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

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
               .max_length = 253,
               .rules = kObjectNameRules}),
        Field("key", &KeyReference::key,
              {.doc = "Key in its data.",
               .required = true,
               .max_length = 253,
               .rules = kDataKeyRules}),
    };
  }
};

inline constexpr std::array kPemRules = {
    codec::Rule{.expression = "self.contains('-----BEGIN CERTIFICATE-----')",
                .message =
                    "pem must hold certificates: write the text from -----BEGIN CERTIFICATE----- "
                    "to -----END CERTIFICATE-----, not a path and not base64"},
    codec::Rule{.expression = "!self.contains('PRIVATE KEY-----')",
                .message =
                    "pem holds a private key, which everybody who reads the policy would see: "
                    "replace that key, and write the certificates alone"},
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
        Field(
            "pem", &CertificateAuthority::pem,
            {.doc = "The certificates themselves, PEM.", .max_length = 65536, .rules = kPemRules}),
        Field("configMapRef", &CertificateAuthority::config_map_ref,
              {.doc = "A key of a ConfigMap in the pod's namespace that holds them.",
               .example = "{name: kube-root-ca.crt, key: ca.crt}"}),
        Field("secretRef", &CertificateAuthority::secret_ref,
              {.doc = "A key of a Secret in the pod's namespace that holds them."}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "[has(self.pem), has(self.configMapRef), has(self.secretRef)].filter(x, "
                    "x).size() == 1",
      .message = "ca needs exactly one of pem, configMapRef and secretRef"}};
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
               .max_length = 253,
               .rules = kObjectNameRules}),
    };
  }
};

inline constexpr std::array kHostRules = {
    codec::Rule{.expression = "self.matches('^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$') && "
                              "!self.matches('^[^:]*:[0-9]*$')",
                .message_expression =
                    "'serverName \"' + self + '\" must be a host name or address alone, without "
                    "scheme and port: write otel-collector.observability.svc'"}};

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
               .max_length = 253,
               .rules = kHostRules}),
        Field("insecureSkipVerify", &ExportTls::insecure_skip_verify,
              {.doc = "Accept any certificate. Whoever sits between can then read and change the "
                      "spans, and take the credential: for tests only."}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "!(has(self.insecureSkipVerify) && self.insecureSkipVerify) || (!has(self.ca) "
                    "&& !has(self.serverName))",
      .message = "insecureSkipVerify accepts any certificate, so ca and serverName would never "
                 "be looked at: remove insecureSkipVerify to check the certificate",
      .field_path = ".insecureSkipVerify"}};
};

}  // namespace tracekeeper::api
