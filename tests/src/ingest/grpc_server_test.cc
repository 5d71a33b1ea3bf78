// The gRPC server under load, in trouble, and at its end.

#include "src/ingest/grpc_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "src/net/http2_client.h"
#include "src/otlp/export_response.h"
#include "tests/src/ingest/bulk_servers.h"
#include "tests/src/ingest/peak_memory.h"
#include "tests/src/net/http2_frames.h"
#include "tests/src/net/raw_socket.h"
#include "tests/src/net/test_certificates.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::ingest {
namespace {

using net::GrpcCode;
using otlp::Signal;
using testing::HasSubstr;

const std::string kMethod(otlp::GrpcMethodOf(Signal::kTraces));

std::string Traces() { return test_support::TracesRequest("a", {{}, {}}); }

/// The beginning of a call whose message never comes to its end.
std::string UnfinishedCall() {
  namespace http2 = net::http2;
  const std::string head = http2::HeaderBlock({{":method", "POST"},
                                               {":scheme", "http"},
                                               {":authority", "a"},
                                               {":path", kMethod},
                                               {"content-type", "application/grpc"},
                                               {"te", "trailers"}});
  const std::string message = std::string(1, '\0') + http2::Number(1'000) + "the rest is missing";
  return http2::Hello() + http2::Frame(http2::Type::kHeaders, http2::kEndHeaders, 1, head) +
         http2::Frame(http2::Type::kData, http2::kNoFlags, 1, message);
}

bool CanConnect(std::uint16_t port) {
  try {
    net::RawSocket::To(port);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::future<net::GrpcReply> CallLater(BulkServers& servers) {
  return std::async(std::launch::async, [&servers] {
    return BulkServers::CallBy(*servers.GrpcClient(), kMethod, Traces());
  });
}

TEST(GrpcServer, RefusesWhatIsTooLarge) {
  BulkServers servers({.limits = {.request_bytes = 1'000'000}});
  const auto reply = servers.Call(kMethod, std::string(1'000'001, 'x'));
  EXPECT_EQ(reply.status.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(reply.status.message,
            "the message of 1000001 bytes is longer than the 1000000 that are taken: send smaller "
            "batches");
  EXPECT_EQ(servers.intake.refused(otlp::RefuseReason::kTooLarge), 1U);
}

TEST(GrpcServer, HoldsNoMoreThanItsMemory) {
  BulkServers servers({.memory_bytes = 32U << 20U});
  const auto request =
      net::WriteGrpcRequest({.method = kMethod, .message = std::string(100U << 20U, 'x')}, {});
  const PeakMemory memory;
  EXPECT_FALSE(servers.GrpcClient()->Send(request, {.deadline = std::chrono::seconds(60)}, {}))
      << "the stream is reset";
  EXPECT_LT(memory.Growth(), 64U << 20U);
  EXPECT_TRUE(servers.Call(kMethod, Traces()).status.ok()) << "the others are served";
}

TEST(GrpcServer, TurnsAwayCallsThatAreTooMany) {
  BulkServers servers({.threads = 2, .calls = 1});
  servers.intake.Hold();
  auto first = CallLater(servers);
  servers.intake.WaitForOne();
  const auto second = servers.Call(kMethod, Traces());
  EXPECT_EQ(second.status.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(second.status.message, "1 calls at once are the most that are taken");
  EXPECT_EQ(otlp::ReadRetryInfo(second.status.details_base64), std::chrono::seconds(1));
  EXPECT_EQ(servers.intake.refused(otlp::RefuseReason::kQueueFull), 1U);
  servers.intake.LetGo();
  EXPECT_TRUE(first.get().status.ok());
  EXPECT_TRUE(net::Eventually([&] { return servers.grpc.open_calls() == 0; }));
  EXPECT_TRUE(servers.Call(kMethod, Traces()).status.ok());
}

TEST(GrpcServer, CancelsCallsThatTakeTooLong) {
  BulkServers servers({.call_deadline = std::chrono::milliseconds(50)});
  net::RawSocket peer = net::RawSocket::To(servers.grpc.port());
  ASSERT_TRUE(peer.Send(UnfinishedCall()));
  EXPECT_TRUE(net::Eventually([&] { return servers.grpc.open_calls() == 1; }));
  EXPECT_TRUE(net::Eventually([&] { return servers.grpc.open_calls() == 0; }));
}

TEST(GrpcServer, AnswersTheCallsUnderWayBeforeItEnds) {
  BulkServers servers;
  servers.intake.Hold();
  auto under_way = CallLater(servers);
  servers.intake.WaitForOne();
  const std::uint16_t port = servers.grpc.port();
  std::jthread drain([&] { servers.grpc.Drain(std::chrono::seconds(60)); });
  // From now on nobody gets in.
  EXPECT_TRUE(net::Eventually([&] { return !CanConnect(port); }));
  servers.intake.LetGo();
  EXPECT_TRUE(under_way.get().status.ok());
  drain.join();
  EXPECT_EQ(servers.grpc.open_calls(), 0U);
  EXPECT_EQ(servers.intake.TakeAll().size(), 1U);
}

TEST(GrpcServer, AnswersAllThatItTookWhenItDrainsUnderLoad) {
  BulkServers servers({.threads = 2});
  const auto request =
      net::WriteGrpcRequest({.method = kMethod, .message = Traces()}, net::Headers());
  std::atomic<std::size_t> answered = 0;
  std::vector<std::jthread> peers(4);
  for (std::jthread& peer : peers) {
    peer = std::jthread([&, client = std::shared_ptr(servers.GrpcClient())] {
      for (;;) {
        auto answer = client->Send(request, {.deadline = std::chrono::seconds(60)}, {});
        if (!answer || !net::ReadGrpcResponse(*std::move(answer)).status.ok()) return;
        ++answered;
      }
    });
  }
  EXPECT_TRUE(net::Eventually([&] { return answered > 200; }));
  servers.grpc.Drain(std::chrono::seconds(60));
  peers.clear();  // joins
  EXPECT_EQ(servers.intake.TakeAll().size(), answered);
}

TEST(GrpcServer, EndsInTimeWhateverItsPeersDo) {
  BulkServers servers;
  net::RawSocket peer = net::RawSocket::To(servers.grpc.port());
  ASSERT_TRUE(peer.Send(UnfinishedCall()));
  EXPECT_TRUE(net::Eventually([&] { return servers.grpc.open_calls() == 1; }));
  servers.grpc.Drain(std::chrono::milliseconds(10));
  EXPECT_EQ(servers.grpc.open_calls(), 0U);
  servers.grpc.Stop();
}

/// That trusts `authority`, and shows `certificate` where there is one.
std::unique_ptr<net::Http2Client> TlsClient(const BulkServers& servers,
                                            const net::TestAuthority& authority,
                                            const net::CertificatePtr& certificate = nullptr) {
  net::TransportOptions options;
  options.base_url = "https://127.0.0.1:" + std::to_string(servers.grpc.port());
  options.authorities_pem = [pem = authority.pem()] { return pem; };
  options.client_certificate = [certificate] { return certificate; };
  return *net::MakeHttp2Client({.transport = std::move(options)});
}

TEST(GrpcServer, SpeaksTls) {
  const net::TestAuthority authority;
  BulkServers servers({.tls = net::Showing(authority.Server())});
  const auto client = TlsClient(servers, authority);
  EXPECT_TRUE(BulkServers::CallBy(*client, kMethod, Traces()).status.ok());
  EXPECT_EQ(servers.intake.TakeAll().size(), 1U);
}

TEST(GrpcServer, ShowsNewConnectionsASwappedCertificateAndCutsNoOpenOne) {
  const net::TestAuthority first("first");
  const net::TestAuthority second("second");
  const auto source = net::Showing(first.Server());
  BulkServers servers({.tls = source});
  const auto before = TlsClient(servers, first);
  EXPECT_TRUE(BulkServers::CallBy(*before, kMethod, Traces()).status.ok());
  ASSERT_TRUE(source->Swap(second.Server()));
  EXPECT_TRUE(BulkServers::CallBy(*before, kMethod, Traces()).status.ok()) << "it is still open";
  EXPECT_TRUE(BulkServers::CallBy(*TlsClient(servers, second), kMethod, Traces()).status.ok());
  EXPECT_THROW(BulkServers::CallBy(*TlsClient(servers, first), kMethod, Traces()),
               std::runtime_error);
  EXPECT_EQ(servers.intake.TakeAll().size(), 3U);
}

TEST(GrpcServer, TakesClientsOfItsAuthoritiesAloneAndFollowsThose) {
  const net::TestAuthority authority;
  const net::TestAuthority others("others");
  const auto source = net::Showing(authority.Server(), authority.pem());
  BulkServers servers({.tls = source});
  const auto is_taken = [&](const net::CertificatePtr& certificate) {
    try {
      const auto client = TlsClient(servers, authority, certificate);
      return BulkServers::CallBy(*client, kMethod, Traces()).status.ok();
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  EXPECT_TRUE(is_taken(authority.Client("sender")));
  EXPECT_FALSE(is_taken(others.Client("sender")));
  EXPECT_FALSE(is_taken(nullptr));
  ASSERT_TRUE(source->Swap(authority.Server(), others.pem()));
  EXPECT_TRUE(is_taken(others.Client("sender")));
  EXPECT_FALSE(is_taken(authority.Client("sender")));
  ASSERT_TRUE(source->Swap(authority.Server(), ""));
  EXPECT_TRUE(is_taken(others.Client("sender")));
  EXPECT_FALSE(is_taken(nullptr)) << "it began by asking";
}

class GrpcServerStart : public testing::Test {
 protected:
  Result<std::uint16_t> Start(GrpcServerOptions options) {
    GrpcServer server(std::move(options), intake_, Logger(log_));
    TRY(server.Start());
    return server.port();
  }
  std::string ErrorOf(GrpcServerOptions options) {
    const auto port = Start(std::move(options));
    return port ? "no error" : port.error().message;
  }

  std::string Logged() {
    const std::scoped_lock guard(mutex_);
    return lines_;
  }

  otlp::ScriptedIntake intake_;
  std::mutex mutex_;
  std::string lines_;
  Log log_{LogLevel::kWarn, [this](LogLevel, std::string_view line) {
             const std::scoped_lock guard(mutex_);
             lines_.append(line).append("\n");
           }};
};

TEST_F(GrpcServerStart, SaysInASentenceThatThePortIsTaken) {
  GrpcServer first({}, intake_, Logger(log_));
  ASSERT_TRUE(first.Start());
  ASSERT_NE(first.port(), 0);
  EXPECT_EQ(
      ErrorOf({.port = first.port()}),
      fmt::format("otlp-grpc: cannot listen on 127.0.0.1 port {}: Address already in use: end "
                  "what listens there, or choose another port",
                  first.port()));
  EXPECT_THAT(Logged(), HasSubstr("msg=\"gRPC reported a problem\" server=otlp-grpc"));
}

TEST_F(GrpcServerStart, SaysWhatAnAddressMustBe) {
  EXPECT_THAT(ErrorOf({.address = "localhost"}),
              HasSubstr("\"localhost\" is not an IP address to listen on"));
}

TEST_F(GrpcServerStart, ListensOnEveryAddress) {
  EXPECT_TRUE(Start({.address = "::"}));
  EXPECT_TRUE(Start({.address = "0.0.0.0"}));
}

TEST_F(GrpcServerStart, NeedsACertificate) {
  EXPECT_THAT(ErrorOf({.tls = std::make_shared<crypto::ServerTlsSource>()}),
              HasSubstr("there is no certificate to show yet"));
}

TEST_F(GrpcServerStart, CanBeDestroyedWithoutHavingStarted) {
  GrpcServer server({}, intake_, Logger(log_));
  server.Stop();
}

}  // namespace
}  // namespace tracekeeper::ingest
