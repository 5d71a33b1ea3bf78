#include "operator/domain/sidecar_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "operator/api/tracing_policy.h"
#include "operator/domain/credential_plan.h"
#include "operator/domain/names.h"
#include "src/codec/json_writer.h"
#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kCaVolume = "tracekeeper-tls-ca";
constexpr std::string_view kClientVolume = "tracekeeper-tls-client";
constexpr std::string_view kCredentialFile = "value";
// Beside the value of a rotated credential: its number.
constexpr std::string_view kNumberFile = "version";
constexpr std::string_view kCaFile = "ca.crt";

std::string TlsPath(std::string_view part) { return fmt::format("{}/{}", kTlsMountPath, part); }

config::Verbosity VerbosityOf(api::SidecarLogLevel level) {
  switch (level) {
    case api::SidecarLogLevel::kDebug:
      return config::Verbosity::kDebug;
    case api::SidecarLogLevel::kWarn:
      return config::Verbosity::kWarn;
    case api::SidecarLogLevel::kError:
      return config::Verbosity::kError;
    case api::SidecarLogLevel::kInfo:
      break;
  }
  return config::Verbosity::kInfo;
}

config::Propagation PropagationOf(const api::Propagation& policy) {
  config::Propagation propagation;
  const auto translate = [](const std::vector<api::Propagator>& list) {
    std::vector<config::Propagator> result;
    result.reserve(list.size());
    for (const api::Propagator p : list) result.push_back(static_cast<config::Propagator>(p));
    return result;
  };
  propagation.accept = translate(policy.propagators);
  propagation.emit = translate(policy.emit);
  propagation.egress.mode = static_cast<config::EgressMode>(policy.egress.mode);
  propagation.egress.ports = policy.egress.ports;
  propagation.ingress.mode = static_cast<config::IngressMode>(policy.ingress.mode);
  for (const api::IngressPort& port : policy.ingress.ports) {
    propagation.ingress.ports.push_back({port.port, port.target_port.value_or(port.port)});
  }
  propagation.heal = static_cast<config::Heal>(policy.heal);
  return propagation;
}

// The enumerations are translated by value; both sides list them in one order.
static_assert(static_cast<int>(api::Propagator::kDatadog) ==
              static_cast<int>(config::Propagator::kDatadog));
static_assert(static_cast<int>(api::EgressMode::kRedirect) ==
              static_cast<int>(config::EgressMode::kRedirect));
static_assert(static_cast<int>(api::IngressMode::kRedirect) ==
              static_cast<int>(config::IngressMode::kRedirect));
static_assert(static_cast<int>(api::Heal::kUnambiguous) ==
              static_cast<int>(config::Heal::kUnambiguous));
static_assert(static_cast<int>(api::ExportProtocol::kHttpProtobuf) ==
              static_cast<int>(config::ExportProtocol::kHttpProtobuf));
static_assert(static_cast<int>(api::AuthScheme::kHeader) ==
              static_cast<int>(config::AuthScheme::kHeader));

config::Compression CompressionOf(api::Compression compression) {
  switch (compression) {
    case api::Compression::kNone:
      return config::Compression::kNone;
    case api::Compression::kZstd:
      return config::Compression::kZstd;
    case api::Compression::kGzip:
      break;
  }
  return config::Compression::kGzip;
}

config::ExportTls TlsOf(const api::Export& policy) {
  config::ExportTls tls;
  tls.insecure = policy.endpoint.starts_with("http://");
  if (!policy.tls) return tls;
  tls.insecure_skip_verify = policy.tls->insecure_skip_verify;
  if (!policy.tls->server_name.empty()) tls.server_name = policy.tls->server_name;
  if (const auto& ca = policy.tls->ca) {
    tls.ca_file = ca->pem.empty() ? fmt::format("{}/{}", TlsPath("ca"), kCaFile)
                                  : fmt::format("{}/{}", kConfigMountPath, kCaCertificateKey);
  }
  if (policy.tls->client_certificate) {
    tls.certificate_file = TlsPath("client/tls.crt");
    tls.key_file = TlsPath("client/tls.key");
  }
  return tls;
}

/// What the sidecar sends to prove who it is: a key of a Secret, mounted as a file.
struct SentValue {
  std::string secret;
  std::string key;
  api::AuthScheme scheme = api::AuthScheme::kBearer;
  std::string header;
  bool is_rotated = false;  // by us: its number stands beside it
};

std::optional<SentValue> SentValueOf(const api::TracingPolicySpec& spec) {
  if (!spec.export_to || !spec.export_to->auth) return std::nullopt;
  const api::ExportAuth& auth = *spec.export_to->auth;
  if (const auto& other = auth.secret_ref) {
    return SentValue{other->name, other->key, other->scheme, other->header, false};
  }
  const auto found = std::ranges::find(spec.credentials, auth.credential, &api::Credential::name);
  if (found == spec.credentials.end()) return std::nullopt;
  return SentValue{found->secret.name, auth.key, auth.scheme, auth.header, true};
}

