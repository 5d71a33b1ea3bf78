// The HTTP/2 server and peers that misbehave: each costs its stream or its connection, no more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "src/net/server.h"
#include "tests/src/net/http2_frames.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using http2::CodeIn;
using http2::FrameReader;
using http2::Type;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint32_t kRefusedStream = 7;
constexpr std::uint32_t kEnhanceYourCalm = 11;
constexpr std::size_t kMebibyte = 1U << 20U;

/// Limits that pass within a test; each test sets the one it is about.
ServerOptions PatientOptions() {
  ServerOptions options;
  options.limits = {.handshake_deadline = std::chrono::seconds(30),
                    .header_deadline = std::chrono::seconds(30),
                    .body_deadline = std::chrono::seconds(30),
                    .idle_deadline = std::chrono::seconds(30),
                    .write_deadline = std::chrono::seconds(30)};
  return options;
}

class Http2Server : public testing::Test {
 protected:
  void Start(const ServerOptions& options = PatientOptions(), Handler handler = Echo) {
    server_.emplace(std::move(handler), options, &MakeHttp2Server);
  }
  RawSocket Connect() { return RawSocket::To((*server_)->port()); }
  bool IsEmptySoon() {
    return Eventually([this] { return (*server_)->open_connections() == 0; });
  }

  std::optional<TestServer> server_;
};

TEST_F(Http2Server, AnswersRequestsOfOneConnectionEachOnItsStream) {
  Start();
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1) + http2::Post(3) +
            http2::Frame(Type::kData, http2::kEndStream, 3, "three") +
            http2::Frame(Type::kData, http2::kEndStream, 1, "one"));
  FrameReader frames(peer);
  const auto first = frames.Next(Type::kData);
  const auto second = frames.Next(Type::kData);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->stream, 3U);
  EXPECT_EQ(first->payload, "three");
  EXPECT_EQ(second->stream, 1U);
  EXPECT_EQ(second->payload, "one");
}

TEST_F(Http2Server, TellsAClientOfHttp1WhatItWouldNeed) {
  Start();
  RawSocket peer = Connect();
  peer.Send("POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  const std::string answer = peer.ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 505 "));
  EXPECT_THAT(answer, HasSubstr("speaks HTTP/2 alone, as gRPC does"));
  EXPECT_TRUE(IsEmptySoon());
}

TEST_F(Http2Server, TenThousandAbortedConnectsLeaveNoDescriptor) {
  Start();
  Connect().Send(http2::Hello());
  ASSERT_TRUE(IsEmptySoon());
  const std::size_t descriptors_before = OpenDescriptors();
  const std::size_t memory_before = ResidentBytes();
  for (int i = 0; i < 10'000; ++i) {
    RawSocket peer = Connect();
    if (i % 4 == 1) peer.Send(http2::kPreface.substr(0, 10));
    if (i % 4 == 2) peer.Send(http2::Hello() + http2::Post(1));
    if (i % 4 == 3) peer.Reset();
  }
  EXPECT_TRUE(IsEmptySoon());
  // The first connection's may still have been open when they were counted.
  EXPECT_LE(OpenDescriptors(), descriptors_before);
  EXPECT_LT(ResidentBytes(), memory_before + 20 * kMebibyte);
}

TEST_F(Http2Server, EndsAConnectionWhoseSettingsNeverCome) {
  ServerOptions options = PatientOptions();
  options.limits.header_deadline = milliseconds(100);
  Start(options);
  RawSocket silent = Connect();
  RawSocket half = Connect();
  half.Send(http2::kPreface);
  silent.ReadToEnd();
  half.ReadToEnd();
  EXPECT_TRUE(IsEmptySoon());
}

TEST_F(Http2Server, EndsAConnectionWhoseHeaderDrips) {
  ServerOptions options = PatientOptions();
  options.limits.header_deadline = milliseconds(100);
  Start(options);
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1, http2::kNoFlags));  // a CONTINUATION must follow
  FrameReader frames(peer);
  const auto goodbye = frames.Next(Type::kGoAway);
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(CodeIn(*goodbye), kEnhanceYourCalm);
}

