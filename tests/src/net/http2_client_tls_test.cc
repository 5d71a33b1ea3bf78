// The HTTP/2 client over TLS: whom it trusts, and what it shows, may change while it calls.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/src/net/http2_client_fixture.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {
namespace {

using testing::HasSubstr;

struct TlsPeer {
  TestAuthority authority;
  std::shared_ptr<crypto::ServerTlsSource> source = Showing(authority.Server(), {}, "h2");

  [[nodiscard]] ServerOptions Options() const {
    ServerOptions options;
    options.tls = source;
    return options;
  }
};

Http2ClientOptions Trusting(const std::string& url, const std::string& pem) {
  return {.transport = {.base_url = url,
                        .authorities_pem = [pem] { return Result<std::string>(pem); }}};
}

TEST(Http2ClientTls, AgreesOnHttp2InTheHandshake) {
  const TlsPeer peer;
  TestServer server = Http2Echo(peer.Options());
  const auto client = MakeClient(Trusting(server.url("localhost"), peer.authority.pem()));
  const auto answer = client->Send(Post("hello"), {}, {});
  ASSERT_TRUE(answer) << answer.error().error.message;
  EXPECT_EQ(answer->body, "hello");
}

TEST(Http2ClientTls, RefusesAServerThatDoesNotAgreeOnHttp2) {
  const TlsPeer peer;
  ServerOptions options;
  options.tls = Showing(peer.authority.Server());
  TestServer server(Echo, options);
  const auto client = MakeClient(Trusting(server.url(), peer.authority.pem()));
  const auto answer = client->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("did not agree to HTTP/2"));
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
}

TEST(Http2ClientTls, NamesACertificateItDoesNotTrust) {
  const TlsPeer peer;
  TestServer server = Http2Echo(peer.Options());
  const auto client = MakeClient(Trusting(server.url(), TestAuthority("another").pem()));
  const auto answer = client->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("the certificate shown for 127.0.0.1"));
}

TEST(Http2ClientTls, NeedsAuthorities) {
  const auto client = MakeHttp2Client({.transport = {.name = "p", .base_url = "https://a"}});
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message, HasSubstr("https needs the authorities to trust"));
}

TEST(Http2ClientTls, LosesNoCallWhileAuthoritiesAndCertificatesAreRenewed) {
  const TlsPeer peer;
  TestServer server = Http2Echo(peer.Options());
  std::mutex mutex;
  std::string trusted = peer.authority.pem();
  const auto client = MakeClient({.transport = {.base_url = server.url(), .authorities_pem = [&] {
                                                  const std::lock_guard lock(mutex);
                                                  return Result<std::string>(trusted);
                                                }}});
  std::atomic<int> answered = 0;
  std::atomic<int> failed = 0;
  std::atomic<bool> done = false;
  std::vector<std::jthread> callers(3);
  for (std::jthread& caller : callers) {
    caller = std::jthread([&] {
      while (!done) ++(client->Send(Post("x"), {}, {}) ? answered : failed);
    });
  }
  for (int rotation = 0; rotation < 5; ++rotation) {
    const int before = answered;
    ASSERT_TRUE(Eventually([&] { return answered > before + 50; }));
    const TestAuthority next("authority " + std::to_string(rotation));
    {
      const std::lock_guard lock(mutex);
      trusted = trusted.substr(trusted.rfind("-----BEGIN")) + next.pem();  // old and new together
    }
    client->Renew();
    ASSERT_TRUE(peer.source->Swap(next.Server()));
    client->Renew();
  }
  done = true;
  callers.clear();
  EXPECT_EQ(failed, 0);
}

TEST(Http2ClientTls, AsksAgainWhenItIsRenewedWhileItConnects) {
  const TlsPeer peer;
  TestServer server = Http2Echo(peer.Options());
  std::latch asked(1);
  std::latch renewed(1);
  std::atomic<int> times = 0;
  const auto client = MakeClient(
      {.transport = {.base_url = server.url(), .authorities_pem = [&]() -> Result<std::string> {
                       if (++times > 1) return peer.authority.pem();
                       asked.count_down();
                       renewed.wait();
                       return TestAuthority("retired").pem();
                     }}});
  std::jthread renewal([&] {
    asked.wait();
    client->Renew();
    renewed.count_down();
  });
  EXPECT_TRUE(client->Send(Post("x"), {}, {}));
  EXPECT_EQ(times, 2);
}

TEST(Http2ClientTls, GoesOnWithAConnectionWhoseCertificateIsReplacedByAnExpiredOne) {
  const TlsPeer peer;
  TestServer server = Http2Echo(peer.Options());
  const auto client = MakeClient(Trusting(server.url(), peer.authority.pem()));
  ASSERT_TRUE(client->Send(Post("x"), {}, {}));
  ASSERT_TRUE(peer.source->Swap(peer.authority.ExpiredServer()));
  EXPECT_TRUE(client->Send(Post("x"), {}, {})) << "the open connection is not touched";
  client->Renew();
  const auto answer = client->Send(Post("x"), {}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().error.message, HasSubstr("certificate has expired"));
  EXPECT_EQ(answer.error().delivery, Delivery::kNotProcessed);
  ASSERT_TRUE(peer.source->Swap(peer.authority.Server()));
  EXPECT_TRUE(client->Send(Post("x"), {}, {}));
}

}  // namespace
}  // namespace tracekeeper::net
