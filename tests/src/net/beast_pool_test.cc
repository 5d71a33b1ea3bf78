// Which connections the Beast client keeps, and for how long.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

#include "src/net/transports.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using testing::HasSubstr;

class BeastPool : public testing::Test {
 protected:
  /// Counts the connections made by how often the authorities are asked for.
  TransportOptions Options(const TestServer& server) {
    return {.name = "peer", .base_url = server.url(), .authorities_pem = [this] {
              ++connections_made_;
              return Result<std::string>(authority_.pem());
            }};
  }

  static Result<Response> Get(Transport& transport) { return transport.Send({}, {}, {}); }

  TestAuthority authority_;
  int connections_made_ = 0;
};

TEST_F(BeastPool, UsesOneConnectionForCallAfterCall) {
  TestServer server(Echo, {.tls = Showing(authority_.Server())});
  const auto transport = MakeBeastTransport(Options(server)).value();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Get(*transport));
  EXPECT_EQ(connections_made_, 1);
}

TEST_F(BeastPool, RetiresConnectionsByAgeSoThatRenewedCredentialsComeIntoUse) {
  TestServer server(Echo, {.tls = Showing(authority_.Server())});
  TransportOptions options = Options(server);
  options.connection_age = Duration::zero();
  const auto transport = MakeBeastTransport(std::move(options)).value();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Get(*transport));
  EXPECT_EQ(connections_made_, 5);
  EXPECT_TRUE(Eventually([&] { return server->open_connections() == 0; }));
}

TEST_F(BeastPool, DoesNotUseAConnectionThatWasIdleForTooLong) {
  TestServer server(Echo, {.tls = Showing(authority_.Server())});
  TransportOptions options = Options(server);
  options.idle_for = Duration::zero();
  const auto transport = MakeBeastTransport(std::move(options)).value();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Get(*transport));
  EXPECT_EQ(connections_made_, 5);
}

TEST_F(BeastPool, KeepsNoMoreIdleConnectionsThanItMay) {
  constexpr int kCallers = 6;
  std::latch together(kCallers);
  TestServer server(
      [&together](const Request&) {
        together.arrive_and_wait();
        return Response{};
      },
      {.threads = kCallers});
  const auto transport =
      MakeBeastTransport({.name = "peer", .base_url = server.url(), .idle_connections = 2}).value();
  {
    std::vector<std::jthread> callers;
    callers.reserve(kCallers);
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&transport] { EXPECT_TRUE(Get(*transport)); });
    }
  }
  EXPECT_TRUE(Eventually([&] { return server->open_connections() == 2; }));
}

TEST_F(BeastPool, NoticesAConnectionThatTheServerClosedMeanwhile) {
  ServerOptions options;
  options.limits.idle_deadline = std::chrono::milliseconds(50);
  options.tls = Showing(authority_.Server());
  TestServer server(Echo, std::move(options));
  const auto transport = MakeBeastTransport(Options(server)).value();
  ASSERT_TRUE(Get(*transport));
  ASSERT_TRUE(Eventually([&] { return server->open_connections() == 0; }));
  // A POST could not be repeated, so it must not have been tried on the closed connection.
  EXPECT_TRUE(transport->Send({.method = "POST"}, {}, {}));
  EXPECT_EQ(connections_made_, 2);
}

TEST_F(BeastPool, ExpectsTheNameItWasTold) {
  TestServer server(Echo, {.tls = Showing(authority_.ServerFor({"api.example"}, {}))});
  TransportOptions options = Options(server);
  EXPECT_FALSE(Get(*MakeBeastTransport(options).value())) << "127.0.0.1 is not in the certificate";
  options.server_name = "api.example";
  EXPECT_TRUE(Get(*MakeBeastTransport(options).value()));
}

TEST_F(BeastPool, ReachesAnIpv6Address) {
  TestServer server(Echo, {.address = "::1", .tls = Showing(authority_.Server())});
  TransportOptions options = Options(server);
  options.base_url = server.url("[::1]");
  const auto response = Get(*MakeBeastTransport(std::move(options)).value());
  EXPECT_TRUE(response) << response.error().message;
}

TEST_F(BeastPool, IsTheOneToUseWhereCpprestCannotReachAServer) {
  EXPECT_TRUE(CpprestCanReach({.base_url = "https://10.0.0.1:6443"}));
  for (const TransportOptions& options :
       {TransportOptions{.base_url = "http://[fd00::1]:6443"},
        TransportOptions{.base_url = "http://10.0.0.1", .server_name = "api.example"}}) {
    EXPECT_FALSE(CpprestCanReach(options));
    const auto refused = MakeCpprestTransport(options);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("use MakeBeastTransport"));
  }
}

TEST_F(BeastPool, TriesTheNextAddressOfAName) {
  // "localhost" is ::1 and 127.0.0.1 on most machines; the server listens on the second alone.
  TestServer server(Echo);
  const auto transport =
      MakeBeastTransport({.name = "peer", .base_url = server.url("localhost")}).value();
  const auto response = Get(*transport);
  EXPECT_TRUE(response) << response.error().message;
}

}  // namespace
}  // namespace tracekeeper::net