TEST_F(Http2Server, RefusesABodyThatDripsAndServesTheOthers) {
  ServerOptions options = PatientOptions();
  options.limits.body_deadline = milliseconds(100);
  Start(options);
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1) + http2::Frame(Type::kData, 0, 1, "half"));
  FrameReader frames(peer);
  const auto refusal = frames.Next(Type::kData);
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->payload, HasSubstr("took too long to arrive"));
  EXPECT_EQ(frames.Next(Type::kReset)->stream, 1U);
  peer.Send(http2::Post(3, http2::kEndHeaders | http2::kEndStream));
  EXPECT_EQ(frames.Next(Type::kHeaders)->stream, 3U);
}

TEST_F(Http2Server, EndsAnIdleConnectionWithAGoodbye) {
  ServerOptions options = PatientOptions();
  options.limits.idle_deadline = milliseconds(100);
  Start(options);
  RawSocket peer = Connect();
  peer.Send(http2::Hello());
  FrameReader frames(peer);
  const auto goodbye = frames.Next(Type::kGoAway);
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(CodeIn(*goodbye), 0U);
  EXPECT_TRUE(IsEmptySoon());
}

TEST_F(Http2Server, EndsARapidResetFlood) {
  std::atomic<int> handled = 0;
  Start(PatientOptions(), [&](const Request&) {
    ++handled;
    return Response{};
  });
  RawSocket peer = Connect();
  peer.Send(http2::Hello());
  std::string flood;
  for (std::uint32_t stream = 1; stream < 40'000; stream += 2) {
    flood += http2::Post(stream) + http2::Reset(stream);
  }
  peer.Send(flood);
  FrameReader frames(peer);
  EXPECT_TRUE(frames.Next(Type::kGoAway));
  EXPECT_TRUE(IsEmptySoon());
  EXPECT_EQ(handled, 0);
}

struct Flood {
  std::string name, frame;
};
class ControlFrames : public Http2Server, public testing::WithParamInterface<Flood> {};

TEST_P(ControlFrames, InAFloodEndTheConnection) {
  Start();
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1));
  std::string flood;
  for (int i = 0; i < 10'000; ++i) flood += GetParam().frame;
  peer.Send(flood);
  peer.ReadToEnd();
  EXPECT_TRUE(IsEmptySoon());
}

INSTANTIATE_TEST_SUITE_P(Http2, ControlFrames,
                         testing::Values(Flood{"ping", http2::Frame(Type::kPing, 0, 0, "12345678")},
                                         Flood{"settings", http2::Frame(Type::kSettings, 0, 0, {})},
                                         Flood{"priority", http2::Frame(Type::kPriority, 0, 1,
                                                                        std::string(5, '\0'))},
                                         Flood{"emptyData", http2::Frame(Type::kData, 0, 1, {})},
                                         Flood{"windowUpdate", http2::Frame(Type::kWindowUpdate, 0,
                                                                            0, http2::Number(1))}),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(Http2Server, RefusesAHeaderThatIsTooLongAndServesTheNext) {
  Start();
  RawSocket peer = Connect();
  const http2::Fields large(100, {"x-filler", std::string(100, 'f')});
  peer.Send(http2::Hello() + http2::Post(1, http2::kEndHeaders | http2::kEndStream, large));
  FrameReader frames(peer);
  const auto refusal = frames.Next(Type::kData);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->stream, 1U);
  EXPECT_THAT(refusal->payload, HasSubstr("request header is too long"));
  peer.Send(http2::Post(3, http2::kEndHeaders | http2::kEndStream));
  EXPECT_EQ(frames.Next(Type::kHeaders)->stream, 3U);
}

