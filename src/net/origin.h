#pragma once
// Origin is the scheme, host and port of a base URL: which server a Transport talks to.
//
// Threads:  a value and pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::net {

struct Origin {
  bool is_https = false;
  std::string host;  // an IPv6 address without brackets
  std::uint16_t port = 0;

  /// What stands in the Host header: brackets around IPv6, no default port.
  [[nodiscard]] std::string Authority() const;
  /// "https://10.0.0.1:6443", for errors.
  [[nodiscard]] std::string Text() const;
};

/// Reads "https://host:port". kInvalid for another scheme, user information or a path.
Result<Origin> ParseOrigin(std::string_view base_url);

}  // namespace tracekeeper::net
