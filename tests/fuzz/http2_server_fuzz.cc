// DEPENDS: tracekeeper::net
//
// What a peer sends to the HTTP/2 server, in whatever pieces: the first byte says how large they
// are and whether the peer begins as it should. No request passes the limits, all room taken for
// bodies is given back, and output does not grow without input.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/net/http2_server_session.h"

namespace {

using namespace tracekeeper;
using namespace tracekeeper::net;

constexpr std::string_view kHello("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
constexpr std::size_t kRoom = 8192;
constexpr std::size_t kMostOutput = 1U << 20U;

void Require(bool holds) {
  if (!holds) std::abort();
}

ServerLimits SmallLimits() {
  ServerLimits limits;
  limits.header_bytes = 1024;
  limits.body_bytes = 4096;
  limits.streams = 8;
  return limits;
}

class Owner final : public Http2ServerSession::Owner {
 public:
  explicit Owner(const ServerLimits& limits) : limits_(limits) {}

  Response Answer(const Request& request) override {
    std::size_t header_bytes = 0;
    for (const auto& [name, value] : request.headers) header_bytes += name.size() + value.size();
    Require(header_bytes <= limits_.header_bytes && request.body.size() <= limits_.body_bytes);
    Require(!request.method.empty());
    return {200, {{"x", request.method}}, request.body, {{"grpc-status", "0"}}};
  }
  bool TakeRoom(std::size_t size) override {
    if (taken_ + size > kRoom) return false;
    taken_ += size;
    return true;
  }
  void GiveRoom(std::size_t size) override {
    Require(size <= taken_);
    taken_ -= size;
  }
  void OnRefused(int status, std::string_view) override { Require(status >= 400); }
  void OnForgedField(std::string_view) override {}

  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  const ServerLimits& limits_;
  std::size_t taken_ = 0;
};

void DropOutput(Http2ServerSession& session) {
  std::size_t total = 0;
  for (std::size_t size = 1; size > 0; total += size) {
    size = session.NextOutput().size();
    Require(total <= kMostOutput);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes((data[0] & 128U) != 0 ? kHello : std::string_view());
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 64 + 1;

  const ServerLimits limits = SmallLimits();
  Owner owner(limits);
  {
    MonotonicTime now;
    Http2ServerSession session(limits, owner, now);
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::string_view next = rest.substr(0, piece);
      rest.remove_prefix(next.size());
      now += std::chrono::milliseconds(100);
      if (session.Receive(next, now) != Http2ServerSession::Progress::kGoOn) break;
      DropOutput(session);
      Require(session.open_streams() <= 2 * limits.streams);
      if (session.is_over()) break;
      if (now >= session.NextDeadline()) session.CheckDeadlines(now);
      if (rest.size() < piece) session.Drain(now);
      DropOutput(session);
    }
  }
  Require(owner.taken() == 0);
  return 0;
}
