#pragma once
// SidecarConfig is the document that the operator writes into a policy's ConfigMap (key
// kSidecarConfigKey) and every sidecar of that policy reads, now and again when it changes.
//
// The text is YAML, canonical: equal configurations give equal bytes. Its first line is the digest
// of all that follows, computed by whoever may compute digests (src/crypto/digest.h):
//
//   const std::string body = EncodeSidecarConfig(config);
//   const std::string text = WithDigest("sha256:" + Sha256Hex(body), body);
//
// Evolution: a field is added without a new version: an older sidecar reports it and goes on.
//            kSidecarConfigVersion moves only when an old sidecar would do the wrong thing.
// Threads:   values and pure functions.
// Failure:   DecodeSidecarConfig refuses with one sentence that names the field, what stands there
//            and what may stand there. The sidecar then keeps its last good configuration.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/duration.h"
#include "src/codec/fields.h"

namespace tracekeeper::config {

/// The key of the ConfigMap and so the name of the mounted file.
inline constexpr std::string_view kSidecarConfigKey = "config.yaml";
/// Where injection mounts the ConfigMap, and where the sidecar looks unless told otherwise.
inline constexpr std::string_view kSidecarConfigFile = "/etc/tracekeeper/config/config.yaml";
/// Probes (/healthz, /readyz), /status and /metrics of the sidecar unless told otherwise.
inline constexpr std::uint16_t kSidecarStatusPort = 9465;
/// The newest version of the document that this build writes and reads.
inline constexpr std::int64_t kSidecarConfigVersion = 1;
/// A longer document is refused before it is parsed.
inline constexpr std::size_t kSidecarConfigMaxBytes = 256U << 10U;

enum class Verbosity { kDebug, kInfo, kWarn, kError };
enum class Propagator { kTracecontext, kBaggage, kB3, kB3Multi, kJaeger, kXray, kDatadog };
enum class EgressMode { kNone, kForwardProxy, kRedirect };
enum class IngressMode { kNone, kReverseProxy, kRedirect };
enum class Heal { kOff, kUnambiguous };
enum class ExportProtocol { kGrpc, kHttpProtobuf };
enum class Compression { kNone, kGzip, kZstd };
enum class AuthScheme { kBearer, kBasic, kHeader };

/// Which policy this configuration was made of.
struct PolicyName {
  std::string namespace_name;
  std::string name;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("namespace", &PolicyName::namespace_name, {.required = true}),
        codec::Field("name", &PolicyName::name, {.required = true}),
    };
  }
  bool operator==(const PolicyName&) const = default;
};

struct Egress {
  EgressMode mode = EgressMode::kNone;
  std::vector<std::int64_t> ports;  // empty: every port

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("mode", &Egress::mode, {.always = true}),
        codec::Field("ports", &Egress::ports),
    };
  }
  bool operator==(const Egress&) const = default;
};

struct IngressPort {
  std::int64_t port = 0;         // where clients connect
  std::int64_t target_port = 0;  // where the application listens

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("port", &IngressPort::port, {.required = true}),
        codec::Field("targetPort", &IngressPort::target_port, {.required = true}),
    };
  }
  bool operator==(const IngressPort&) const = default;
};

struct Ingress {
  IngressMode mode = IngressMode::kNone;
  std::vector<IngressPort> ports;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("mode", &Ingress::mode, {.always = true}),
        codec::Field("ports", &Ingress::ports),
    };
  }
  bool operator==(const Ingress&) const = default;
};

struct Propagation {
  std::vector<Propagator> accept = {Propagator::kTracecontext, Propagator::kBaggage};  // in order
  std::vector<Propagator> emit = {Propagator::kTracecontext};
  Egress egress;
  Ingress ingress;
  Heal heal = Heal::kOff;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("accept", &Propagation::accept, {.always = true}),
        codec::Field("emit", &Propagation::emit, {.always = true}),
        codec::Field("egress", &Propagation::egress, {.always = true}),
        codec::Field("ingress", &Propagation::ingress, {.always = true}),
        codec::Field("heal", &Propagation::heal, {.always = true}),
    };
  }
  bool operator==(const Propagation&) const = default;
};

/// Ratios are decimal strings between "0" and "1", as in the policy: text stays canonical.
struct Sampling {
  std::optional<std::string> head;
  std::optional<std::string> sidecar;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("headRatio", &Sampling::head),
        codec::Field("sidecarRatio", &Sampling::sidecar),
    };
  }
  bool operator==(const Sampling&) const = default;
};

