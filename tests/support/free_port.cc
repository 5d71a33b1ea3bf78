#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <random>

#include "tests/support/spawn.h"

namespace tracekeeper::test_support {

namespace {

// Below the ports that the kernel gives to outgoing connections: one of those could take the port
// between two starts of a server. Above well-known ones, beside Kubernetes' node ports.
constexpr std::uint16_t kFirst = 20000;
constexpr std::uint16_t kLast = 29999;

bool IsFree(std::uint16_t port) {
  const FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

std::uint16_t FreePort() {
  // Tests that run side by side begin at different places.
  static std::atomic<unsigned> next(std::random_device{}());
  constexpr unsigned kPorts = kLast - kFirst + 1;
  for (unsigned attempt = 0; attempt < kPorts; ++attempt) {
    const auto port = static_cast<std::uint16_t>(kFirst + next++ % kPorts);
    if (IsFree(port)) return port;
  }
  ADD_FAILURE() << "no free port between " << kFirst << " and " << kLast;
  return 0;
}

}  // namespace tracekeeper::test_support
