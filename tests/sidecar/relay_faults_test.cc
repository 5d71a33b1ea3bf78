// What backends do that a real one won't do on demand: the relay loses nothing of a batch that
// could be delivered, says what went wrong, and waits as long as it was asked to. Time is the
// test's own.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sidecar/export_target.h"
#include "src/crypto/certificate_maker.h"
#include "src/crypto/server_tls_source.h"
#include "src/net/grpc.h"
#include "src/net/server.h"
#include "src/net/transports.h"
#include "src/otlp/export_response.h"
#include "src/otlp/http_exporter.h"
#include "src/otlp/relay.h"
#include "tests/sidecar/fake_backend.h"
#include "tests/sidecar/mounted_config_map.h"
#include "tests/support/eventually.h"
#include "tests/support/manual_clock.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::sidecar {
namespace {

using config::ExportProtocol;
using ::testing::HasSubstr;
using End = Exchange::End;
using std::chrono::minutes;
using std::chrono::seconds;

class RelayFaultsTest : public ::testing::Test {
 protected:
  void Use(std::shared_ptr<otlp::Exporter> exporter) {
    relay_.Configure({.exporter = std::move(exporter)});
  }
  void Use(const config::Export& target) {
    auto made = MakeExportTarget(target, clock_, Logger(log_));
    ASSERT_TRUE(made) << made.error().message;
    Use(made->exporter);
  }
  void AcceptOneSpan() {
    EXPECT_TRUE(relay_.Accept(otlp::Signal::kTraces, otlp::Ingress::kGrpc,
                              test_support::TracesRequest("a", {{}})));
  }
  std::uint64_t Sent() { return relay_.counters().sent[0]; }
  std::uint64_t Rejected() { return relay_.counters().dropped[0].Get(otlp::DropReason::kRejected); }
  std::string Problem() { return relay_.Report().delivery.problem; }
  /// Moves the clock on in steps until `condition` holds.
  bool Until(const std::function<bool()>& condition, Duration step = seconds(1)) {
    return test_support::Eventually(
        [&] {
          if (condition()) return true;
          clock_.Advance(step);
          return condition();
        },
        seconds(20));
  }
  /// Lets the first attempt happen, and no second.
  bool FirstAttempt(const std::function<bool()>& happened) {
    return Until(happened, std::chrono::milliseconds(200)) && clock_.WaitForWaiters(1);
  }