config::Export ExportOf(const api::Export& policy, const std::optional<SentValue>& sent) {
  config::Export target;
  target.endpoint = policy.endpoint;
  target.protocol = static_cast<config::ExportProtocol>(policy.protocol);
  target.compression = CompressionOf(policy.compression);
  target.tls = TlsOf(policy);
  for (const auto& [name, value] : policy.headers) target.headers.emplace(name, value);
  if (sent) {
    config::ExportAuth auth;
    auth.scheme = static_cast<config::AuthScheme>(sent->scheme);
    if (!sent->header.empty()) auth.header = sent->header;
    auth.file = fmt::format("{}/{}", kCredentialMountPath, kCredentialFile);
    target.auth = std::move(auth);
  }
  return target;
}

config::SidecarConfig ConfigOf(const api::TracingPolicy& policy, const CompileOptions& options) {
  const api::TracingPolicySpec& spec = policy.spec;
  config::SidecarConfig config;
  config.policy = {policy.metadata.key.namespace_name, policy.metadata.key.name};
  config.generation = policy.metadata.generation;
  config.log_level = VerbosityOf(spec.injection.sidecar.log_level);
  config.propagation = PropagationOf(spec.propagation);
  if (spec.sampling.head) config.sampling.head = spec.sampling.head->ratio.text();
  if (spec.sampling.sidecar) config.sampling.sidecar = spec.sampling.sidecar->ratio.text();
  if (spec.export_to) config.export_to = ExportOf(*spec.export_to, SentValueOf(spec));
  config.ports = options.ports;
  return config;
}

std::string Quoted(std::string_view text) {
  std::string json;
  codec::AppendJsonString(json, text);
  return json;
}

struct KeyAsFile {
  std::string_view key, file;
};

/// Keys of a ConfigMap or Secret as files. What is missing holds nothing back.
std::string KeysAsFiles(std::string_view kind, std::string_view name_member, std::string_view name,
                        std::initializer_list<KeyAsFile> items) {
  std::string list;
  for (const KeyAsFile& item : items) {
    if (!list.empty()) list.append(",");
    list.append(fmt::format(R"({{"key":{},"path":"{}"}})", Quoted(item.key), item.file));
  }
  return fmt::format(R"("{}":{{"{}":{},"optional":true,"items":[{}]}})", kind, name_member,
                     Quoted(name), list);
}

SidecarVolume CredentialVolume(const SentValue& sent) {
  const KeyAsFile value{sent.key, kCredentialFile};
  const KeyAsFile number{kVersionKey, kNumberFile};
  return {std::string(kCredentialVolume),
          sent.is_rotated ? KeysAsFiles("secret", "secretName", sent.secret, {value, number})
                          : KeysAsFiles("secret", "secretName", sent.secret, {value}),
          std::string(kCredentialMountPath)};
}

}  // namespace

Result<ConfigMapContent> SidecarDocument(const api::TracingPolicy& policy,
                                         const CompileOptions& options) {
  const auto& exported = policy.spec.export_to;
  if (exported && exported->auth && !SentValueOf(policy.spec)) {
    return Fail(ErrorKind::kInvalid,
                "policy {}: export.auth.credential names \"{}\", and credentials has none of that "
                "name",
                policy.metadata.key.ToString(), exported->auth->credential);
  }
  const config::SidecarConfig config = ConfigOf(policy, options);
  const std::vector<std::string> problems = config::CheckSidecarConfig(config);
  if (!problems.empty()) {
    return Fail(ErrorKind::kInvalid, "policy {}: {}", policy.metadata.key.ToString(),
                fmt::join(problems, "; "));
  }
  const std::string body = config::EncodeSidecarConfig(config);
  ConfigMapContent content;
  content.name = ConfigMapNameFor(policy.metadata.key);
  content.key = config::kSidecarConfigKey;
  content.digest = "sha256:" + crypto::Sha256Hex(body);
  content.text = config::WithDigest(content.digest, body);
  if (exported && exported->tls && exported->tls->ca) {
    content.ca_certificate = exported->tls->ca->pem;
  }
  return content;
}

std::vector<SidecarVolume> SidecarVolumes(const api::TracingPolicySpec& spec,
                                          std::string_view config_map_name) {
  std::vector<SidecarVolume> volumes;
  volumes.push_back(
      {std::string(kConfigVolume),
       fmt::format(R"("configMap":{{"name":{},"optional":true}})", Quoted(config_map_name)),
       std::string(kConfigMountPath)});
  if (!spec.export_to) return volumes;
  if (const auto sent = SentValueOf(spec)) volumes.push_back(CredentialVolume(*sent));
  if (!spec.export_to->tls) return volumes;
  if (const auto& ca = spec.export_to->tls->ca; ca && ca->config_map_ref) {
    volumes.push_back({std::string(kCaVolume),
                       KeysAsFiles("configMap", "name", ca->config_map_ref->name,
                                   {{ca->config_map_ref->key, kCaFile}}),
                       TlsPath("ca")});
  } else if (ca && ca->secret_ref) {
    volumes.push_back({std::string(kCaVolume),
                       KeysAsFiles("secret", "secretName", ca->secret_ref->name,
                                   {{ca->secret_ref->key, kCaFile}}),
                       TlsPath("ca")});
  }
  if (const auto& client = spec.export_to->tls->client_certificate) {
    volumes.push_back({std::string(kClientVolume),
                       fmt::format(R"("secret":{{"secretName":{},"optional":true}})",
                                   Quoted(client->secret_name)),
                       TlsPath("client")});
  }
  return volumes;
}

}  // namespace tracekeeper::domain
