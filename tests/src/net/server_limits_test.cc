// Every limit of the server, broken by a real peer: each ends that connection and costs no more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <vector>

#include "src/net/server.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMebibyte = 1U << 20U;
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\n";

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

TEST(ServerLimits, TenThousandAbortedTlsProbesLeaveNoDescriptor) {
  ServerOptions options = PatientOptions();
  options.tls = Showing(TestAuthority().Server());
  TestServer server(Echo, options);
  RawSocket first = RawSocket::To(server->port());
  first.Send("whatever is made once is made now\r\n");
  first.ReadToEnd();
  first.Close();
  ASSERT_TRUE(Eventually([&] { return server->open_connections() == 0; }));
  const std::size_t descriptors_before = OpenDescriptors();
  const std::size_t memory_before = ResidentBytes();
  const auto probe_and_abort = [&server](int kind) {
    RawSocket probe = RawSocket::To(server->port());
    if (kind == 1) probe.Send("\x16\x03\x01");        // vanishes within its ClientHello
    if (kind == 2) probe.Send("GET / HTTP/1.1\r\n");  // does not speak TLS
    if (kind == 3) probe.Reset();
  };
  for (int i = 0; i < 10000; ++i) {
    probe_and_abort(i % 4);
    // What is under test is what they leave behind, not how fast the server is.
    ASSERT_TRUE(i % 200 != 0 || Eventually([&] { return server->open_connections() == 0; }));
  }
  EXPECT_TRUE(Eventually([&] { return server->open_connections() == 0; }));
  EXPECT_LE(OpenDescriptors(), descriptors_before);
  EXPECT_LT(ResidentBytes(), memory_before + 20 * kMebibyte);
}

TEST(ServerLimits, AStalledHandshakeIsGoneAfterItsDeadline) {
  ServerOptions options = PatientOptions();
  options.limits.handshake_deadline = milliseconds(100);
  options.tls = Showing(TestAuthority().Server());
  TestServer server(Echo, options);
  std::vector<RawSocket> stalled;
  for (int i = 0; i < 100; ++i) {
    stalled.push_back(RawSocket::To(server->port()));
    if (i % 2 == 0) stalled.back().Send("\x16\x03\x01\x02");
  }
  for (RawSocket& peer : stalled) EXPECT_EQ(peer.ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return server->open_connections() == 0; }));
}

TEST(ServerLimits, AHeaderThatDripsIsAnswered408) {
  ServerOptions options = PatientOptions();
  options.limits.header_deadline = milliseconds(100);
  TestServer server(Echo, options);
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 408 Request Timeout"));
}

TEST(ServerLimits, APeerThatNeverAsksIsClosedWithoutAWord) {
  ServerOptions options = PatientOptions();
  options.limits.header_deadline = milliseconds(100);
  TestServer server(Echo, options);
  EXPECT_EQ(RawSocket::To(server->port()).ReadToEnd(), "");
}

TEST(ServerLimits, ABodyThatDripsIsAnswered408) {
  ServerOptions options = PatientOptions();
  options.limits.body_deadline = milliseconds(100);
  TestServer server(Echo, options);
  RawSocket client = RawSocket::To(server->port());
  client.Send(kPost + "Content-Length: 10\r\n\r\nhalf");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 408 Request Timeout"));
}

TEST(ServerLimits, TheBodyDeadlineIsForTheWholeBodyNotForEachPiece) {
  ServerOptions options = PatientOptions();
  options.limits.body_deadline = milliseconds(200);
  TestServer server(Echo, options);
  RawSocket client = RawSocket::To(server->port());
  client.Send(kPost + "Content-Length: 100000\r\n\r\n");
  int dripped = 0;
  while (dripped < 1000 && client.Send("x")) {
    ++dripped;
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_LT(dripped, 1000) << "a slow drip must not live for ever";
}

TEST(ServerLimits, AnIdleConnectionIsClosedAfterItsDeadline) {
  ServerOptions options = PatientOptions();
  options.limits.idle_deadline = milliseconds(100);
  TestServer server(Echo, options);
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 200 OK"));
}

TEST(ServerLimits, AnAnswerThatIsNotReadIsCutAfterItsDeadline) {
  ServerOptions options = PatientOptions();
  options.limits.write_deadline = milliseconds(100);
  TestServer server([](const Request&) { return Response{200, {}, std::string(32U << 20U, 'x')}; },
                    options);
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return server->open_connections() == 1; }));
  EXPECT_TRUE(Eventually([&] { return server->open_connections() == 0; }));
  EXPECT_LT(client.ReadToEnd().size(), 32U << 20U);
}

TEST(ServerLimits, A200MegabyteHeaderIsCutAndMemoryStaysFlat) {
  TestServer server(Echo, PatientOptions());
  const std::size_t memory_before = ResidentBytes();
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n");
  const std::string field = "X-Pad: " + std::string(64U << 10U, 'y') + "\r\n";
  std::size_t sent = 0;
  while (sent < 200 * kMebibyte && client.Send(field)) sent += field.size();
  EXPECT_LT(sent, 20 * kMebibyte) << "the server took more than a lingering close throws away";
  EXPECT_LT(ResidentBytes(), memory_before + 8 * kMebibyte);
}