  test_support::ManualClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  otlp::Relay relay_{clock_, Logger(log_)};
};

struct ExchangeCase {
  const char* name;
  Exchange exchange;
  /// Part of what /status says meanwhile; null: the batch is dropped for good.
  const char* problem;
};

class Exchanges : public RelayFaultsTest, public ::testing::WithParamInterface<ExchangeCase> {};

TEST_P(Exchanges, LoseNothingThatCouldBeDelivered) {
  FakeBackend backend;
  backend.Script(GetParam().exchange);
  auto transport = net::MakeBeastTransport({.name = "backend", .base_url = backend.endpoint()});
  ASSERT_TRUE(transport);
  Use(otlp::MakeHttpExporter({.destination = "fake", .deadline = std::chrono::milliseconds(500)},
                             *std::move(transport), nullptr));
  AcceptOneSpan();
  if (GetParam().problem == nullptr) {
    EXPECT_TRUE(Until([&] { return Rejected() == 1; }));
    EXPECT_EQ(backend.requests(), 1U);
    return;
  }
  ASSERT_TRUE(FirstAttempt([&] { return !Problem().empty() || Sent() == 1; }));
  EXPECT_THAT(Problem(), HasSubstr(GetParam().problem));
  EXPECT_TRUE(Until([&] { return Sent() == 1; }));
  EXPECT_EQ(Rejected(), 0U);
  EXPECT_GE(backend.requests(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Http, Exchanges,
    ::testing::Values(
        ExchangeCase{"HtmlPage", {HttpText(200, "text/html", "<html>login</html>")}, "HTML page"},
        ExchangeCase{"HtmlError", {HttpText(500, "text/html", "<html>oops</html>")}, "HTML page"},
        ExchangeCase{"Unavailable", {HttpText(503, "text/plain", "later")}, "HTTP 503"},
        ExchangeCase{
            "Redirect", {HttpText(301, "text/plain", "", "Location: /x\r\n")}, "redirects"},
        ExchangeCase{"Unauthorized", {HttpText(401, "text/plain", "who?")}, "check export.auth"},
        ExchangeCase{"ClosesWithoutAWord", {.bytes = "", .end = End::kClose}, "backend http://"},
        ExchangeCase{"ResetsInItsAnswer",
                     {.bytes = "HTTP/1.1 200 OK\r\nContent-Le", .end = End::kReset},
                     "backend http://"},
        ExchangeCase{
            "EndsBeforeItsBodyDoes",
            {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", .end = End::kClose},
            "backend http://"},
        ExchangeCase{"SlowDrip",
                     {.bytes = HttpText(200, "application/x-protobuf", std::string(500, '\0')),
                      .drip = std::chrono::milliseconds(20),
                      .end = End::kClose},
                     "backend http://"},
        ExchangeCase{"NotHttp",
                     {.bytes = "220 mail.example ESMTP\r\n\r\n", .end = End::kClose},
                     "backend http://"},
        ExchangeCase{
            "EndlessPage",
            {.bytes = HttpText(502, "text/plain", std::string(1U << 20U, 'x')), .end = End::kClose},
            "backend http://"},
        ExchangeCase{"NotFound", {HttpText(404, "text/plain", "no such path")}, nullptr},
        ExchangeCase{"ServerError", {HttpText(500, "text/plain", "panic")}, nullptr}),
    [](const auto& test) { return test.param.name; });

TEST_F(RelayFaultsTest, WaitTenMinutesOfTooManyRequestsWithoutAskingAgain) {
  FakeBackend backend;
  for (int i = 0; i < 2; ++i) {
    backend.Script({HttpText(429, "text/plain", "", "Retry-After: 300\r\n")});
  }
  Use({.endpoint = backend.endpoint(), .protocol = ExportProtocol::kHttpProtobuf});
  AcceptOneSpan();
  ASSERT_TRUE(FirstAttempt([&] { return !Problem().empty(); }));
  for (int minute = 0; minute < 4; ++minute) clock_.Advance(minutes(1));
  EXPECT_EQ(backend.requests(), 1U);
  ASSERT_TRUE(Until([&] { return backend.requests() == 2; }, seconds(30)));
  EXPECT_EQ(Sent(), 0U);
  EXPECT_TRUE(Until([&] { return Sent() == 1; }, seconds(30)));
  EXPECT_EQ(backend.requests(), 3U);
}

/// An HTTP/2 server whose handler the test gives.
class GrpcBackend {
 public:
  explicit GrpcBackend(net::Handler handler, std::uint16_t port = 0)
      : server_(net::MakeHttp2Server({.port = port}, std::move(handler), Logger(log_))) {
    EXPECT_TRUE(server_->Start());
  }
  [[nodiscard]] config::Export target() const {
    return {.endpoint = fmt::format("http://127.0.0.1:{}", server_->port())};
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  void Stop() { server_->Stop(); }

 private:
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::unique_ptr<net::Server> server_;
};

/// Answers with each of `statuses` once, then with success.
net::Handler Statuses(std::vector<net::GrpcStatus> statuses, std::atomic<std::size_t>& calls) {
  return [statuses = std::move(statuses), &calls](const net::Request&) {
    const std::size_t call = calls++;
    return net::WriteGrpcResponse(
        {.status = call < statuses.size() ? statuses[call] : net::GrpcStatus{}});
  };
}

TEST_F(RelayFaultsTest, WaitAsLongAsRetryInfoSays) {
  using net::GrpcCode;
  std::atomic<std::size_t> calls = 0;
  const GrpcBackend backend(Statuses(
      {{GrpcCode::kResourceExhausted, "slow down",
        otlp::WriteRetryInfo(GrpcCode::kResourceExhausted, "slow down", minutes(3))},
       {GrpcCode::kUnavailable, "", otlp::WriteRetryInfo(GrpcCode::kUnavailable, "", minutes(3))}},
      calls));
  Use(backend.target());
  AcceptOneSpan();
  ASSERT_TRUE(FirstAttempt([&] { return !Problem().empty(); }));
  EXPECT_THAT(Problem(), HasSubstr("RESOURCE_EXHAUSTED: slow down"));
  clock_.Advance(minutes(2));
  EXPECT_EQ(calls, 1U);
  ASSERT_TRUE(Until([&] { return calls == 2; }, seconds(20)));
  EXPECT_TRUE(Until([&] { return Sent() == 1; }, seconds(20)));
}

TEST_F(RelayFaultsTest, TakeAnHtmlPageOverHttp2ForAProxy) {
  std::atomic<std::size_t> calls = 0;
  const GrpcBackend backend([&calls](const net::Request&) -> net::Response {
    if (calls++ == 0) return {200, {{"Content-Type", "text/html"}}, "<html>"};
    return net::WriteGrpcResponse({});
  });
  Use(backend.target());
  AcceptOneSpan();
  ASSERT_TRUE(FirstAttempt([&] { return !Problem().empty(); }));
  EXPECT_THAT(Problem(), HasSubstr("HTML page"));
  EXPECT_TRUE(Until([&] { return Sent() == 1; }));
}

TEST_F(RelayFaultsTest, DeliverAgainAfterTheServerWentAwayInTheMiddleOfACall) {
  std::atomic<std::size_t> calls = 0;
  std::optional<GrpcBackend> backend(std::in_place, Statuses({}, calls));
  const std::uint16_t port = backend->port();
  Use(backend->target());
  AcceptOneSpan();
  ASSERT_TRUE(Until([&] { return Sent() == 1; }));
  backend->Stop();  // GOAWAY to the connection that stays open between batches
  backend.reset();
  AcceptOneSpan();
  ASSERT_TRUE(FirstAttempt([&] { return !Problem().empty(); }));
  backend.emplace(Statuses({}, calls), port);
  EXPECT_TRUE(Until([&] { return Sent() == 2; }));
  EXPECT_EQ(calls, 2U);
}

TEST_F(RelayFaultsTest, SayThatTheBackendsCertificateExpiredAndGoOnWhenItIsRenewed) {
  const Instant now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const crypto::CertificateValidity good{.now = now};
  const crypto::CertificateValidity over{.now = now - std::chrono::hours(48),
                                         .lifetime = std::chrono::hours(24)};
  const auto authority = crypto::MakeCertificateAuthority(
      "test", {.now = now - std::chrono::hours(72), .lifetime = std::chrono::hours(240)});
  ASSERT_TRUE(authority);
  const auto issue = [&](const crypto::CertificateValidity& validity) {
    auto pair = crypto::IssueCertificate(
        *authority, {.common_name = "backend", .ip_addresses = {"127.0.0.1"}}, validity);
    EXPECT_TRUE(pair);
    return std::make_shared<const crypto::CertificatePair>(*std::move(pair));
  };
  const MountedConfigMap folder;
  const std::string ca_file = folder.folder() / "ca.crt";
  std::ofstream(ca_file) << authority->chain_pem();

  auto tls = std::make_shared<crypto::ServerTlsSource>();
  ASSERT_TRUE(tls->Swap(issue(good)));
  net::ServerOptions options{.tls = tls};
  options.limits.idle_deadline = std::chrono::milliseconds(200);  // so that a new one is needed
  const auto server = net::MakeBeastServer(
      options, [](const net::Request&) { return net::Response{}; }, Logger(log_));
  ASSERT_TRUE(server->Start());
  Use({.endpoint = fmt::format("https://127.0.0.1:{}", server->port()),
       .protocol = ExportProtocol::kHttpProtobuf,
       .tls = {.ca_file = ca_file}});
  AcceptOneSpan();
  ASSERT_TRUE(Until([&] { return Sent() == 1; }));

  ASSERT_TRUE(tls->Swap(issue(over)));
  ASSERT_TRUE(
      test_support::Eventually([&] { return server->open_connections() == 0; }, seconds(10)));
  AcceptOneSpan();
  ASSERT_TRUE(FirstAttempt([&] { return !Problem().empty(); }));
  EXPECT_THAT(Problem(), HasSubstr("certificate has expired"));
  ASSERT_TRUE(tls->Swap(issue(good)));
  EXPECT_TRUE(Until([&] { return Sent() == 2; }));
}

}  // namespace
}  // namespace tracekeeper::sidecar