TEST_F(Http2Server, EndsAHeaderBomb) {
  Start();
  RawSocket peer = Connect();
  // One field of 3,900 bytes goes into the compression table; each later byte names it again.
  std::string block = http2::HeaderBlock(
      {{":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/x"}});
  block += '\x40';
  block += '\x01';
  block += 'x';
  block += "\x7F\xBD\x1D";  // 3,900 = 127 + 3,773
  block += std::string(3'900, 'v');
  block += std::string(10'000, '\xBE');
  const std::size_t memory_before = ResidentBytes();
  peer.Send(http2::Hello() +
            http2::Frame(Type::kHeaders, http2::kEndHeaders | http2::kEndStream, 1, block));
  FrameReader frames(peer);
  const auto goodbye = frames.Next(Type::kGoAway);
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(CodeIn(*goodbye), kEnhanceYourCalm);
  EXPECT_LT(ResidentBytes(), memory_before + 4 * kMebibyte);
}

TEST_F(Http2Server, EndsAnEndlessHeader) {
  Start();
  RawSocket peer = Connect();
  std::string endless = http2::Hello() + http2::Post(1, http2::kNoFlags);
  const std::string piece = http2::HeaderBlock({{"x-a", std::string(100, 'b')}});
  for (int i = 0; i < 1'000; ++i) endless += http2::Frame(Type::kContinuation, 0, 1, piece);
  peer.Send(endless);
  peer.ReadToEnd();
  EXPECT_TRUE(IsEmptySoon());
}

TEST_F(Http2Server, RefusesABodyThatIsTooLong) {
  ServerOptions options = PatientOptions();
  options.limits.body_bytes = 10;
  Start(options);
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1) + http2::Frame(Type::kData, 0, 1, "eleven bytes") +
            http2::Post(3, http2::kEndHeaders, {{"content-length", "11"}}));
  FrameReader frames(peer);
  for (const std::uint32_t stream : {1U, 3U}) {
    const auto refusal = frames.Next(Type::kData);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->stream, stream);
    EXPECT_THAT(refusal->payload, HasSubstr("request body is too long"));
  }
}

TEST_F(Http2Server, RefusesStreamsBeyondItsLimitSoThatTheyCanBeSentAgain) {
  ServerOptions options = PatientOptions();
  options.limits.streams = 2;
  Start(options);
  RawSocket peer = Connect();
  FrameReader frames(peer);
  peer.Send(http2::Hello() + http2::Post(1) + http2::Post(3) + http2::Post(5));
  const auto refused = frames.Next(Type::kReset);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->stream, 5U);
  EXPECT_EQ(CodeIn(*refused), kRefusedStream);
}

TEST_F(Http2Server, EndsAConnectionThatIgnoresTheLimitItAgreedTo) {
  ServerOptions options = PatientOptions();
  options.limits.streams = 2;
  Start(options);
  RawSocket peer = Connect();
  FrameReader frames(peer);
  peer.Send(http2::Hello());
  ASSERT_TRUE(frames.Next(Type::kSettings));
  peer.Send(http2::Frame(Type::kSettings, http2::kAck, 0, {}) + http2::Post(1) + http2::Post(3) +
            http2::Post(5));
  EXPECT_TRUE(frames.Next(Type::kGoAway));
  EXPECT_TRUE(IsEmptySoon());
}

TEST_F(Http2Server, RefusesBodiesThatWouldPassItsRoomUntilThereIsRoomAgain) {
  ServerOptions options = PatientOptions();
  options.limits.arriving_bytes = 10;
  Start(options);
  RawSocket peer = Connect();
  FrameReader frames(peer);
  peer.Send(http2::Hello() + http2::Post(1) + http2::Frame(Type::kData, 0, 1, "12345678") +
            http2::Post(3) + http2::Frame(Type::kData, 0, 3, "345"));
  const auto refused = frames.Next(Type::kReset);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->stream, 3U);
  EXPECT_EQ(CodeIn(*refused), kRefusedStream);
  peer.Send(http2::Frame(Type::kData, http2::kEndStream, 1, "9"));
  EXPECT_EQ(frames.Next(Type::kData)->payload, "123456789");
  peer.Send(http2::Post(5) + http2::Frame(Type::kData, http2::kEndStream, 5, "1234567890"));
  EXPECT_EQ(frames.Next(Type::kData)->payload, "1234567890");
}

