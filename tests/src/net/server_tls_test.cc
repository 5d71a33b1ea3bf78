// The server's TLS side: certificates swapped under load, clients without one, old protocols.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "src/net/transports.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

std::unique_ptr<Transport> Trusting(const TestServer& server, const std::string& authorities_pem) {
  return MakeBeastTransport(
             {.name = "peer",
              .base_url = server.url(),
              .authorities_pem =
                  [authorities_pem] { return Result<std::string>(authorities_pem); }})
      .value();
}

Result<Response> Get(Transport& transport) { return transport.Send({}, {}, {}); }

TEST(ServerTls, NewConnectionsSeeTheNewCertificateAndOldOnesGoOn) {
  const TestAuthority before("before");
  const TestAuthority after("after");
  const auto source = Showing(before.Server());
  TestServer server(Echo, {.tls = source});
  const auto old_client = Trusting(server, before.pem());
  const auto new_client = Trusting(server, after.pem());
  ASSERT_TRUE(Get(*old_client));
  ASSERT_FALSE(Get(*new_client));

  ASSERT_TRUE(source->Swap(after.Server()));

  EXPECT_TRUE(Get(*old_client)) << "its connection was open before the swap";
  EXPECT_TRUE(Get(*new_client));
  EXPECT_FALSE(Get(*Trusting(server, before.pem()))) << "a new connection sees the new one alone";
}

TEST(ServerTls, SwapsUnderLoadCostNoRequest) {
  const TestAuthority authority;
  const auto source = Showing(authority.Server());
  TestServer server(Echo, {.threads = 2, .tls = source});
  std::atomic<bool> done = false;
  std::atomic<int> failures = 0;
  std::atomic<int> requests = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, reconnects = i % 2 == 0] {
      auto client = Trusting(server, authority.pem());
      while (!done) {
        if (reconnects) client = Trusting(server, authority.pem());
        ++requests;
        if (!Get(*client)) ++failures;
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(source->Swap(authority.Server()));
    const int seen = requests;
    ASSERT_TRUE(Eventually([&] { return requests > seen + 10; }));
  }
  done = true;
  clients.clear();
  EXPECT_EQ(failures, 0) << "of " << requests;
}

TEST(ServerTls, WithoutACertificateYetConnectionsAreClosedNotHeld) {
  TestServer server(Echo, {.tls = std::make_shared<crypto::ServerTlsSource>()});
  RawSocket client = RawSocket::To(server->port());
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(server.HasLogged("no certificate is there yet"));
}

TEST(ServerTls, PlainHttpOnTheTlsPortGetsNoAnswer) {
  TestServer server(Echo, {.tls = Showing(TestAuthority().Server())});
  RawSocket client = RawSocket::To(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadToEnd().find("HTTP/1.1 200"), std::string::npos);
}

TEST(ServerTls, StopsWhileHandshakesAreUnderWay) {
  for (int round = 0; round < 20; ++round) {
    TestServer server(Echo, {.threads = 2, .tls = Showing(TestAuthority().Server())});
    std::vector<RawSocket> stalled;
    for (int i = 0; i < 8; ++i) {
      stalled.push_back(RawSocket::To(server->port()));
      stalled.back().Send("\x16\x03\x01");
    }
    const auto start = std::chrono::steady_clock::now();
    server->Stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_EQ(server->open_connections(), 0U);
  }
}

TEST(ServerTls, AnIdleTlsConnectionCostsLittle) {
  const TestAuthority authority;
  TestServer server(Echo, {.tls = Showing(authority.Server())});
  std::vector<std::unique_ptr<Transport>> idle;
  const std::size_t before = ResidentBytes();
  constexpr std::size_t kConnections = 60;
  for (std::size_t i = 0; i < kConnections; ++i) {
    idle.push_back(Trusting(server, authority.pem()));
    ASSERT_TRUE(Get(*idle.back()));
  }
  EXPECT_EQ(server->open_connections(), kConnections);
  // Both ends are in this process, the client's with a loop and a TLS context of its own.
  EXPECT_LT(ResidentBytes(), before + kConnections * (256U << 10U));
}

}  // namespace
}  // namespace tracekeeper::net
