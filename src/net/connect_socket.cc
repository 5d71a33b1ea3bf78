#include "src/net/connect_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stop_token>
#include <utility>

#include "src/net/name_lookup.h"

namespace tracekeeper::net {

namespace {

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int Take() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

std::string AddressText(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr,
              text.data(), text.size());
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr,
              text.data(), text.size());
  }
  return text.data();
}

void SetSocketOptions(int descriptor) {
  constexpr int kOn = 1;
  constexpr int kIdleSeconds = 30;
  constexpr int kIntervalSeconds = 10;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &kIntervalSeconds, sizeof kIntervalSeconds);
}

/// Waits until a connect under way is decided.
Status AwaitConnected(int descriptor, MonotonicTime deadline, const StopToken& stop) {
  const Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  std::array<pollfd, 2> waits = {{{descriptor, POLLOUT, 0}, {wake.get(), POLLIN, 0}}};
  for (;;) {
    if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Now()).count();
    if (left <= 0) return Fail(ErrorKind::kTimeout, "no answer in time");
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(std::min(left, 60'000L)));
    if (ready > 0 && waits[0].revents != 0) return {};
  }
}

Result<int> ConnectTo(const SocketAddress& address, MonotonicTime deadline, const StopToken& stop) {
  Descriptor socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) {
    return Fail(ErrorKind::kUnavailable, "open a socket: {}", std::strerror(errno));
  }
  SetSocketOptions(socket.get());
  const auto* const target = reinterpret_cast<const sockaddr*>(&address.storage);
  int error = ::connect(socket.get(), target, address.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    if (Status decided = AwaitConnected(socket.get(), deadline, stop); !decided) {
      return Fail(
          std::move(decided).error().Within(fmt::format("connect to {}", AddressText(address))));
    }
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    return Fail(ErrorKind::kUnavailable, "connect to {}: {}", AddressText(address),
                std::strerror(error));
  }
  return socket.Take();
}

}  // namespace

Result<int> ConnectSocket(const Origin& origin, MonotonicTime deadline, const StopToken& stop) {
  const auto addresses = TRY(LookUp(origin.host, origin.port, deadline, stop));
  Result<int> last = Fail(ErrorKind::kUnavailable, "the name {} has no address", origin.host);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // A silent address leaves time for the ones behind it.
    const Duration share = (deadline - Now()) / static_cast<int>(addresses.size() - i);
    last = ConnectTo(addresses[i], Now() + share, stop);
    if (last || last.error().kind == ErrorKind::kCancelled) break;
  }
  return last;
}

}  // namespace tracekeeper::net
