// The sidecar relays to a real OpenTelemetry Collector, from senders that are real SDKs too.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "src/crypto/certificate_maker.h"
#include "tests/sidecar/relay_bed.h"
#include "tests/support/built_program.h"
#include "tests/support/eventually.h"
#include "tests/support/folders.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::sidecar {
namespace {

using config::Compression;
using config::Export;
using config::ExportProtocol;
using std::chrono::seconds;
using test_support::Collector;
using ::testing::HasSubstr;

constexpr const char* kSent = "tracekeeper_sidecar_sent_total{signal=\"traces\"}";

class RelayCollectorTest : public ::testing::Test {
 protected:
  void StartCollector(test_support::CollectorOptions options = {}) {
    options.folder = bed_.folder();
    auto started = Collector::Start(std::move(options));
    ASSERT_TRUE(started) << started.error().message;
    collector_.emplace(*std::move(started));
  }
  [[nodiscard]] Export To(ExportProtocol protocol, Compression compression = Compression::kGzip) {
    return {.endpoint = protocol == ExportProtocol::kGrpc ? collector_->grpc_endpoint()
                                                          : collector_->http_endpoint(),
            .protocol = protocol,
            .compression = compression};
  }
  void ExpectEverySpanArrived() {
    EXPECT_TRUE(collector_->WaitForSpans(bed_.sent()))
        << collector_->SpanIds().size() << " of " << bed_.sent().size() << " arrived\n"
        << bed_.sidecar().Get("/status")->body << "\n"
        << bed_.sidecar().process().ReadLog() << collector_->Log();
  }

