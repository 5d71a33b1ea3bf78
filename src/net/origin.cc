#include "src/net/origin.h"

#include <charconv>

namespace tracekeeper::net {

namespace {

std::uint16_t DefaultPort(bool is_https) { return is_https ? 443 : 80; }

std::string BracketedHost(const Origin& origin) {
  const bool is_v6 = origin.host.find(':') != std::string::npos;
  return is_v6 ? "[" + origin.host + "]" : origin.host;
}

Result<std::uint16_t> ParsePort(std::string_view text, std::string_view base_url) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return Fail(ErrorKind::kInvalid, "{}: \"{}\" is not a port", base_url, text);
  }
  return port;
}

}  // namespace

std::string Origin::Authority() const {
  std::string text = BracketedHost(*this);
  if (port != DefaultPort(is_https)) text += ":" + std::to_string(port);
  return text;
}

std::string Origin::Text() const {
  return (is_https ? "https://" : "http://") + BracketedHost(*this) + ":" + std::to_string(port);
}

Result<Origin> ParseOrigin(std::string_view base_url) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  Origin origin;
  std::string_view rest = base_url;
  if (rest.starts_with(kHttps)) {
    origin.is_https = true;
    rest.remove_prefix(kHttps.size());
  } else if (rest.starts_with(kHttp)) {
    rest.remove_prefix(kHttp.size());
  } else {
    return Fail(ErrorKind::kInvalid, "\"{}\" does not begin with https:// or http://", base_url);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "{}: give scheme, host and port alone, without a path",
                base_url);
  }
  if (rest.find('@') != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "a base URL may not carry a user or password");
  }

  std::string_view port_text;
  if (rest.starts_with('[')) {
    const std::size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos) {
      return Fail(ErrorKind::kInvalid, "{}: the IPv6 address has no closing bracket", base_url);
    }
    origin.host = rest.substr(1, bracket - 1);
    port_text = rest.substr(bracket + 1);
  } else {
    const std::size_t colon = rest.find(':');
    origin.host = rest.substr(0, colon);
    if (colon != std::string_view::npos) port_text = rest.substr(colon);
  }
  if (origin.host.empty()) return Fail(ErrorKind::kInvalid, "{}: there is no host", base_url);
  if (port_text.empty()) {
    origin.port = DefaultPort(origin.is_https);
    return origin;
  }
  if (!port_text.starts_with(':')) {
    return Fail(ErrorKind::kInvalid, "{}: a port follows the host after a colon", base_url);
  }
  origin.port = TRY(ParsePort(port_text.substr(1), base_url));
  return origin;
}

}  // namespace tracekeeper::net
