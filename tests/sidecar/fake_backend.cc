#include "tests/sidecar/fake_backend.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "src/net/http.h"

namespace tracekeeper::sidecar {
namespace {

constexpr int kLookEvery = 20;  // milliseconds

bool WaitReadable(const std::stop_token& stop, int descriptor) {
  while (!stop.stop_requested()) {
    pollfd waiting{descriptor, POLLIN, 0};
    if (::poll(&waiting, 1, kLookEvery) > 0) return true;
  }
  return false;
}

/// The Content-Length of a request's head.
std::size_t BodySize(std::string_view head) {
  constexpr std::string_view kName = "Content-Length: ";
  const std::size_t at = head.find(kName);
  return at == std::string_view::npos ? 0 : std::stoul(std::string(head.substr(at + kName.size())));
}

}  // namespace

std::string HttpText(int status, std::string_view type, std::string_view body,
                     std::string_view more_headers) {
  return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n{}", status,
                     net::ReasonPhrase(status), type, more_headers, body.size(), body);
}

FakeBackend::FakeBackend() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener_.get(), generic, size), 0);
  EXPECT_EQ(::listen(listener_.get(), 16), 0);
  EXPECT_EQ(::getsockname(listener_.get(), generic, &size), 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
}

FakeBackend::~FakeBackend() {
  accepting_.request_stop();
  accepting_.join();
  for (std::jthread& connection : connections_) connection.request_stop();
}

void FakeBackend::Script(Exchange exchange) {
  const std::scoped_lock guard(mutex_);
  script_.push_back(std::move(exchange));
}

std::string FakeBackend::endpoint() const { return fmt::format("http://127.0.0.1:{}", port_); }

void FakeBackend::Accept(const std::stop_token& stop) {
  while (WaitReadable(stop, listener_.get())) {
    test_support::FileHandle connection(::accept(listener_.get(), nullptr, nullptr));
    if (!connection.is_open()) continue;
    connections_.emplace_back(
        [this, taken = std::move(connection)](const std::stop_token& ended) mutable {
          Serve(ended, std::move(taken));
        });
  }
}

void FakeBackend::Serve(const std::stop_token& stop, test_support::FileHandle connection) {
  while (ReadRequest(stop, connection.get())) {
    Exchange exchange{.bytes = HttpText(200, "application/x-protobuf", "")};
    {
      const std::scoped_lock guard(mutex_);
      ++requests_;
      if (!script_.empty()) {
        exchange = std::move(script_.front());
        script_.pop_front();
      }
    }
    if (!Play(stop, connection.get(), exchange)) return;
  }
}

bool FakeBackend::ReadRequest(const std::stop_token& stop, int connection) const {
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos && text.size() >= end + 4 + BodySize(text)) return true;
    if (!WaitReadable(stop, connection)) return false;
    const ssize_t count = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

bool FakeBackend::Play(const std::stop_token& stop, int connection,
                       const Exchange& exchange) const {
  const std::size_t step = exchange.drip.count() == 0 ? exchange.bytes.size() : 1;
  for (std::size_t at = 0; at < exchange.bytes.size() && !stop.stop_requested(); at += step) {
    if (::send(connection, exchange.bytes.data() + at, step, MSG_NOSIGNAL) < 0) return false;
    if (exchange.drip.count() > 0) std::this_thread::sleep_for(exchange.drip);
  }
  if (exchange.end == Exchange::End::kReset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  return exchange.end == Exchange::End::kKeep;
}

}  // namespace tracekeeper::sidecar
