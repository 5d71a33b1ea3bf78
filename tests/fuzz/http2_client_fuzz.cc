// DEPENDS: tracekeeper::net
//
// What a server sends to the HTTP/2 client that has three calls under way, in whatever pieces: the
// first byte says how large they are. Each call ends exactly once, within its limits.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "src/net/http2_client_session.h"

namespace {

using namespace tracekeeper;
using namespace tracekeeper::net;

constexpr std::size_t kCalls = 3;
constexpr std::size_t kHeaderLimit = 1024;
constexpr std::size_t kBodyLimit = 4096;

void Require(bool holds) {
  if (!holds) std::abort();
}

class Owner final : public Http2ClientSession::Owner {
 public:
  void OnAnswer(Http2Client::CallId call, Http2Result result) override {
    ++ended_.at(call);
    if (!result) return;
    std::size_t header_bytes = 0;
    for (const Headers* headers : {&result->headers, &result->trailers}) {
      for (const auto& [name, value] : *headers) header_bytes += name.size() + value.size();
    }
    Require(header_bytes <= kHeaderLimit && result->body.size() <= kBodyLimit);
    Require(result->status >= 200);
  }
  void OnRefused(Http2Client::CallId call, Error why) override {
    Require(!why.message.empty());
    ++ended_.at(call);
  }
  void OnReady() override {}
  void OnPingAnswered() override {}
  void OnDraining() override {}

  [[nodiscard]] bool EachEndedOnce() const { return ended_ == std::array<int, kCalls>{1, 1, 1}; }

 private:
  std::array<int, kCalls> ended_{};
};

void DropOutput(Http2ClientSession& session) {
  while (!session.NextOutput().empty()) continue;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 64 + 1;
  Owner owner;
  Http2ClientSession session("http", "a", kHeaderLimit, owner);
  for (Http2Client::CallId call = 0; call < kCalls; ++call) {
    auto request = std::make_shared<Request>();
    request->method = "POST";
    request->body.assign(call * 50'000, 'b');  // none, some, more than the window
    Require(session.Begin(call, std::move(request), kBodyLimit));
  }
  DropOutput(session);
  while (!bytes.empty() && !session.is_over()) {
    const std::string_view next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    if (session.Receive(next) != Http2ClientSession::Progress::kGoOn) break;
    DropOutput(session);
  }
  session.FailAll({ErrorKind::kUnavailable, "the end", {}});
  Require(owner.EachEndedOnce());
  return 0;
}
