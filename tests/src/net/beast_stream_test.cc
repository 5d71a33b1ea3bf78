// Streams of the Beast client: bytes as they arrive, back-pressure, silence and stop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "src/net/transports.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// Keeps what came, and does what a test wants with each piece.
class RecordingSink final : public StreamSink {
 public:
  std::function<Status(std::string_view)> on_bytes = [](std::string_view) { return Status(); };
  Status head_result;
  int status = 0;
  int heads = 0;
  std::string body;

  Status OnHead(int code, const Headers&) override {
    status = code;
    ++heads;
    return head_result;
  }
  Status OnBytes(std::string_view bytes) override {
    body.append(bytes);
    return on_bytes(bytes);
  }
};

std::unique_ptr<Transport> To(const std::string& url) {
  return MakeBeastTransport({.name = "peer", .base_url = url}).value();
}

RawServer::Script Sending(const std::string& answer) {
  return [answer](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send(answer);
  };
}

const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(BeastStream, GivesTheHeadOnceThenEveryByte) {
  RawServer server(Sending(kChunked + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"));
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {}, {});
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(sink.heads, 1);
  EXPECT_EQ(sink.status, 200);
  EXPECT_EQ(sink.body, "hello world");
}

TEST(BeastStream, SkipsInterimAnswers) {
  RawServer server(
      Sending("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n"
              "Content-Length: 2\r\n\r\nok"));
  RecordingSink sink;
  ASSERT_TRUE(To(server.url())->Stream({}, sink, {}, {}));
  EXPECT_EQ(sink.heads, 1);
  EXPECT_EQ(sink.status, 200);
}

TEST(BeastStream, RefusesAStatusOfTwoDigits) {
  RawServer server(Sending("HTTP/1.1 051 Odd\r\nContent-Length: 2\r\n\r\nok"));
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {}, {});
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("says status 51"));
  EXPECT_EQ(sink.heads, 0);
}

TEST(BeastStream, GivesBytesBeforeTheServerHasSentTheRest) {
  std::atomic<bool> seen = false;
  RawServer server([&seen](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send(kChunked + "6\r\nfirst\n\r\n");
    EXPECT_TRUE(Eventually([&seen] { return seen.load(); }));
    peer.Send("7\r\nsecond\n\r\n0\r\n\r\n");
  });
  RecordingSink sink;
  sink.on_bytes = [&seen](std::string_view) {
    seen = true;
    return Status();
  };
  ASSERT_TRUE(To(server.url())->Stream({}, sink, {}, {}));
  EXPECT_EQ(sink.body, "first\nsecond\n");
}

TEST(BeastStream, ASlowSinkStopsTheServerFromSending) {
  std::atomic<std::size_t> sent = 0;
  RawServer server([&sent](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send("HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(1U << 20U, 'x');
    for (int i = 0; i < 200 && peer.Send(block); ++i) sent += block.size();
  });
  std::size_t sent_while_blocked = 0;
  const std::size_t memory_before = ResidentBytes();
  RecordingSink sink;
  sink.on_bytes = [&](std::string_view) -> Status {
    std::size_t last = 0;
    do {  // until the server could send no more
      last = sent;
      std::this_thread::sleep_for(milliseconds(300));
    } while (last != sent);
    sent_while_blocked = sent;
    return Fail(ErrorKind::kCancelled, "seen enough");
  };
  const Status ended = To(server.url())->Stream({}, sink, {}, {});
  ASSERT_FALSE(ended);
  EXPECT_LT(sent_while_blocked, 64U << 20U) << "only what the kernel's buffers hold";
  EXPECT_LT(ResidentBytes(), memory_before + (16U << 20U));
}

TEST(BeastStream, AnErrorOfTheSinkEndsTheStreamWithThatError) {
  RawServer server(Sending(kChunked + "5\r\nhello\r\n0\r\n\r\n"));
  RecordingSink bytes_sink;
  bytes_sink.on_bytes = [](std::string_view) {
    return Status(Fail(ErrorKind::kExpired, "too old"));
  };
  const Status at_bytes = To(server.url())->Stream({}, bytes_sink, {}, {});
  ASSERT_FALSE(at_bytes);
  EXPECT_EQ(at_bytes.error().kind, ErrorKind::kExpired);
  EXPECT_THAT(at_bytes.error().message, HasSubstr("too old"));

  RecordingSink head_sink;
  head_sink.head_result = Fail(ErrorKind::kForbidden, "not yours");
  const Status at_head = To(server.url())->Stream({}, head_sink, {}, {});
  ASSERT_FALSE(at_head);
  EXPECT_EQ(at_head.error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(head_sink.body, "");
}

TEST(BeastStream, SilenceLongerThanAllowedIsATimeout) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send(kChunked);
    peer.ReadToEnd();
  });
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {.idle = milliseconds(150)}, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kTimeout) << ended.error().message;
}

TEST(BeastStream, TheDeadlineIsForTheHeadAloneSoAStreamMayLast) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send(kChunked);
    for (int i = 0; i < 30; ++i) {
      peer.Send("1\r\nx\r\n");
      std::this_thread::sleep_for(milliseconds(20));
    }
    peer.Send("0\r\n\r\n");
  });
  RecordingSink sink;
  const Status ended =
      To(server.url())->Stream({}, sink, {.deadline = milliseconds(200), .idle = seconds(20)}, {});
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(sink.body.size(), 30U);
}

TEST(BeastStream, AHeadThatDoesNotComeIsATimeout) {
  RawServer server([](RawSocket& peer) { peer.ReadToEnd(); });
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {.deadline = milliseconds(150)}, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kTimeout);
}

TEST(BeastStream, StopEndsASilentStream) {
  std::stop_source stop;
  RawServer server([&stop](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send(kChunked + "1\r\nx\r\n");
    std::this_thread::sleep_for(milliseconds(20));
    stop.request_stop();
    peer.ReadToEnd();
  });
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {}, stop.get_token());
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(sink.body, "x");
}

TEST(BeastStream, AStreamThatBreaksOffIsUnavailableNotAnEnd) {
  RawServer server(Sending(kChunked + "5\r\nhello\r\n"));
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {}, {});
  ASSERT_FALSE(ended) << "a watch must know that events may be missing";
  EXPECT_EQ(ended.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(sink.body, "hello") << "what had come was given";
}

TEST(BeastStream, NonsenseIsADecodeError) {
  RawServer server(Sending("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  RecordingSink sink;
  const Status ended = To(server.url())->Stream({}, sink, {}, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kDecode) << ended.error().message;
}

TEST(BeastStream, WorksOverTls) {
  const TestAuthority authority;
  ServerOptions options;
  options.tls = Showing(authority.Server());
  const std::string large(8U << 20U, 'x');
  TestServer server([&large](const Request&) { return Response{200, {}, large}; },
                    std::move(options));
  const auto transport =
      MakeBeastTransport(
          {.name = "peer",
           .base_url = server.url(),
           .authorities_pem = [&authority] { return Result<std::string>(authority.pem()); }})
          .value();
  RecordingSink sink;
  const Status ended = transport->Stream({}, sink, {}, {});
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_TRUE(sink.body == large);
}

TEST(CpprestStream, IsRefusedWithTheNameOfTheClientThatCan) {
  const auto transport =
      MakeCpprestTransport({.name = "peer", .base_url = "http://127.0.0.1:1"}).value();
  RecordingSink sink;
  const Status refused = transport->Stream({}, sink, {}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInternal);
  EXPECT_THAT(refused.error().message, HasSubstr("MakeBeastTransport"));
}

}  // namespace
}  // namespace tracekeeper::net
