// Both clients against our own server: what is sent, what comes back, whom they trust.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "src/net/transports.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/src/net/test_server.h"
#include "tests/src/net/transport_adapters.h"

namespace tracekeeper::net {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class Calls : public TransportTest {};
INSTANTIATE_TEST_SUITE_P(Transport, Calls, testing::ValuesIn(kAdapters),
                         testing::PrintToStringParamName());

TEST_P(Calls, GiveEveryStatusAsASuccess) {
  TestServer server([](const Request& request) {
    return Response{std::stoi(request.target.substr(1)), {{"X-Seen", "yes"}}, "text"};
  });
  const auto transport = To(server.url());
  for (const int status : {200, 201, 202, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503}) {
    const auto response = Get(*transport, "/" + std::to_string(status));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body, "text") << status;
    EXPECT_EQ(response->headers.Get("x-seen"), "yes");
  }
}

TEST_P(Calls, GiveAnAnswerWithoutABody) {
  TestServer server([](const Request&) { return Response{204}; });
  const auto response = Get(*To(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->body, "");
}

TEST_P(Calls, SendMethodTargetHeadersAndBody) {
  TestServer server(Echo);
  const auto transport = To(server.url());
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    const bool has_body = std::string(method) != "GET";
    const Request request{.method = method,
                          .target = "/apis/a%2Fb/c?limit=500&continue=x%3Dy",
                          .headers = {{"X-Echo", "kept"}, {"Content-Type", "application/json"}},
                          .body = has_body ? R"({"a":1})" : ""};
    const auto response = transport->Send(request, {}, {});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->headers.Get("X-Method"), method);
    EXPECT_EQ(response->headers.Get("X-Target"), request.target);
    EXPECT_EQ(response->headers.Get("X-Echo"), "kept");
    EXPECT_EQ(response->body, request.body);
  }
}

TEST_P(Calls, SendAPostWithoutABody) {
  TestServer server([](const Request& request) {
    return Response{200, {{"X-Length", request.headers.Get("Content-Length").data()}}, ""};
  });
  const auto response = To(server.url())->Send({.method = "POST"}, {}, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
}

TEST_P(Calls, GiveTheHeadersOfHead) {
  TestServer server([](const Request&) { return Response{200, {{"X-Seen", "yes"}}, "unsent"}; });
  const auto transport = To(server.url());
  for (int i = 0; i < 2; ++i) {
    const auto response = transport->Send({.method = "HEAD"}, {}, {});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->headers.Get("X-Seen"), "yes");
    EXPECT_EQ(response->body, "");
  }
}

TEST_P(Calls, CarryLargeBodiesBothWays) {
  ServerOptions options;
  options.limits.body_bytes = 64U << 20U;
  TestServer server(Echo, options);
  std::string body(24U << 20U, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 + i / 4096);
  const auto response =
      To(server.url())->Send({.method = "PUT", .target = "/", .body = body}, {}, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_TRUE(response->body == body);
}

TEST_P(Calls, RefuseAnAnswerOverTheLimit) {
  TestServer server([](const Request&) { return Response{200, {}, std::string(100000, 'x')}; });
  const auto transport = To(server.url());
  const auto refused = Get(*transport, "/", {.body_limit = 99999});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kDecode) << refused.error().message;
  EXPECT_TRUE(Get(*transport, "/", {.body_limit = 100000}));
}

TEST_P(Calls, KeepTheirConnection) {
  TestServer server(Echo);
  const auto transport = To(server.url());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Get(*transport));
  EXPECT_LT(server->open_connections(), 10U) << "cpprest gives a connection back a moment late";
}

TEST_P(Calls, MayBeMadeFromManyThreads) {
  TestServer server(Echo, {.threads = 2});
  const auto transport = To(server.url());
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 100; ++i) {
          const std::string body = std::to_string(caller) + "/" + std::to_string(i);
          const auto response =
              transport->Send({.method = "PUT", .target = "/", .body = body}, {}, {});
          if (response && response->body == body) ++right;
        }
      });
    }
  }
  EXPECT_EQ(right, 800);
}

TEST_P(Calls, SayWhoWasAskedWhatAndWhyItFailed) {
  std::string url;
  {
    TestServer gone(Echo);
    url = gone.url();
  }
  const auto failed = Get(*To(url), "/api/v1/pods?token=hush");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("peer " + url + ": GET /api/v1/pods: "));
  EXPECT_THAT(failed.error().message, Not(HasSubstr("hush"))) << "a query may hold a secret";
}