  RelayBed bed_;
  std::optional<Collector> collector_;
};

struct WayCase {
  const char* name;
  ExportProtocol protocol;
  Compression compression;
};

class Ways : public RelayCollectorTest, public ::testing::WithParamInterface<WayCase> {};

TEST_P(Ways, DeliverEverySpan) {
  StartCollector();
  bed_.Publish(To(GetParam().protocol, GetParam().compression));
  bed_.StartSidecar();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(bed_.Send(25), 25);
  ExpectEverySpanArrived();
  EXPECT_TRUE(bed_.WaitForMetric(kSent, [](double sent) { return sent == 500; }));
}

INSTANTIATE_TEST_SUITE_P(
    All, Ways,
    ::testing::Values(WayCase{"HttpPlain", ExportProtocol::kHttpProtobuf, Compression::kNone},
                      WayCase{"HttpGzip", ExportProtocol::kHttpProtobuf, Compression::kGzip},
                      WayCase{"HttpZstd", ExportProtocol::kHttpProtobuf, Compression::kZstd},
                      WayCase{"GrpcPlain", ExportProtocol::kGrpc, Compression::kNone},
                      WayCase{"GrpcGzip", ExportProtocol::kGrpc, Compression::kGzip},
                      WayCase{"GrpcZstd", ExportProtocol::kGrpc, Compression::kZstd}),
    [](const auto& test) { return test.param.name; });

class BothProtocols : public RelayCollectorTest,
                      public ::testing::WithParamInterface<ExportProtocol> {
 protected:
  /// Certificates for a server on 127.0.0.1 and for a client, and their authority, as files.
  void MakeCertificates() {
    const crypto::CertificateValidity valid{
        .now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
    const auto authority = crypto::MakeCertificateAuthority("test", valid);
    ASSERT_TRUE(authority);
    Write("ca.crt", authority->chain_pem());
    Issue(*authority, valid, crypto::CertificateUse::kServer, "server");
    Issue(*authority, valid, crypto::CertificateUse::kClient, "client");
  }
  std::string Write(const std::string& name, std::string_view text) {
    std::ofstream(bed_.folder() / name) << text;
    return bed_.folder() / name;
  }
  [[nodiscard]] std::string Path(const char* name) const { return bed_.folder() / name; }

 private:
  void Issue(const crypto::CertificatePair& authority, const crypto::CertificateValidity& valid,
             crypto::CertificateUse use, const std::string& name) {
    const auto pair = crypto::IssueCertificate(
        authority, {.common_name = name, .dns_names = {"collector.test"}, .use = use}, valid);
    ASSERT_TRUE(pair) << pair.error().message;
    Write(name + ".crt", pair->chain_pem());
    Write(name + ".key", pair->private_key_pem().Reveal());
  }
};

INSTANTIATE_TEST_SUITE_P(All, BothProtocols,
                         ::testing::Values(ExportProtocol::kHttpProtobuf, ExportProtocol::kGrpc),
                         [](const auto& test) {
                           return test.param == ExportProtocol::kGrpc ? "Grpc" : "Http";
                         });

TEST_P(BothProtocols, DeliverOverMutualTlsWithATokenThatIsRotatedWhileTheyRun) {
  MakeCertificates();
  const std::string token_file = Write("collector-token", "first-token");
  StartCollector({.certificate_file = Path("server.crt"),
                  .key_file = Path("server.key"),
                  .client_authority_file = Path("ca.crt"),
                  .token_file = token_file});
  bed_.credential().Publish("first-token\n");
  Export target = To(GetParam());
  target.tls = {.ca_file = Path("ca.crt"),
                .certificate_file = Path("client.crt"),
                .key_file = Path("client.key"),
                .server_name = "collector.test"};
  target.auth = config::ExportAuth{.file = bed_.credential().file()};
  bed_.Publish(target);
  bed_.StartSidecar();
  EXPECT_EQ(bed_.Send(50), 50);
  ExpectEverySpanArrived();

  // The backend knows only the new token from now on; the kubelet brings it to the pod later.
  Write("collector-token", "second-token");
  EXPECT_TRUE(test_support::Eventually(
      [&] {
        bed_.Send(10);
        return bed_.Metric("tracekeeper_sidecar_export_failing") == 1;
      },
      seconds(30)))
      << "the Collector still takes the old token";
  EXPECT_THAT(bed_.sidecar().Get("/status")->body, HasSubstr("check export.auth"));
  bed_.credential().Publish("second-token\n");
  EXPECT_EQ(bed_.Send(50), 50);
  ExpectEverySpanArrived();
  const std::string status = bed_.sidecar().Get("/status")->body;
  EXPECT_THAT(status, HasSubstr("\"version\":\"..2026_01_02_03_04_05.2\""));
  EXPECT_THAT(status, ::testing::Not(HasSubstr("second-token")));
  EXPECT_THAT(bed_.sidecar().process().ReadLog(), ::testing::Not(HasSubstr("-token ")));
}

TEST_P(BothProtocols, LoseNothingWhileTheCollectorIsStoppedOrKilled) {
  StartCollector();
  bed_.Publish(To(GetParam()));
  bed_.StartSidecar();
  EXPECT_EQ(bed_.Send(100), 100);
  ExpectEverySpanArrived();
  for (const int signal : {SIGTERM, SIGKILL}) {
    collector_->Stop(signal);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(bed_.Send(20), 20);
    EXPECT_TRUE(bed_.WaitForMetric("tracekeeper_sidecar_export_failing",
                                   [](double failing) { return failing == 1; }));
    ASSERT_TRUE(collector_->StartAgain());
    EXPECT_EQ(bed_.Send(20), 20);
    ExpectEverySpanArrived();
  }
  EXPECT_EQ(
      bed_.Metric("tracekeeper_sidecar_dropped_total{signal=\"traces\",reason=\"queue_full\"}"), 0);
}

TEST_P(BothProtocols, SaysWhenTheCertificateIsNotTheBackends) {
  MakeCertificates();
  StartCollector({.certificate_file = Path("server.crt"), .key_file = Path("server.key")});
  Export target = To(GetParam());
  target.tls = {.ca_file = Path("ca.crt"), .server_name = "another.test"};
  bed_.Publish(target);
  bed_.StartSidecar();
  EXPECT_EQ(bed_.Send(10), 10);
  EXPECT_TRUE(bed_.WaitForMetric("tracekeeper_sidecar_export_failing",
                                 [](double failing) { return failing == 1; }));
  EXPECT_THAT(bed_.sidecar().WaitForBody("/status", "mismatch"), HasSubstr("mismatch"));
  // Mended by an edit of the policy: the next attempt takes the batch that waits.
  target.tls.server_name = "collector.test";
  bed_.Publish(target);
  ExpectEverySpanArrived();
}

TEST_P(BothProtocols, TakeAnyCertificateOnlyWhereThePolicySaysSo) {
  MakeCertificates();
  StartCollector({.certificate_file = Path("server.crt"), .key_file = Path("server.key")});
  Export target = To(GetParam());
  target.tls.insecure_skip_verify = true;
  bed_.Publish(target);
  bed_.StartSidecar();
  EXPECT_EQ(bed_.Send(10), 10);
  ExpectEverySpanArrived();
  EXPECT_THAT(bed_.sidecar().process().ReadLog(), HasSubstr("Takes any certificate"));
}

TEST_P(BothProtocols, DeliverMetricsAndLogsToo) {
  StartCollector();
  bed_.Publish(To(GetParam()));
  bed_.StartSidecar();
  bed_.Post("/v1/metrics", test_support::MetricsRequest({2, 3}));
  bed_.Post("/v1/logs", test_support::LogsRequest({"", test_support::IdOf(7, 16)}));
  EXPECT_TRUE(bed_.WaitForMetric("tracekeeper_sidecar_sent_total{signal=\"metrics\"}",
                                 [](double sent) { return sent == 5; }));
  EXPECT_TRUE(bed_.WaitForMetric("tracekeeper_sidecar_sent_total{signal=\"logs\"}",
                                 [](double sent) { return sent == 2; }));
  EXPECT_TRUE(test_support::Eventually(
      [&] {
        const std::string written = collector_->Written();
        return written.find("resourceMetrics") != std::string::npos &&
               written.find("\"traceId\":\"00000000000000000000000000000007\"") !=
                   std::string::npos;
      },
      seconds(20)));
}

TEST_F(RelayCollectorTest, LosesNothingWhileItsConfigurationIsEditedUnderLoad) {
  StartCollector();
  bed_.Publish(To(ExportProtocol::kHttpProtobuf));
  bed_.StartSidecar();
  std::atomic<bool> done = false;
  std::jthread load([&] {
    while (!done) bed_.Send(20);
  });
  const ExportProtocol protocols[] = {ExportProtocol::kGrpc, ExportProtocol::kHttpProtobuf};
  const Compression compressions[] = {Compression::kNone, Compression::kZstd, Compression::kGzip};
  for (int i = 0; i < 12; ++i) {
    bed_.Publish(To(protocols[i % 2], compressions[i % 3]), [&](config::SidecarConfig& config) {
      config.relay = config::Relay{.batch_items = 50 + 100 * (i % 4)};
    });
  }
  done = true;
  load.join();
  EXPECT_GT(bed_.sent().size(), 100U);
  ExpectEverySpanArrived();
  EXPECT_EQ(bed_.Metric("tracekeeper_sidecar_config_reloads_total{result=\"applied\"}"), 13);
}

TEST_F(RelayCollectorTest, DeliversWhatIsQueuedBeforeItEnds) {
  StartCollector();
  bed_.Publish(To(ExportProtocol::kGrpc), [](config::SidecarConfig& config) {
    config.relay = config::Relay{.batch_age = seconds(60)};  // nothing is due by itself
  });
  bed_.StartSidecar();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bed_.Send(20), 20);
  EXPECT_EQ(bed_.Metric(kSent), 0);
  bed_.sidecar().process().Signal(SIGTERM);
  EXPECT_EQ(bed_.sidecar().process().Wait(seconds(20)), 0);
  EXPECT_TRUE(collector_->WaitForSpans(bed_.sent()));
}

TEST_F(RelayCollectorTest, CountsWhatItCannotDeliverBeforeItEnds) {
  StartCollector();
  bed_.Publish(To(ExportProtocol::kHttpProtobuf));
  collector_->Stop();
  bed_.StartSidecar({"--drain-seconds", "1"});
  EXPECT_EQ(bed_.Send(30), 30);
  bed_.sidecar().process().Signal(SIGTERM);
  EXPECT_EQ(bed_.sidecar().process().Wait(seconds(20)), 0);
  EXPECT_THAT(bed_.sidecar().process().ReadLog(),
              HasSubstr("msg=\"Could not deliver everything before the end\" signal=traces "
                        "dropped=30"));
}

TEST_F(RelayCollectorTest, SamplesTheSameTracesEverywhere) {
  StartCollector();
  bed_.Publish(To(ExportProtocol::kHttpProtobuf),
               [](config::SidecarConfig& config) { config.sampling.sidecar = "0.5"; });
  bed_.StartSidecar();
  // The ids of this bed are small numbers, so their randomness is below every threshold.
  EXPECT_EQ(bed_.Send(40), 40);
  EXPECT_TRUE(
      bed_.WaitForMetric("tracekeeper_sidecar_dropped_total{signal=\"traces\",reason=\"sampled\"}",
                         [](double dropped) { return dropped == 40; }));
}

/// A program of an SDK that sends spans and prints their ids.
struct Sender {
  const char* name;
  const char* program;  // python3 or node
  const char* protocol;
  bool gzip;
};

class Senders : public RelayCollectorTest, public ::testing::WithParamInterface<Sender> {};

TEST_P(Senders, AreTakenInFull) {
  const std::string source = test_support::SourceFolder();
  const auto folder = test_support::BuiltProgram("senders", "");
  ASSERT_TRUE(folder) << folder.error().message;
  const std::string& installed = folder->native();
  StartCollector();
  bed_.Publish(To(ExportProtocol::kGrpc));
  bed_.StartSidecar();

  const Sender& sender = GetParam();
  const bool is_python = std::string_view(sender.program) == "python3";
  std::vector<std::string> argv = {
      sender.program, source + "/tools/otel_senders/" + (is_python ? "send.py" : "send.mjs")};
  if (!is_python) argv.push_back(installed);
  const bool is_grpc = std::string_view(sender.protocol) == "grpc";
  argv.insert(argv.end(),
              {"--protocol", sender.protocol, "--endpoint",
               is_grpc ? bed_.grpc_endpoint() : bed_.http_endpoint(), "--traces", "400"});
  if (sender.gzip) argv.push_back("--gzip");
  const auto result = test_support::RunProcess(
      {.argv = argv, .environment = {{"PYTHONPATH", (*folder / "python").string()}}}, {},
      seconds(60));
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->exit_code, 0) << result->err;

  std::set<std::string> ids;
  std::istringstream lines(result->out);
  for (std::string line; std::getline(lines, line);) ids.insert(line);
  EXPECT_EQ(ids.size(), 1200U);
  EXPECT_TRUE(collector_->WaitForSpans(ids)) << bed_.sidecar().process().ReadLog();
  EXPECT_EQ(collector_->SpanIds(), ids) << "and nothing else";
}

INSTANTIATE_TEST_SUITE_P(All, Senders,
                         ::testing::Values(Sender{"PythonHttp", "python3", "http/protobuf", false},
                                           Sender{"PythonHttpGzip", "python3", "http/protobuf",
                                                  true},
                                           Sender{"PythonGrpc", "python3", "grpc", false},
                                           Sender{"PythonGrpcGzip", "python3", "grpc", true},
                                           Sender{"NodeHttp", "node", "http/protobuf", false},
                                           Sender{"NodeJson", "node", "http/json", false},
                                           Sender{"NodeJsonGzip", "node", "http/json", true},
                                           Sender{"NodeGrpc", "node", "grpc", false},
                                           Sender{"NodeGrpcGzip", "node", "grpc", true}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tracekeeper::sidecar
