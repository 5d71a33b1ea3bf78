#include "tests/src/net/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

// What g++ and clang call the sanitizers that keep memory of their own for each allocation.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define RESIDENT_IS_THE_SANITIZERS
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define RESIDENT_IS_THE_SANITIZERS
#endif
#endif

namespace tracekeeper::net {

namespace {

constexpr timeval kLongest{.tv_sec = 20, .tv_usec = 0};

}  // namespace

RawSocket::~RawSocket() { Close(); }

RawSocket::RawSocket(RawSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

RawSocket RawSocket::To(std::uint16_t port, const std::string& address) {
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  const bool is_v6 = inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1;
  inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  v6.sin6_port = v4.sin_port = htons(port);
  RawSocket client(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* target =
      is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  // A fixed window: the kernel would else take tens of megabytes for a peer that does not read.
  constexpr int kWindow = 256 << 10;
  ::setsockopt(client.descriptor_, SOL_SOCKET, SO_RCVBUF, &kWindow, sizeof kWindow);
  ::setsockopt(client.descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kLongest, sizeof kLongest);
  ::setsockopt(client.descriptor_, SOL_SOCKET, SO_SNDTIMEO, &kLongest, sizeof kLongest);
  if (::connect(client.descriptor_, target, is_v6 ? sizeof v6 : sizeof v4) != 0) {
    throw std::runtime_error("connect failed");
  }
  return client;
}

bool RawSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string RawSocket::Read(std::size_t size) {
  std::string bytes(size, '\0');
  const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

std::string RawSocket::ReadToEnd() {
  std::string all;
  for (std::string piece = Read(); !piece.empty(); piece = Read()) all += piece;
  return all;
}

std::string RawSocket::ReadUntil(std::string_view mark) {
  std::string all;
  while (all.find(mark) == std::string::npos) {
    const std::string piece = Read();
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

void RawSocket::EndSending() { ::shutdown(descriptor_, SHUT_WR); }

void RawSocket::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void RawSocket::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

RawServer::RawServer(Script script) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("listen failed");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this, run = std::move(script)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      RawSocket peer(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
      ::setsockopt(peer.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &kLongest, sizeof kLongest);
      run(peer);
    }
  });
}

RawServer::~RawServer() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

std::string RawServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::size_t OpenDescriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

std::size_t ResidentBytes() {
#ifdef RESIDENT_IS_THE_SANITIZERS
  return 0;
#else
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
#endif
}

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace tracekeeper::net
