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

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/log.h"
#include "src/base/result.h"

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

  bool operator==(const PolicyName&) const = default;
};

struct Egress {
  EgressMode mode = EgressMode::kNone;
  std::vector<std::int64_t> ports;  // empty: every port

  bool operator==(const Egress&) const = default;
};

struct IngressPort {
  std::int64_t port = 0;         // where clients connect
  std::int64_t target_port = 0;  // where the application listens

  bool operator==(const IngressPort&) const = default;
};

struct Ingress {
  IngressMode mode = IngressMode::kNone;
  std::vector<IngressPort> ports;

  bool operator==(const Ingress&) const = default;
};

struct Propagation {
  std::vector<Propagator> accept = {Propagator::kTracecontext, Propagator::kBaggage};  // in order
  std::vector<Propagator> emit = {Propagator::kTracecontext};
  Egress egress;
  Ingress ingress;
  Heal heal = Heal::kOff;

  bool operator==(const Propagation&) const = default;
};

/// Ratios are decimal strings between "0" and "1", as in the policy: text stays canonical.
struct Sampling {
  std::optional<std::string> head;
  std::optional<std::string> sidecar;

  bool operator==(const Sampling&) const = default;
};

struct ExportTls {
  bool insecure = false;              // plain text to the endpoint
  bool insecure_skip_verify = false;  // TLS, but anyone's certificate will do
  std::optional<std::string> ca_file;
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
  std::optional<std::string> server_name;

  bool operator==(const ExportTls&) const = default;
};

/// Where the credential is mounted. Its value is in a Secret, never in this document.
struct ExportAuth {
  AuthScheme scheme = AuthScheme::kBearer;
  std::optional<std::string> header;  // scheme Header: the name of the header
  std::string file;

  bool operator==(const ExportAuth&) const = default;
};

struct Export {
  std::string endpoint;
  ExportProtocol protocol = ExportProtocol::kGrpc;
  Compression compression = Compression::kGzip;
  ExportTls tls;
  std::map<std::string, std::string> headers;
  std::optional<ExportAuth> auth;

  bool operator==(const Export&) const = default;
};

/// Where relay and proxy listen. The status port is an option of the program: probes need it
/// before there is a configuration.
struct SidecarPorts {
  std::int64_t otlp_grpc = 4317;
  std::int64_t otlp_http = 4318;
  std::int64_t egress = 15801;
  std::int64_t ingress = 15806;

  bool operator==(const SidecarPorts&) const = default;
};

struct SidecarConfig {
  std::int64_t version = kSidecarConfigVersion;
  PolicyName policy;
  std::int64_t generation = 0;  // metadata.generation of the policy
  LogLevel log_level = LogLevel::kInfo;
  Propagation propagation;
  Sampling sampling;
  std::optional<Export> export_to;
  SidecarPorts ports;

  bool operator==(const SidecarConfig&) const = default;
};

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
