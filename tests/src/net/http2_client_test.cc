// The HTTP/2 client against our own server, and against servers that misbehave.

#include "src/net/http2_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "tests/src/net/http2_client_fixture.h"
#include "tests/src/net/http2_frames.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using http2::FrameReader;
using http2::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(Http2Client, SendsARequestAndGetsTheWholeAnswer) {
  TestServer server(
      [](const Request& request) {
        Response response = Echo(request);
        response.trailers.Add("grpc-status", "0");
        return response;
      },
      {}, &MakeHttp2Server);
  const auto client = ClientOf(server.url());
  const auto answer = client->Send(Post("hello"), {}, {});
  ASSERT_TRUE(answer) << answer.error().error.message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(answer->headers.Get("x-method"), "POST");
  EXPECT_EQ(answer->headers.Get("x-target"), "/a.B/C");
  EXPECT_EQ(answer->headers.Get("x-echo"), "e");
  EXPECT_EQ(answer->trailers.Get("grpc-status"), "0");
}

TEST(Http2Client, SendsManyCallsAtOnceOverOneConnection) {
  ServerOptions options;
  options.limits.streams = 7;  // fewer than calls: the others wait for their turn
  TestServer server = Http2Echo(options);
  const auto client = ClientOf(server.url());
  constexpr int kCalls = 500;
  std::latch all(kCalls);
  std::atomic<int> right = 0;
  for (int i = 0; i < kCalls; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 300, static_cast<char>('a' + i % 26));
    client->Start(std::make_shared<Request>(Post(body)), {}, [&, body](Http2Result result) {
      if (result && result->body == body) ++right;
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(right, kCalls);
  EXPECT_EQ(server->open_connections(), 1U);
}

TEST(Http2Client, CarriesBodiesLargerThanAnyWindow) {
  ServerOptions options;
  options.limits.body_bytes = 32U << 20U;
  TestServer server = Http2Echo(options);
  const auto client = ClientOf(server.url());
  std::string body(20U << 20U, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 >> 3U);
  const auto answer = client->Send(Post(body), {.body_limit = body.size()}, {});
  ASSERT_TRUE(answer) << answer.error().error.message;
  EXPECT_TRUE(answer->body == body);
}

TEST(Http2Client, RefusesAnAnswerLongerThanItsLimit) {
  TestServer server = Http2Echo();
  const auto client = ClientOf(server.url());
  const auto answer = client->Send(Post("eleven bytes"), {.body_limit = 10}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::kDecode);
  EXPECT_EQ(answer.error().delivery, Delivery::kUnknown);
  EXPECT_TRUE(client->Send(Post("ten bytes!"), {.body_limit = 10}, {}));
}

TEST(Http2Client, RefusesAHeaderLongerThanItsLimit) {
  TestServer server([](const Request&) { return Response{200, {{"x", std::string(2000, 'y')}}}; },
                    {}, &MakeHttp2Server);
  const auto client = MakeClient({.transport = {.base_url = server.url()}, .header_bytes = 1000});
  const auto answer = client->Send(Post(""), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("longer than the 1000 bytes"));
}

TEST(Http2Client, EndsACallAtItsDeadlineAndUsesAnotherConnectionAfterSilence) {
  std::atomic<int> connections = 0;
  RawServer silent([&](RawSocket& peer) {
    ++connections;
    FrameReader frames(peer);
    frames.SkipPreface();
    peer.Send(http2::Frame(Type::kSettings, 0, 0, {}));
    while (frames.Next()) continue;
  });
  const auto client = ClientOf(silent.url());
  for (int i = 0; i < 2; ++i) {
    const auto answer = client->Send(Post("x"), {.deadline = milliseconds(100)}, {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().error.kind, ErrorKind::kTimeout);
    EXPECT_EQ(answer.error().delivery, Delivery::kUnknown);
  }
  EXPECT_EQ(connections, 2);
}

TEST(Http2Client, SaysThatACallWhichNeverLeftWasNotProcessed) {
  RawServer mute([](RawSocket& peer) { peer.ReadToEnd(); });  // never sends its settings
  const auto client = ClientOf(mute.url());
  const auto answer = client->Send(Post("x"), {.deadline = milliseconds(100)}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::kTimeout);
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
}

TEST(Http2Client, GivesUpAServerThatDoesNotBeginToSpeak) {
  RawServer mute([](RawSocket& peer) { peer.ReadToEnd(); });
  const auto client =
      MakeClient({.transport = {.base_url = mute.url(), .connect_deadline = milliseconds(100)}});
  const auto answer = client->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("did not begin to speak HTTP/2 in time"));
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
}

TEST(Http2Client, StopsWhenAsked) {
  std::latch entered(1);
  std::latch go_on(1);
  TestServer server(
      [&](const Request& request) {
        entered.count_down();
        go_on.wait();
        return Echo(request);
      },
      {}, &MakeHttp2Server);
  const auto client = ClientOf(server.url());
  std::stop_source stop;
  std::jthread stopper([&] {
    entered.wait();
    stop.request_stop();
  });
  const auto answer = client->Send(Post("x"), {}, stop.get_token());
  go_on.count_down();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::kCancelled);
}

TEST(Http2Client, EndsWhatIsUnderWayWhenItIsDestroyed) {
  RawServer mute([](RawSocket& peer) { peer.ReadToEnd(); });
  std::atomic<int> cancelled = 0;
  {
    const auto client = ClientOf(mute.url());
    for (int i = 0; i < 10; ++i) {
      client->Start(std::make_shared<Request>(Post("x")), {}, [&](Http2Result result) {
        if (!result && result.error().error.kind == ErrorKind::kCancelled) ++cancelled;
      });
    }
  }
  EXPECT_EQ(cancelled, 10);
}

TEST(Http2Client, NamesAServerThatIsNotThere) {
  std::uint16_t port = 0;
  {
    TestServer gone = Http2Echo();
    port = gone->port();
  }
  const auto client = ClientOf("http://127.0.0.1:" + std::to_string(port));
  const auto answer = client->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
  EXPECT_THAT(answer.error().error.message, HasSubstr("POST /a.B/C: connect to 127.0.0.1"));
}

TEST(Http2Client, NamesAServerThatSpeaksHttp1) {
  TestServer server(Echo);
  const auto answer = ClientOf(server.url())->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("the server does not speak HTTP/2 here"));
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
}

