// Both clients against servers that stall, drip, lie and vanish.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"
#include "tests/src/net/transport_adapters.h"

namespace tracekeeper::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class Faults : public TransportTest {
 protected:
  static Error ErrorOf(const std::string& url, const CallOptions& options = {},
                       const StopToken& stop = {}) {
    const auto transport = To(url);
    const auto response = transport->Send({.target = "/"}, options, stop);
    return response ? Error{ErrorKind::kInternal, "it succeeded", {}} : response.error();
  }
};
INSTANTIATE_TEST_SUITE_P(Transport, Faults, testing::ValuesIn(kAdapters),
                         testing::PrintToStringParamName());

constexpr CallOptions kShort{.deadline = milliseconds(150)};

/// Keeps `peer` until it goes away, and says nothing.
void Stay(RawSocket& peer) { peer.ReadToEnd(); }

TEST_P(Faults, AServerThatNeverAnswersIsATimeout) {
  RawServer server(Stay);
  EXPECT_EQ(ErrorOf(server.url(), kShort).kind, ErrorKind::kTimeout);
}

TEST_P(Faults, TheDeadlineIsForTheWholeAnswerHoweverItDrips) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (peer.Send("x")) std::this_thread::sleep_for(milliseconds(10));
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ErrorOf(server.url(), {.deadline = milliseconds(300)}).kind, ErrorKind::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST_P(Faults, AHalfOpenConnectionIsATimeout) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    Stay(peer);
  });
  EXPECT_EQ(ErrorOf(server.url(), kShort).kind, ErrorKind::kTimeout);
}

TEST_P(Faults, AServerThatDoesNotShakeHandsIsATimeout) {
  RawServer server(Stay);
  const auto transport =
      To("https://127.0.0.1:" + std::to_string(server.port()), TestAuthority().pem());
  const auto response = transport->Send({}, kShort, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTimeout) << response.error().message;
}

TEST_P(Faults, StopEndsACallWithinAMoment) {
  std::latch asked(1);
  RawServer server([&asked](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    asked.count_down();
    Stay(peer);
  });
  std::stop_source stop;
  std::jthread stopper([&] {
    asked.wait();
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ErrorOf(server.url(), {.deadline = seconds(30)}, stop.get_token()).kind,
            ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST_P(Faults, ACallThatIsStoppedBeforeItBeginsIsNotMade) {
  std::atomic<int> calls = 0;
  TestServer server([&calls](const Request&) {
    ++calls;
    return Response{};
  });
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf(server.url(), {}, stop.get_token()).kind, ErrorKind::kCancelled);
  EXPECT_EQ(calls, 0);
}

TEST_P(Faults, AnAnswerThatBreaksOffIsUnavailable) {
  for (const char* answer :
       {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
    RawServer server([answer](RawSocket& peer) {
      peer.ReadUntil("\r\n\r\n");
      peer.Send(answer);
    });
    const Error error = ErrorOf(server.url());
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << '"' << answer << "\": " << error.message;
  }
}

TEST_P(Faults, AResetIsUnavailable) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Reset();
  });
  EXPECT_EQ(ErrorOf(server.url()).kind, ErrorKind::kUnavailable);
}

TEST_P(Faults, AnUnknownNameIsUnavailableAndIsNamed) {
  const Error error = ErrorOf("http://no-such-host.invalid:1", {.deadline = seconds(20)});
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << error.message;
  EXPECT_THAT(error.message, HasSubstr("no-such-host.invalid"));
}

TEST_P(Faults, ChunkedAnswersArePutTogether) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    for (const char* piece : {"HTTP/1.1 200 OK\r\nTransfer-", "Encoding: chunked\r\n\r\n5\r",
                              "\nhel", "lo\r\n6\r\n world", "\r\n0\r\n", "\r\n"}) {
      peer.Send(piece);
      std::this_thread::sleep_for(milliseconds(5));
    }
    Stay(peer);
  });
  const auto response = Get(*To(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello world");
}

TEST_P(Faults, AnAnswerWithoutALengthEndsWithTheConnection) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
  });
  const auto response = Get(*To(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "until the end");
}

TEST_P(Faults, AStaleConnectionIsReplacedForAGet) {
  std::atomic<int> connections = 0;
  RawServer server([&connections](RawSocket& peer) {
    ++connections;
    peer.ReadUntil("\r\n\r\n");
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (connections == 1) peer.ReadUntil("\r\n\r\n");  // takes the second request, and goes
  });
  const auto transport = To(server.url());
  ASSERT_TRUE(Get(*transport));
  const auto second = Get(*transport);
  EXPECT_TRUE(second) << second.error().message;
  EXPECT_EQ(connections, 2);
}

TEST_P(Faults, APostIsNeverSentTwice) {
  std::atomic<int> posts = 0;
  RawServer server([&posts](RawSocket& peer) {
    for (;;) {
      const std::string request = peer.ReadUntil("\r\n\r\n");
      if (request.empty()) return;
      if (request.starts_with("POST")) {
        ++posts;
        return;  // without an answer
      }
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      if (posts > 0) return;
    }
  });
  {
    const auto transport = To(server.url());
    ASSERT_TRUE(Get(*transport)) << "so there is a connection to reuse";
    std::jthread unblock([&] {  // the raw server serves one connection at a time
      std::this_thread::sleep_for(milliseconds(50));
    });
    const auto post = transport->Send({.method = "POST"}, {.deadline = seconds(2)}, {});
    EXPECT_FALSE(post);
  }
  EXPECT_TRUE(Eventually([&] { return posts >= 1; }));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(posts, 1);
}

TEST_P(Faults, AnEarly413IsReadWhileTheBodyIsStillBeingSent) {
  ServerOptions options;
  options.limits.body_bytes = 1000;
  TestServer server(Echo, options);
  const auto response =
      To(server.url())
          ->Send({.method = "POST", .target = "/", .body = std::string(300000, 'x')}, {}, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST_P(Faults, FiftyFailedCallsLeaveNoDescriptor) {
  RawServer server([](RawSocket& peer) {
    peer.ReadUntil("\r\n\r\n");
    peer.Send("nonsense\r\n\r\n");
  });
  const auto transport = To(server.url());
  EXPECT_FALSE(Get(*transport));
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(Get(*transport));
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() <= before; }));
}

}  // namespace
}  // namespace tracekeeper::net
