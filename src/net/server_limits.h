#pragma once
// Every bound a Server holds its peers to. Untrusted bytes get no more memory or time than this.

#include <cstddef>

#include "src/base/clock.h"

namespace tracekeeper::net {

struct ServerLimits {
  Duration handshake_deadline = std::chrono::seconds(5);
  /// From the first byte of a request to the end of its header.
  Duration header_deadline = std::chrono::seconds(5);
  /// From the end of the header to the end of the body.
  Duration body_deadline = std::chrono::seconds(10);
  /// Between two requests of one connection.
  Duration idle_deadline = std::chrono::seconds(60);
  Duration write_deadline = std::chrono::seconds(10);
  /// How long Stop() lets requests in flight finish.
  Duration drain_deadline = std::chrono::seconds(10);
  std::size_t header_bytes = 8U << 10U;
  std::size_t body_bytes = 7U << 20U;  // AdmissionReview: the API server's own cap is 3 MiB + slack
  /// Further connections wait in the kernel's backlog.
  std::size_t connections = 1024;
  /// All bodies that are still arriving, over all connections; who would go beyond is refused.
  std::size_t arriving_bytes = 64U << 20U;
  /// HTTP/1.1: memory of bodies that is kept for the next ones, so that a busy receiver of large
  /// requests takes none from the system for each.
  std::size_t kept_body_bytes = 0;
  /// HTTP/2: requests of one connection at the same time; further ones are refused, safe to send
  /// again.
  std::size_t streams = 100;
};

}  // namespace tracekeeper::net