TEST_P(Calls, RefuseARequestThatWouldBreakOutOfItsLine) {
  TestServer server(Echo);
  const auto transport = To(server.url());
  for (const Request& request :
       {Request{.method = "GET /x HTTP/1.1\r\nA:"}, Request{.target = "/a b"},
        Request{.target = "no-slash"}, Request{.headers = {{"X", "a\r\nY: b"}}}}) {
    const auto refused = transport->Send(request, {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid) << refused.error().message;
  }
}

TEST_P(Calls, DoNotFollowRedirects) {
  std::atomic<int> reached = 0;
  TestServer elsewhere([&reached](const Request&) {
    ++reached;
    return Response{};
  });
  TestServer server([&elsewhere](const Request&) {
    return Response{302, {{"Location", elsewhere.url() + "/"}}, ""};
  });
  const auto response =
      To(server.url())->Send({.headers = {{"Authorization", "Bearer secret"}}}, {}, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(reached, 0);
}

TEST_P(Calls, IgnoreProxiesOfTheEnvironment) {
  for (const char* name : {"http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
    ::setenv(name, "http://127.0.0.1:1", 1);
  }
  TestServer server(Echo);
  EXPECT_TRUE(Get(*To(server.url())));
  for (const char* name : {"http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
    ::unsetenv(name);
  }
}

class Trust : public TransportTest {
 protected:
  static TestServer Serve(CertificatePtr certificate) {
    ServerOptions options;
    options.tls = Showing(std::move(certificate));
    return TestServer(Echo, std::move(options));
  }

  TestAuthority authority_;
};
INSTANTIATE_TEST_SUITE_P(Transport, Trust, testing::ValuesIn(kAdapters),
                         testing::PrintToStringParamName());

TEST_P(Trust, AcceptsACertificateOfTheGivenAuthority) {
  auto server = Serve(authority_.Server());
  const auto transport = To(server.url(), authority_.pem());
  for (int i = 0; i < 20; ++i) {
    const auto response = Get(*transport);
    ASSERT_TRUE(response) << response.error().message;
  }
  EXPECT_LT(server->open_connections(), 10U) << "cpprest gives a connection back a moment late";
  EXPECT_TRUE(Get(*To(server.url("localhost"), authority_.pem())));
}

struct RefusalCase {
  const char* name;
  CertificatePtr (*certificate)(const TestAuthority& trusted);
  const char* host;
  std::vector<std::string> reasons;
};

TEST_P(Trust, RefusesEveryOtherCertificateAndSaysWhy) {
  const RefusalCase cases[] = {
      {"another authority",
       [](const auto&) { return TestAuthority("stranger").Server(); },
       "127.0.0.1",
       {"local issuer certificate"}},
      {"expired",
       [](const auto& trusted) { return trusted.ExpiredServer(); },
       "127.0.0.1",
       {"certificate has expired"}},
      {"another name",
       [](const auto& trusted) { return trusted.ServerFor({"other"}, {}); },
       "localhost",
       {"hostname mismatch", "names another host"}},
      {"another address",
       [](const auto& trusted) { return trusted.ServerFor({}, {"10.0.0.1"}); },
       "127.0.0.1",
       {"IP address mismatch", "names another host"}},
      {"a name where an address is dialled",
       [](const auto& trusted) { return trusted.ServerFor({"localhost"}, {}); },
       "127.0.0.1",
       {"IP address mismatch", "names another host"}},
      {"a client's certificate",
       [](const auto& trusted) { return trusted.Client("robot"); },
       "127.0.0.1",
       {"unsuitable certificate purpose", "unsupported certificate purpose"}},
  };
  for (const RefusalCase& example : cases) {
    SCOPED_TRACE(example.name);
    auto server = Serve(example.certificate(authority_));
    const auto refused = Get(*To(server.url(example.host), authority_.pem()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(refused.error().message,
                AnyOf(HasSubstr(example.reasons.front()), HasSubstr(example.reasons.back())));
  }
}

TEST_P(Trust, ReadsTheAuthoritiesAnewForEachConnection) {
  auto server = Serve(authority_.Server());
  std::string pem = TestAuthority("stranger").pem();
  const auto transport = Make({.name = "peer", .base_url = server.url(), .authorities_pem = [&pem] {
                                 return Result<std::string>(pem);
                               }});
  EXPECT_FALSE(Get(*transport));
  pem = authority_.pem();
  EXPECT_TRUE(Get(*transport)) << "a renewed file takes effect without a restart";
}

TEST_P(Trust, PassesOnThatTheAuthoritiesCannotBeRead) {
  auto server = Serve(authority_.Server());
  const auto transport = Make(
      {.name = "peer", .base_url = server.url(), .authorities_pem = []() -> Result<std::string> {
         return Fail(ErrorKind::kNotFound, "read /var/ca.crt: no such file");
       }});
  const auto failed = Get(*transport);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("read /var/ca.crt: no such file"));
}

TEST_P(Trust, ShowsItsOwnCertificateWhereOneIsDemanded) {
  ServerOptions options;
  options.tls = Showing(authority_.Server(), authority_.pem());
  TestServer server(Echo, std::move(options));
  CertificatePtr own;
  const auto transport =
      Make({.name = "peer",
            .base_url = server.url(),
            .authorities_pem = [this] { return Result<std::string>(authority_.pem()); },
            .client_certificate = [&own] { return Result<CertificatePtr>(own); }});
  const auto refused = Get(*transport);
  ASSERT_FALSE(refused) << "without a certificate";
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  own = TestAuthority("stranger").Client("robot");
  EXPECT_FALSE(Get(*transport)) << "with one of another authority";
  own = authority_.Client("robot");
  const auto accepted = Get(*transport);
  EXPECT_TRUE(accepted) << accepted.error().message;
}

TEST_P(Trust, IsNeverGivenToPlainHttpByMistake) {
  EXPECT_FALSE(GetParam().make({.name = "peer", .base_url = "https://127.0.0.1:1"}))
      << "https without authorities would trust nobody or everybody";
}

}  // namespace
}  // namespace tracekeeper::net
