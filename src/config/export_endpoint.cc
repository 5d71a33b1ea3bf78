#include "src/config/export_endpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tracekeeper::config {
namespace {

constexpr std::size_t kMaxText = 2048;
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

bool IsPlainText(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; });
}

/// What stands behind the host: empty, or ":" and the port.
std::optional<std::string_view> PortPart(std::string_view authority) {
  if (!authority.starts_with('[')) {
    const std::size_t colon = authority.find(':');
    if (colon == 0) return std::nullopt;
    return colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
  }
  const std::size_t close = authority.find(']');
  if (close == std::string_view::npos || close < 3) return std::nullopt;
  return authority.substr(close + 1);
}

bool IsPort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

}  // namespace

std::string ExportEndpoint::Origin() const {
  return std::string(is_tls ? kHttps : kHttp) + authority;
}

Result<ExportEndpoint> ParseExportEndpoint(const Export& target) {
  std::string_view rest = target.endpoint;
  if (rest.empty() || rest.size() > kMaxText || !IsPlainText(rest)) {
    return Fail(ErrorKind::kInvalid,
                "export.endpoint must be an address without blanks, such as "
                "http://collector.observability:4318");
  }
  if (rest.find('@') != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid,
                "export.endpoint carries a user or password: this file is readable by everyone in "
                "the namespace; use export.auth");
  }
  const bool has_scheme = rest.starts_with(kHttp) || rest.starts_with(kHttps);
  const bool is_grpc = target.protocol == ExportProtocol::kGrpc;
  if (!has_scheme && (!is_grpc || rest.find("://") != std::string_view::npos)) {
    return Fail(ErrorKind::kInvalid, "export.endpoint '{}' must begin with http:// or https://",
                rest);
  }
  ExportEndpoint endpoint;
  endpoint.is_tls = has_scheme ? rest.starts_with(kHttps) : !target.tls.insecure;
  if (has_scheme) rest.remove_prefix(rest.starts_with(kHttps) ? kHttps.size() : kHttp.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  endpoint.authority = rest.substr(0, slash);
  endpoint.path = rest.substr(slash);
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();

  const auto port = PortPart(endpoint.authority);
  const bool port_is_good =
      port && (port->empty() || (port->front() == ':' && IsPort(port->substr(1))));
  if (endpoint.authority.empty() || !port_is_good ||
      endpoint.path.find_first_of("?#") != std::string::npos) {
    return Fail(ErrorKind::kInvalid,
                "export.endpoint '{}' must be a scheme, a host, a port between 1 and 65535 and "
                "perhaps a path, such as http://collector.observability:4318",
                target.endpoint);
  }
  if (is_grpc && !endpoint.path.empty()) {
    return Fail(ErrorKind::kInvalid,
                "export.endpoint '{}' has a path, which gRPC has no use for: leave it out, or set "
                "export.protocol to http/protobuf",
                target.endpoint);
  }
  if (is_grpc && port->empty()) endpoint.authority += ":4317";
  return endpoint;
}

}  // namespace tracekeeper::config