TEST(Http2Client, RefusesAHeaderThatCannotBeSent) {
  TestServer server = Http2Echo();
  Request request = Post("x");
  request.headers.Add("authorization", "Bearer a\r\nx: y");
  const auto answer = ClientOf(server.url())->Send(request, {}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(answer.error().error.message, testing::Not(HasSubstr("Bearer")));
}

TEST(Http2Client, RefusesMoreCallsThanItMayHold) {
  RawServer mute([](RawSocket& peer) { peer.ReadToEnd(); });
  const auto client = MakeClient({.transport = {.base_url = mute.url()}, .calls = 1});
  client->Start(std::make_shared<Request>(Post("x")), {}, [](const Http2Result&) {});
  const auto answer = client->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
}

TEST(Http2Client, LeavesNoDescriptorOfFailedConnectionsBehind) {
  RawServer hasty([](RawSocket& peer) { peer.Reset(); });
  const std::size_t before = OpenDescriptors();
  {
    const auto client = ClientOf(hasty.url());
    for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(client->Send(Post("x"), {}, {}));
  }
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == before; }));
}

// --- How connections end -------------------------------------------------------------------------

/// A server that ends its first connection as `ending` says, once it holds a request, and answers
/// every request of the later ones.
struct Ending {
  enum Then { kCloses, kGoesOn };
  std::string name;
  std::string frames;  // sent in place of an answer to stream 1
  Then then;
  std::string want;  // "answered" where the client may send the call again by itself
};

class ConnectionsEnd : public testing::TestWithParam<Ending> {};

TEST_P(ConnectionsEnd, WithTheTruthAboutTheCall) {
  std::atomic<int> requests = 0;
  std::atomic<int> connections = 0;
  RawServer server([&](RawSocket& peer) {
    bool is_first = connections++ == 0;
    FrameReader frames(peer);
    frames.SkipPreface();
    peer.Send(http2::Frame(Type::kSettings, 0, 0, {}));
    while (const auto request = frames.Next(Type::kHeaders)) {
      ++requests;
      if (std::exchange(is_first, false)) {
        peer.Send(GetParam().frames);
        if (GetParam().then == Ending::kCloses) return;
        continue;
      }
      // ":status: 200" of the static table.
      peer.Send(http2::Frame(Type::kHeaders, http2::kEndHeaders | http2::kEndStream,
                             request->stream, "\x88"));
    }
  });
  const auto client = ClientOf(server.url());
  const auto answer = client->Send(Post(""), {}, {});
  if (answer) {
    EXPECT_EQ(GetParam().want, "answered");
    EXPECT_EQ(requests, 2);
  } else {
    EXPECT_THAT(answer.error().error.message, HasSubstr(GetParam().want));
    EXPECT_EQ(answer.error().delivery, Delivery::kUnknown);
    EXPECT_EQ(requests, 1) << "a call that may have been processed is not sent again";
  }
  EXPECT_TRUE(client->Send(Post(""), {}, {})) << "the next call finds a new connection";
}

