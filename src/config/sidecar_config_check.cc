// The bounds of a sidecar configuration, each with the sentence a person reads when it is broken.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "src/config/export_endpoint.h"
#include "src/config/sidecar_config.h"

namespace tracekeeper::config {
namespace {

constexpr std::size_t kMaxPorts = 64;
constexpr std::size_t kMaxHeaders = 64;
constexpr std::size_t kMaxHeaderName = 256;
constexpr std::size_t kMaxHeaderValue = 4096;
constexpr std::size_t kMaxText = 2048;

using Problems = std::vector<std::string>;

template <typename... Args>
void Add(Problems& problems, fmt::format_string<Args...> format, Args&&... args) {
  problems.push_back(fmt::format(format, std::forward<Args>(args)...));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// "0", "1", "0.25", "1.000": what the policy's own rule lets through.
bool IsRatio(std::string_view text) {
  if (text.empty() || text.size() > 20 || !IsDigit(text.front()) || !IsDigit(text.back())) {
    return false;
  }
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (!std::all_of(fraction.begin(), fraction.end(), IsDigit)) return false;
  if (whole == "0") return true;
  return whole == "1" && fraction.find_first_not_of('0') == std::string_view::npos;
}

/// RFC 9110's token: what a header name may be made of.
bool IsHeaderName(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && text.size() <= kMaxHeaderName &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

bool IsPlainText(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

void CheckPort(Problems& problems, std::string_view field, std::int64_t port) {
  if (port < 1 || port > 65535) {
    Add(problems, "{} is {}: write a port between 1 and 65535", field, port);
  }
}

template <typename T>
bool HasTwice(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) != values.end();
}

void CheckIdentity(Problems& problems, const SidecarConfig& config) {
  if (config.version < 1) {
    Add(problems, "version is {}: the first version is 1", config.version);
  }
  if (config.policy.namespace_name.empty() || config.policy.name.empty()) {
    Add(problems, "policy needs a namespace and a name: they say which policy made this file");
  }
  if (config.generation < 0) {
    Add(problems, "generation is {}: it is never negative", config.generation);
  }
}

void CheckPropagation(Problems& problems, const Propagation& propagation) {
  if (propagation.accept.empty()) {
    Add(problems, "propagation.accept is empty: name at least one format, such as tracecontext");
  }
  if (HasTwice(propagation.accept)) Add(problems, "propagation.accept names a format twice");
  if (HasTwice(propagation.emit)) Add(problems, "propagation.emit names a format twice");
  for (const Propagator emitted : propagation.emit) {
    const auto& accepted = propagation.accept;
    if (std::find(accepted.begin(), accepted.end(), emitted) == accepted.end()) {
      Add(problems,
          "propagation.emit names a format that propagation.accept does not: the next "
          "hop would be read by nobody; add it to accept");
      break;
    }
  }
}

void CheckPorts(Problems& problems, const Propagation& propagation) {
  const Egress& egress = propagation.egress;
  const Ingress& ingress = propagation.ingress;
  if (egress.ports.size() > kMaxPorts || ingress.ports.size() > kMaxPorts) {
    Add(problems, "propagation names more than {} ports", kMaxPorts);
    return;
  }
  for (const std::int64_t port : egress.ports) {
    CheckPort(problems, "propagation.egress.ports", port);
  }
  if (HasTwice(egress.ports)) Add(problems, "propagation.egress.ports names a port twice");

  std::vector<std::int64_t> ingress_ports;
  for (const IngressPort& port : ingress.ports) {
    CheckPort(problems, "propagation.ingress.ports.port", port.port);
    CheckPort(problems, "propagation.ingress.ports.targetPort", port.target_port);
    ingress_ports.push_back(port.port);
  }
  if (HasTwice(ingress_ports)) Add(problems, "propagation.ingress.ports names a port twice");
  if (ingress.mode != IngressMode::kNone && ingress.ports.empty()) {
    Add(problems, "propagation.ingress has a mode but no ports: name the ports to proxy");
  }
}

void CheckSampling(Problems& problems, const Sampling& sampling) {
  const std::pair<std::string_view, const std::optional<std::string>&> ratios[] = {
      {"sampling.head.ratio", sampling.head}, {"sampling.sidecar.ratio", sampling.sidecar}};
  for (const auto& [field, ratio] : ratios) {
    if (ratio && !IsRatio(*ratio)) {
      Add(problems, "{} is '{}': write a decimal between 0 and 1, such as \"0.25\"", field,
          ratio->substr(0, 40));
    }
  }
}

void CheckEndpoint(Problems& problems, const Export& target) {
  if (const auto endpoint = ParseExportEndpoint(target); !endpoint) {
    problems.push_back(endpoint.error().message);
  }
}

void CheckHeaders(Problems& problems, const Export& target) {
  if (target.headers.size() > kMaxHeaders) {
    Add(problems, "export.headers has {} entries: at most {} are sent", target.headers.size(),
        kMaxHeaders);
    return;
  }
  for (const auto& [name, value] : target.headers) {
    if (!IsHeaderName(name)) {
      Add(problems, "export.headers: '{}' is no header name", name.substr(0, 40));
    } else if (value.size() > kMaxHeaderValue || !IsPlainText(value)) {
      // Never the value itself: people do put tokens here.
      Add(problems, "export.headers: the value of '{}' has a line break or is over {} bytes", name,
          kMaxHeaderValue);
    }
  }
}

void CheckFile(Problems& problems, std::string_view field, const std::optional<std::string>& file) {
  if (file && (file->size() > kMaxText || !file->starts_with('/') || !IsPlainText(*file))) {
    Add(problems, "{} must be an absolute path", field);
  }
}

void CheckExport(Problems& problems, const Export& target) {
  CheckEndpoint(problems, target);
  CheckHeaders(problems, target);
  const ExportTls& tls = target.tls;
  CheckFile(problems, "export.tls.caFile", tls.ca_file);
  CheckFile(problems, "export.tls.certificateFile", tls.certificate_file);
  CheckFile(problems, "export.tls.keyFile", tls.key_file);
  if (tls.certificate_file.has_value() != tls.key_file.has_value()) {
    Add(problems, "export.tls needs certificateFile and keyFile together");
  }
  if (!target.auth) return;
  CheckFile(problems, "export.auth.file", target.auth->file);
  const bool needs_header = target.auth->scheme == AuthScheme::kHeader;
  if (needs_header && !IsHeaderName(target.auth->header.value_or(""))) {
    Add(problems, "export.auth.scheme is Header: name the header in export.auth.header");
  }
  if (!needs_header && target.auth->header) {
    Add(problems,
        "export.auth.header is only for scheme Header: Bearer and Basic always use "
        "Authorization");
  }
}

void CheckRange(Problems& problems, std::string_view field, std::int64_t value, std::int64_t least,
                std::int64_t most) {
  if (value < least || value > most) {
    Add(problems, "{} is {}: write a number between {} and {}", field, value, least, most);
  }
}

void CheckRelay(Problems& problems, const Relay& relay) {
  // Below this a queue holds less than a few requests; above, a pod is no place for it.
  CheckRange(problems, "relay.queueBytes", relay.queue_bytes, 8LL << 20, 1LL << 30);
  CheckRange(problems, "relay.batchItems", relay.batch_items, 1, 1'000'000);
  CheckRange(problems, "relay.batchBytes", relay.batch_bytes, 1LL << 10, 4LL << 20);
  if (relay.batch_age < std::chrono::milliseconds(1) || relay.batch_age > std::chrono::minutes(1)) {
    Add(problems, "relay.batchAge is {}: write a duration between 1ms and 1m",
        codec::FormatDuration(relay.batch_age));
  }
}

void CheckListeners(Problems& problems, const SidecarPorts& ports) {
  const std::array<std::pair<std::string_view, std::int64_t>, 4> all = {
      {{"ports.otlpGrpc", ports.otlp_grpc},
       {"ports.otlpHttp", ports.otlp_http},
       {"ports.egress", ports.egress},
       {"ports.ingress", ports.ingress}}};
  std::set<std::int64_t> seen;
  for (const auto& [field, port] : all) {
    CheckPort(problems, field, port);
    if (!seen.insert(port).second) {
      Add(problems, "{} is {}, which another listener has: give each its own port", field, port);
    }
  }
}

}  // namespace

std::vector<std::string> CheckSidecarConfig(const SidecarConfig& config) {
  Problems problems;
  CheckIdentity(problems, config);
  CheckPropagation(problems, config.propagation);
  CheckPorts(problems, config.propagation);
  CheckSampling(problems, config.sampling);
  if (config.export_to) CheckExport(problems, *config.export_to);
  if (config.relay) CheckRelay(problems, *config.relay);
  CheckListeners(problems, config.ports);
  return problems;
}

}  // namespace tracekeeper::config
