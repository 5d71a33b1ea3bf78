#include "src/ingest/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tracekeeper::ingest {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<SocketAddress> Parse(const std::string& address, std::uint16_t port) {
  SocketAddress parsed;
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&parsed.storage);
  if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    parsed.size = sizeof(sockaddr_in6);
    return parsed;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&parsed.storage);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    parsed.size = sizeof(sockaddr_in);
    return parsed;
  }
  return Fail(ErrorKind::kInvalid,
              "\"{}\" is not an IP address to listen on: give one, or \"::\" for all", address);
}

/// 0 when it can be bound now.
int ErrorOfBinding(const SocketAddress& address) {
  const int descriptor = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  constexpr int kOn = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  const bool is_bound =
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0 &&
      ::listen(descriptor, 1) == 0;
  const int error = is_bound ? 0 : errno;
  ::close(descriptor);
  return error;
}

}  // namespace

Result<std::string> ListenTarget(const std::string& address, std::uint16_t port) {
  const SocketAddress parsed = TRY(Parse(address, port));
  return parsed.storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", address, port)
                                              : fmt::format("{}:{}", address, port);
}

Error WhyNotListening(const std::string& address, std::uint16_t port) {
  const auto parsed = Parse(address, port);
  if (!parsed) return parsed.error();
  const int reason = ErrorOfBinding(*parsed);
  return {
      ErrorKind::kUnavailable,
      fmt::format("cannot listen on {} port {}: {}{}", address, port,
                  reason == 0 ? "gRPC could not, and now it could be done: try again"
                              : std::strerror(reason),
                  reason == EADDRINUSE ? ": end what listens there, or choose another port"
                  : reason == EACCES   ? ": ports below 1024 need a privilege, choose a higher one"
                                       : ""),
      std::nullopt};
}

}  // namespace tracekeeper::ingest
