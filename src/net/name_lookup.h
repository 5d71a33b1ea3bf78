#pragma once
// Finds the addresses of a host. The system's resolver cannot be cancelled, so it runs on a thread
// that the caller may leave behind: that thread owns all it touches and ends with the resolver.
//
// Threads:  safe from any thread; blocks its caller until the answer, `deadline` or `stop`.
// Failure:  kUnavailable with the resolver's reason, kTimeout, kCancelled.

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"

namespace tracekeeper::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// IP addresses are answered at once, without a thread.
Result<std::vector<SocketAddress>> LookUp(const std::string& host, std::uint16_t port,
                                          MonotonicTime deadline, const StopToken& stop);

}  // namespace tracekeeper::net