INSTANTIATE_TEST_SUITE_P(
    Http2Client, ConnectionsEnd,
    testing::Values(
        Ending{"closed", "", Ending::kCloses, "closed the connection"},
        Ending{"goAwayBeforeIt", http2::GoAway(0), Ending::kCloses, "answered"},
        Ending{"goAwayForAFlood", http2::GoAway(0, 11), Ending::kCloses, "answered"},
        Ending{"goAwayAfterIt", http2::GoAway(1), Ending::kCloses, "closed the connection"},
        Ending{"refused", http2::Reset(1, 7), Ending::kGoesOn, "answered"},
        Ending{"reset", http2::Reset(1, 2), Ending::kGoesOn, "broke the call off (INTERNAL_ERROR)"},
        Ending{"statusOfTwoDigits",
               http2::Frame(Type::kHeaders, http2::kEndHeaders | http2::kEndStream, 1,
                            http2::HeaderBlock({{":status", "051"}})),
               Ending::kGoesOn, "says status 51"},
        Ending{"garbage", http2::Frame(Type::kPing, 0, 0, "too short!"), Ending::kGoesOn,
               "broke the HTTP/2 protocol"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Http2Client, GivesACallBackThatIsRefusedAgainAndAgain) {
  std::atomic<int> requests = 0;
  RawServer server([&](RawSocket& peer) {
    FrameReader frames(peer);
    frames.SkipPreface();
    peer.Send(http2::Frame(Type::kSettings, 0, 0, {}));
    while (const auto request = frames.Next(Type::kHeaders)) {
      ++requests;
      peer.Send(http2::Reset(request->stream, 7));
    }
  });
  const auto answer = ClientOf(server.url())->Send(Post(""), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
  EXPECT_EQ(requests, 3);
}

TEST(Http2Client, AsksASilentServerForASignOfLifeAndThenGivesItUp) {
  std::atomic<int> pings = 0;
  RawServer server([&](RawSocket& peer) {
    FrameReader frames(peer);
    frames.SkipPreface();
    peer.Send(http2::Frame(Type::kSettings, 0, 0, {}));
    while (const auto ping = frames.Next(Type::kPing)) {
      if (++pings == 1) peer.Send(http2::Frame(Type::kPing, http2::kAck, 0, ping->payload));
    }
  });
  const auto client = MakeClient({.transport = {.base_url = server.url()},
                                  .keepalive_after = milliseconds(50),
                                  .keepalive_timeout = milliseconds(50)});
  const auto answer = client->Send(Post(""), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("gave no sign of life"));
  EXPECT_EQ(pings, 2);
}

TEST(Http2Client, LosesNoCallWhileItsServerRestartsGracefully) {
  std::atomic<int> answered = 0;
  std::optional<TestServer> server;
  server.emplace(Echo, ServerOptions{}, &MakeHttp2Server);
  const std::uint16_t port = (*server)->port();
  const auto client = ClientOf(server->url());
  std::atomic<int> lost = 0;
  std::atomic<bool> done = false;
  std::vector<std::jthread> callers(4);
  for (std::jthread& caller : callers) {
    caller = std::jthread([&] {
      while (!done) {
        const auto answer = client->Send(Post("x"), {}, {});
        if (answer) {
          ++answered;
        } else if (answer.error().delivery == Delivery::kUnknown) {
          ++lost;
        }
      }
    });
  }
  for (int restart = 0; restart < 5; ++restart) {
    const int before = answered;
    ASSERT_TRUE(Eventually([&] { return answered > before + 100; }));
    (*server)->Stop();
    ServerOptions same;
    same.port = port;
    server.emplace(Echo, same, &MakeHttp2Server);
  }
  done = true;
  callers.clear();
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace tracekeeper::net
