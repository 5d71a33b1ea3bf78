// The server as a well-behaved client sees it: what goes in, what comes out, and how it stops.

#include "src/net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Get(TestServer& server, std::string_view head) {
  RawSocket client = RawSocket::To(server->port());
  client.Send(head);
  return client.ReadToEnd();
}

TEST(Server, AnswersWithStatusHeadersAndBody) {
  TestServer server(
      [](const Request&) { return Response{201, {{"Location", "/made"}}, "made\n"}; });
  const std::string answer = Get(server, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nLocation: /made\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 5\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nmade\n"));
}

TEST(Server, KeepsTheConnectionForTheNextRequest) {
  TestServer server(Echo);
  RawSocket client = RawSocket::To(server->port());
  for (const char* word : {"one", "two"}) {
    client.Send(std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n") + word);
    EXPECT_THAT(client.ReadUntil(word), HasSubstr("200 OK"));
  }
  EXPECT_EQ(server->open_connections(), 1U);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server(Echo);
  RawSocket client = RawSocket::To(server->port());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(requests + "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = client.ReadToEnd();
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("X-Target: /" + std::to_string(i) + "\r\n", at);
    ASSERT_NE(at, std::string::npos) << "answer " << i;
  }
  EXPECT_NE(answers.find("X-Target: /last", at), std::string::npos);
}

TEST(Server, UsesTheMemoryOfABodyForTheNext) {
  ServerOptions options;
  options.limits.kept_body_bytes = 1U << 20U;
  TestServer server(Echo, options);
  RawSocket client = RawSocket::To(server->port());
  for (const auto& [size, letter] : std::initializer_list<std::pair<std::size_t, char>>{
           {300'000, 'a'}, {100'000, 'b'}, {300'001, 'c'}, {0, 'd'}, {5, 'e'}, {200'000, 'f'}}) {
    const std::string body = std::string(size, letter) + "\r\nend";
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    EXPECT_THAT(client.ReadUntil("\r\nend"), EndsWith("\r\n\r\n" + body));
  }
}

TEST(Server, SpeaksHttp10) {
  TestServer server(Echo);
  EXPECT_THAT(Get(server, "GET / HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Connection: keep-alive\r\n"));
  client.Send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("X-Target: /2"));
}

TEST(Server, AnswersHeadWithoutABody) {
  TestServer server([](const Request&) { return Response{200, {}, "twelve bytes"}; });
  const std::string answer = Get(server, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 12\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(Server, SendsContinueToAPeerThatWaitsForIt) {
  TestServer server(Echo);
  RawSocket client = RawSocket::To(server->port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  EXPECT_THAT(client.ReadUntil("hello"), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Server, AnswersA500WhenTheHandlerThrows) {
  TestServer server([](const Request& request) -> Response {
    if (request.target == "/throw") throw std::runtime_error("out of pens");
    return {};
  });
  const std::string answer =
      Get(server, "GET /throw HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error"));
  EXPECT_THAT(answer, Not(HasSubstr("pens"))) << "what broke is for the log, not for the peer";
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK")) << "the connection goes on";
  EXPECT_TRUE(server.HasLogged("out of pens"));
}

TEST(Server, RefusesToSendAHeaderWithALineBreak) {
  TestServer server([](const Request&) {
    return Response{200, {{"X-Name", "a\r\nSet-Cookie: forged"}}, "body"};
  });
  const std::string answer = Get(server, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, Not(HasSubstr("forged")));
  EXPECT_TRUE(server.HasLogged("X-Name"));
}

TEST(Server, SendsABodyLargerThanTheSocketTakesAtOnce) {
  const std::string large(20U << 20U, 'x');
  TestServer server([&large](const Request&) { return Response{200, {}, large}; });
  const std::string answer = Get(server, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, large.size());
}

TEST(Server, ListensOnIpv6AndIpv4AtOnce) {
  TestServer server(Echo, {.address = "::"});
  for (const char* address : {"127.0.0.1", "::1"}) {
    RawSocket client = RawSocket::To(server->port(), address);
    client.Send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 200 OK")) << address;
  }
}

TEST(Server, SaysInASentenceThatThePortIsTaken) {
  TestServer first(Echo);
  Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  const auto second =
      MakeBeastServer({.name = "webhook", .port = first->port()}, Echo, Logger(log));
  const Status started = second->Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(started.error().message,
              HasSubstr("webhook: cannot listen on 127.0.0.1 port " +
                        std::to_string(first->port()) + ": Address already in use: end what"));
}

TEST(Server, SaysWhatAnAddressMustBe) {
  Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  const auto server = MakeBeastServer({.address = "my-host"}, Echo, Logger(log));
  const Status started = server->Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("\"my-host\" is not an IP address"));
}

TEST(Server, FinishesRequestsInFlightBeforeItStops) {
  std::latch entered(4);
  std::promise<void> release;
  TestServer server(
      [&entered, go = release.get_future().share()](const Request&) {
        entered.count_down();
        go.wait();
        return Response{200, {}, "finished"};
      },
      {.threads = 5});
  std::vector<std::future<std::string>> answers;
  answers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    answers.push_back(std::async(std::launch::async, [&server] {
      return Get(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }));
  }
  RawSocket idle = RawSocket::To(server->port());
  entered.wait();
  ASSERT_TRUE(Eventually([&] { return server->open_connections() == 5; }));
  std::jthread stopping([&server] { server->Stop(); });
  EXPECT_EQ(idle.ReadToEnd(), "") << "an idle connection is closed at once";
  release.set_value();
  for (auto& answer : answers) {
    const std::string text = answer.get();
    EXPECT_THAT(text, EndsWith("finished"));
    EXPECT_THAT(text, HasSubstr("Connection: close")) << "so no peer sends another request";
  }
  stopping.join();
  EXPECT_EQ(server->open_connections(), 0U);
  EXPECT_THROW(RawSocket::To(server->port()), std::runtime_error) << "nobody listens any more";
}

TEST(Server, StopsWithinItsDrainDeadlineWhenAPeerDoesNotRead) {
  ServerOptions options;
  options.limits.drain_deadline = std::chrono::milliseconds(200);
  TestServer server([](const Request&) { return Response{200, {}, std::string(64U << 20U, 'x')}; },
                    options);
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.Read(1);  // the answer is on its way and will stay there
  const auto start = std::chrono::steady_clock::now();
  server->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(server->open_connections(), 0U);
}

TEST(Server, CanBeDestroyedWithoutHavingStarted) {
  Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  const auto server = MakeBeastServer({}, Echo, Logger(log));
  EXPECT_EQ(server->port(), 0);
}

}  // namespace
}  // namespace tracekeeper::net