struct ExportTls {
  bool insecure = false;               // plain text to the endpoint
  bool insecure_skip_verify = false;   // TLS, but anyone's certificate will do
  std::optional<std::string> ca_file;  // absent: the image's own authorities
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
  std::optional<std::string> server_name;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("insecure", &ExportTls::insecure, {.always = true}),
        codec::Field("insecureSkipVerify", &ExportTls::insecure_skip_verify, {.always = true}),
        codec::Field("caFile", &ExportTls::ca_file),
        codec::Field("certificateFile", &ExportTls::certificate_file),
        codec::Field("keyFile", &ExportTls::key_file),
        codec::Field("serverName", &ExportTls::server_name),
    };
  }
  bool operator==(const ExportTls&) const = default;
};

/// Where the credential is mounted. Its value is in a Secret, never in this document.
struct ExportAuth {
  AuthScheme scheme = AuthScheme::kBearer;
  std::optional<std::string> header;  // scheme Header: the name of the header
  std::string file;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("scheme", &ExportAuth::scheme, {.always = true}),
        codec::Field("header", &ExportAuth::header),
        codec::Field("file", &ExportAuth::file, {.required = true}),
    };
  }
  bool operator==(const ExportAuth&) const = default;
};

struct Export {
  std::string endpoint;
  ExportProtocol protocol = ExportProtocol::kGrpc;
  Compression compression = Compression::kGzip;
  ExportTls tls;
  std::map<std::string, std::string> headers;
  std::optional<ExportAuth> auth;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("endpoint", &Export::endpoint, {.required = true}),
        codec::Field("protocol", &Export::protocol, {.always = true}),
        codec::Field("compression", &Export::compression, {.always = true}),
        codec::Field("tls", &Export::tls, {.always = true}),
        codec::Field("headers", &Export::headers),
        codec::Field("auth", &Export::auth),
    };
  }
  bool operator==(const Export&) const = default;
};

/// How the relay gathers and holds what it cannot deliver yet. The defaults keep the sidecar within
/// 50 MiB while its backend is away.
struct Relay {
  std::int64_t queue_bytes = 24LL << 20;
  std::int64_t batch_items = 8192;
  std::int64_t batch_bytes = 1LL << 20;
  Duration batch_age = std::chrono::milliseconds(200);

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("queueBytes", &Relay::queue_bytes),
        codec::Field("batchItems", &Relay::batch_items),
        codec::Field("batchBytes", &Relay::batch_bytes),
        codec::Field("batchAge", &Relay::batch_age),
    };
  }
  bool operator==(const Relay&) const = default;
};

/// Where relay and proxy listen. The status port is an option of the program: probes need it
/// before there is a configuration.
struct SidecarPorts {
  std::int64_t otlp_grpc = 4317;
  std::int64_t otlp_http = 4318;
  std::int64_t egress = 15801;
  std::int64_t ingress = 15806;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("otlpGrpc", &SidecarPorts::otlp_grpc, {.always = true}),
        codec::Field("otlpHttp", &SidecarPorts::otlp_http, {.always = true}),
        codec::Field("egress", &SidecarPorts::egress, {.always = true}),
        codec::Field("ingress", &SidecarPorts::ingress, {.always = true}),
    };
  }
  bool operator==(const SidecarPorts&) const = default;
};

/// Every value is written even where it is the default: a later build with another default must
/// not change what a document says.
struct SidecarConfig {
  std::int64_t version = kSidecarConfigVersion;
  PolicyName policy;
  std::int64_t generation = 0;  // metadata.generation of the policy
  Verbosity log_level = Verbosity::kInfo;
  Propagation propagation;
  Sampling sampling;
  std::optional<Export> export_to;
  std::optional<Relay> relay;  // absent: the defaults of Relay
  SidecarPorts ports;

  static consteval auto Fields() {
    return std::tuple{
        codec::Field("version", &SidecarConfig::version, {.required = true}),
        codec::Field("policy", &SidecarConfig::policy, {.required = true}),
        codec::Field("generation", &SidecarConfig::generation, {.always = true}),
        codec::Field("logLevel", &SidecarConfig::log_level, {.always = true}),
        codec::Field("propagation", &SidecarConfig::propagation, {.always = true}),
        codec::Field("sampling", &SidecarConfig::sampling),
        codec::Field("export", &SidecarConfig::export_to),
        codec::Field("relay", &SidecarConfig::relay),
        codec::Field("ports", &SidecarConfig::ports, {.always = true}),
    };
  }
  bool operator==(const SidecarConfig&) const = default;
};

