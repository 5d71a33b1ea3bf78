#include "src/net/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

namespace tracekeeper::net {

namespace asio = boost::asio;

namespace {

constexpr int kBacklog = 4096;
constexpr Duration kFirstPause = std::chrono::milliseconds(20);
constexpr Duration kLongestPause = std::chrono::seconds(1);
// So many connections are taken before other work of the loop gets its turn.
constexpr int kBatch = 64;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<SocketAddress> ParseAddress(const std::string& address, std::uint16_t port) {
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

Result<std::uint16_t> BoundPort(int descriptor) {
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    return Fail(ErrorKind::kInternal, "read the port listened on: {}", std::strerror(errno));
  }
  if (bound.storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&bound.storage)->sin6_port);
}

/// A bound and listening socket, or -1 with errno.
int OpenListener(const SocketAddress& address) {
  const int family = address.storage.ss_family;
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  constexpr int kOn = 1;
  constexpr int kOff = 0;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  if (family == AF_INET6) {
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  }
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0 &&
      ::listen(descriptor, kBacklog) == 0) {
    return descriptor;
  }
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  return -1;
}

bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

/// The listening socket and its accept loop, all on one strand.
class Acceptor::Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(EventLoop& loop, int descriptor, bool is_v6, OnAccept on_accept, Logger log)
      : loop_(loop),
        strand_(asio::make_strand(loop.context().get_executor())),
        socket_(strand_, is_v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor),
        on_accept_(std::move(on_accept)),
        log_(std::move(log)) {}

  void Resume() {
    asio::post(strand_, [self = shared_from_this()] {
      if (!std::exchange(self->waiting_, true)) self->Wait();
    });
  }

  void Close() {
    // At once, even while every thread of the loop is busy: the kernel refuses peers from here on.
    closed_ = true;
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
    asio::post(strand_, [self = shared_from_this()] {
      boost::system::error_code ignored;
      std::ignore = self->socket_.close(ignored);
    });
  }

 private:
  using Socket =
      asio::basic_socket_acceptor<asio::ip::tcp, asio::strand<asio::io_context::executor_type>>;

  void Wait() {
    if (closed_) return;
    socket_.async_wait(Socket::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error && !self->closed_) self->AcceptBatch();
                       });
  }

  void AcceptBatch() {
    for (int accepted = 0; accepted < kBatch && !closed_; ++accepted) {
      const int descriptor =
          ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) {
        if (IsShortage(errno)) {
          PauseFor(errno);
          return;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        continue;  // that one peer gave up (ECONNABORTED and its like)
      }
      pause_ = kFirstPause;
      constexpr int kOn = 1;
      ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
      if (!on_accept_(descriptor)) {
        waiting_ = false;
        return;
      }
    }
    Wait();
  }

  void PauseFor(int reason) {
    if (pause_ == kFirstPause) {
      log_.Error("Could not accept connections, tries again",
                 {{"error", std::strerror(reason)},
                  {"hint", "raise the limit of open files or lower the connection limit"}});
    }
    loop_.After(pause_, [self = shared_from_this()] {
      asio::post(self->strand_, [self] { self->Wait(); });
    });
    pause_ = std::min(2 * pause_, kLongestPause);
  }

  EventLoop& loop_;
  asio::strand<asio::io_context::executor_type> strand_;
  Socket socket_;
  const OnAccept on_accept_;
  const Logger log_;
  std::atomic<bool> closed_ = false;
  bool waiting_ = false;
  Duration pause_ = kFirstPause;
};

Acceptor::Acceptor(EventLoop& loop, OnAccept on_accept, Logger log)
    : loop_(loop), on_accept_(std::move(on_accept)), log_(std::move(log)) {}

Acceptor::~Acceptor() = default;

Status Acceptor::Listen(const std::string& address, std::uint16_t port) {
  SocketAddress parsed = TRY(ParseAddress(address, port));
  int descriptor = OpenListener(parsed);
  if (descriptor < 0 && errno == EAFNOSUPPORT && address == "::") {
    parsed = TRY(ParseAddress("0.0.0.0", port));  // a kernel without IPv6
    descriptor = OpenListener(parsed);
  }
  if (descriptor < 0) {
    const int reason = errno;
    return Fail(ErrorKind::kUnavailable, "cannot listen on {} port {}: {}{}", address, port,
                std::strerror(reason),
                reason == EADDRINUSE ? ": end what listens there, or choose another port"
                : reason == EACCES   ? ": ports below 1024 need a privilege, choose a higher one"
                                     : "");
  }
  listener_ = std::make_shared<Listener>(loop_, descriptor, parsed.storage.ss_family == AF_INET6,
                                         on_accept_, log_);
  port_ = TRY(BoundPort(descriptor));
  return {};
}

void Acceptor::Resume() {
  if (listener_) listener_->Resume();
}

void Acceptor::Close() {
  if (listener_) listener_->Close();
}

}  // namespace tracekeeper::net