TEST(ServerLimits, AHeaderOverTheLimitIsAnswered431) {
  TestServer server(Echo, PatientOptions());
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'y') + "\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 431 "));
}

TEST(ServerLimits, AnAnnouncedBodyOverTheLimitIsAnswered413BeforeItIsSent) {
  std::atomic<int> calls = 0;
  TestServer server(
      [&calls](const Request&) {
        ++calls;
        return Response{};
      },
      PatientOptions());
  RawSocket client = RawSocket::To(server->port());
  client.Send(kPost + "Content-Length: 300000000\r\n\r\n");
  const std::string answer = client.ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 Content Too Large"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_EQ(calls, 0);
}

TEST(ServerLimits, APeerThatSendsItsTooLongBodyAnywayStillReadsThe413) {
  TestServer server(Echo, PatientOptions());
  RawSocket client = RawSocket::To(server->port());
  client.Send(kPost + "Content-Length: 8000000\r\n\r\n" + std::string(512U << 10U, 'x'));
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 413 "));
}

TEST(ServerLimits, AChunkedBodyOverTheLimitIsAnswered413) {
  ServerOptions options = PatientOptions();
  options.limits.body_bytes = 1000;
  TestServer server(Echo, options);
  RawSocket client = RawSocket::To(server->port());
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "40\r\n" + std::string(64, 'x') + "\r\n";
  client.Send(kPost + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 413 "));
}

TEST(ServerLimits, BodiesBeyondTheRoomAreAnswered503UntilThereIsRoomAgain) {
  ServerOptions options = PatientOptions();
  options.limits.arriving_bytes = 100;
  TestServer server(Echo, options);
  const auto begin = [&] {
    RawSocket peer = RawSocket::To(server->port());
    peer.Send(kPost + "Content-Length: 90\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(peer.ReadUntil("\r\n\r\n"), HasSubstr("100 Continue"));
    return peer;
  };
  RawSocket first = begin();
  first.Send(std::string(80, 'a'));
  RawSocket second = begin();
  second.Send(std::string(80, 'b'));
  EXPECT_THAT(second.ReadUntil("once"), StartsWith("HTTP/1.1 503"));
  first.Send(std::string(10, 'a'));
  EXPECT_THAT(first.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  RawSocket third = begin();
  third.Send(std::string(80, 'c'));
  third.Send(std::string(10, 'c'));
  EXPECT_THAT(third.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(ServerLimits, ABadChunkSizeEndsTheConnectionAndNothingElse) {
  TestServer server(Echo, PatientOptions());
  RawSocket bad = RawSocket::To(server->port());
  bad.Send(kPost + "Transfer-Encoding: chunked\r\n\r\n-1\r\nhello");
  EXPECT_THAT(bad.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
  RawSocket good = RawSocket::To(server->port());
  good.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(good.ReadToEnd(), StartsWith("HTTP/1.1 200 OK"));
}

TEST(ServerLimits, ConnectionsOverTheCapWaitUntilOneEnds) {
  ServerOptions options = PatientOptions();
  options.limits.connections = 2;
  TestServer server(Echo, options);
  RawSocket first = RawSocket::To(server->port());
  RawSocket second = RawSocket::To(server->port());
  EXPECT_TRUE(Eventually([&] { return server->open_connections() == 2; }));
  RawSocket third = RawSocket::To(server->port());
  third.Send("GET /third HTTP/1.0\r\n\r\n");
  second.Send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(second.ReadUntil("\r\n\r\n"), HasSubstr("/second"));
  EXPECT_EQ(server->open_connections(), 2U);
  first.Close();
  EXPECT_THAT(third.ReadToEnd(), HasSubstr("/third"));
}

TEST(ServerLimits, WhenDescriptorsRunOutTheServerWaitsAndGoesOn) {
  TestServer server(Echo, PatientOptions());
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit tight{.rlim_cur = OpenDescriptors() + 8, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<RawSocket> clients;
  // This process has both ends, so that at last neither side can have another descriptor.
  EXPECT_THROW(for (;;) clients.push_back(RawSocket::To(server->port())), std::runtime_error);
  clients.pop_back();  // leaves room for the client's end alone
  RawSocket waiting = RawSocket::To(server->port());
  waiting.Send("GET /waited HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return server.HasLogged("Could not accept connections"); }));
  clients.clear();
  EXPECT_THAT(waiting.ReadToEnd(), HasSubstr("/waited"));
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(ServerLimits, HundredsOfIdleConnectionsCostLittle) {
  ServerOptions options = PatientOptions();
  TestServer server(Echo, options);
  std::vector<RawSocket> idle;
  const std::size_t memory_before = ResidentBytes();
  for (int i = 0; i < 450; ++i) {
    idle.push_back(RawSocket::To(server->port()));
    idle.back().Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    idle.back().ReadUntil("\r\n\r\n");
  }
  EXPECT_EQ(server->open_connections(), 450U);
  EXPECT_LT(ResidentBytes(), memory_before + 450 * (std::size_t{16} << 10U));
}

}  // namespace
}  // namespace tracekeeper::net