// The names that documents use; those of the operator's policy where it has the same setting.

consteval auto ValuesOf(Verbosity) {
  return std::array{codec::EnumValue{Verbosity::kInfo, "info", ""},
                    codec::EnumValue{Verbosity::kDebug, "debug", ""},
                    codec::EnumValue{Verbosity::kWarn, "warn", ""},
                    codec::EnumValue{Verbosity::kError, "error", ""}};
}
consteval auto ValuesOf(Propagator) {
  return std::array{codec::EnumValue{Propagator::kTracecontext, "tracecontext", ""},
                    codec::EnumValue{Propagator::kBaggage, "baggage", ""},
                    codec::EnumValue{Propagator::kB3, "b3", ""},
                    codec::EnumValue{Propagator::kB3Multi, "b3multi", ""},
                    codec::EnumValue{Propagator::kJaeger, "jaeger", ""},
                    codec::EnumValue{Propagator::kXray, "xray", ""},
                    codec::EnumValue{Propagator::kDatadog, "datadog", ""}};
}
consteval auto ValuesOf(EgressMode) {
  return std::array{codec::EnumValue{EgressMode::kNone, "None", ""},
                    codec::EnumValue{EgressMode::kForwardProxy, "ForwardProxy", ""},
                    codec::EnumValue{EgressMode::kRedirect, "Redirect", ""}};
}
consteval auto ValuesOf(IngressMode) {
  return std::array{codec::EnumValue{IngressMode::kNone, "None", ""},
                    codec::EnumValue{IngressMode::kReverseProxy, "ReverseProxy", ""},
                    codec::EnumValue{IngressMode::kRedirect, "Redirect", ""}};
}
consteval auto ValuesOf(Heal) {
  return std::array{codec::EnumValue{Heal::kOff, "Off", ""},
                    codec::EnumValue{Heal::kUnambiguous, "Unambiguous", ""}};
}
consteval auto ValuesOf(ExportProtocol) {
  return std::array{codec::EnumValue{ExportProtocol::kGrpc, "grpc", ""},
                    codec::EnumValue{ExportProtocol::kHttpProtobuf, "http/protobuf", ""}};
}
consteval auto ValuesOf(Compression) {
  return std::array{codec::EnumValue{Compression::kGzip, "gzip", ""},
                    codec::EnumValue{Compression::kNone, "none", ""},
                    codec::EnumValue{Compression::kZstd, "zstd", ""}};
}
consteval auto ValuesOf(AuthScheme) {
  return std::array{codec::EnumValue{AuthScheme::kBearer, "Bearer", ""},
                    codec::EnumValue{AuthScheme::kBasic, "Basic", ""},
                    codec::EnumValue{AuthScheme::kHeader, "Header", ""}};
}

/// A document as it was read.
struct DecodedSidecarConfig {
  SidecarConfig config;
  /// What the document's first line says, empty where it has no such line. Whether it is true is
  /// for the caller to check against BodyOf(text).
  std::string digest;
  /// Paths of fields that this build does not know, for one log line: "propagation.newThing".
  std::vector<std::string> unknown_fields;
};

/// The canonical text of `config` without its digest line: what the digest is taken of.
[[nodiscard]] std::string EncodeSidecarConfig(const SidecarConfig& config);

/// `body` under its digest line: what goes into the ConfigMap. `digest` is "sha256:" and 64 hex.
[[nodiscard]] std::string WithDigest(std::string_view digest, std::string_view body);

/// `text` without its digest line; all of `text` where it has none.
[[nodiscard]] std::string_view BodyOf(std::string_view text);

/// Reads and checks a document. kDecode: no YAML or of the wrong shape; kInvalid: a value that
/// cannot be; kTerminal: written by a newer operator for a newer sidecar.
Result<DecodedSidecarConfig> DecodeSidecarConfig(std::string_view text);

/// What is wrong with the values of `config`, one sentence each; empty when it can be used. The
/// operator asks before it writes, the sidecar after it has read.
[[nodiscard]] std::vector<std::string> CheckSidecarConfig(const SidecarConfig& config);

}  // namespace tracekeeper::config