TEST_F(Http2Server, CutsAnAnswerThatIsNotRead) {
  ServerOptions options = PatientOptions();
  options.limits.write_deadline = milliseconds(200);
  Start(options, [](const Request&) { return Response{200, {}, std::string(8U << 20U, 'x')}; });
  RawSocket peer = Connect();
  // A window as large as the answer, so that only the socket is in its way.
  peer.Send(
      std::string(http2::kPreface) +
      http2::Frame(Type::kSettings, 0, 0, std::string("\0\4", 2) + http2::Number(16U << 20U)) +
      http2::Frame(Type::kWindowUpdate, 0, 0, http2::Number(16U << 20U)) +
      http2::Post(1, http2::kEndHeaders | http2::kEndStream));
  EXPECT_TRUE(IsEmptySoon());
}

TEST_F(Http2Server, ResetsAStreamWhoseWindowIsNeverOpened) {
  ServerOptions options = PatientOptions();
  options.limits.write_deadline = milliseconds(200);
  Start(options, [](const Request&) { return Response{200, {}, std::string(1'000'000, 'x')}; });
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1, http2::kEndHeaders | http2::kEndStream));
  FrameReader frames(peer);
  const auto reset = frames.Next(Type::kReset);
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->stream, 1U);
}

TEST_F(Http2Server, AnswersAHandlerThatThrowsOrForgesWith500) {
  Start(PatientOptions(), [](const Request& request) -> Response {
    if (request.body == "throw") throw std::runtime_error("broken");
    return {200, {{"x-forged", "a\r\nb"}}, "secret"};
  });
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1) +
            http2::Frame(Type::kData, http2::kEndStream, 1, "throw") +
            http2::Post(3, http2::kEndHeaders | http2::kEndStream));
  FrameReader frames(peer);
  EXPECT_EQ(frames.Next(Type::kData)->payload, "The server failed.\n");
  EXPECT_EQ(frames.Next(Type::kData)->payload, "The server failed.\n");
  EXPECT_TRUE(server_->HasLogged("x-forged"));
}

TEST_F(Http2Server, DrainsByServingWhatIsOnItsWayAndRefusingWhatComesLater) {
  std::latch entered(1);
  std::latch go_on(1);
  Start(PatientOptions(), [&](const Request& request) {
    if (request.body == "slow") {
      entered.count_down();
      go_on.wait();
    }
    return Echo(request);
  });
  RawSocket peer = Connect();
  peer.Send(http2::Hello() + http2::Post(1) +
            http2::Frame(Type::kData, http2::kEndStream, 1, "slow"));
  entered.wait();
  std::jthread stopping([this] { (*server_)->Stop(); });
  peer.Send(http2::Post(3));  // begun before the goodbye is known here
  go_on.count_down();
  FrameReader frames(peer);
  EXPECT_EQ(frames.Next(Type::kData)->payload, "slow");
  const auto notice = frames.Next(Type::kGoAway);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->payload.substr(0, 4), http2::Number(0x7FFFFFFF));
  const auto ping = frames.Next(Type::kPing);
  ASSERT_TRUE(ping);
  peer.Send(http2::Frame(Type::kPing, http2::kAck, 0, ping->payload) +
            http2::Frame(Type::kData, http2::kEndStream, 3, "on its way"));
  const auto goodbye = frames.Next(Type::kGoAway);
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->payload.substr(0, 4), http2::Number(3));
  EXPECT_EQ(frames.Next(Type::kData)->payload, "on its way");
  peer.ReadToEnd();
}

}  // namespace
}  // namespace tracekeeper::net
