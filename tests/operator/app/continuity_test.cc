// The analyzer of the replica that leads, on a real API server: spans in by OTLP, verdicts out on
// the operator's /metrics, by the rules of the cluster's policies, reached by the one endpoint.

#include <fmt/format.h>

#include <fstream>

#include "tests/operator/app/operator_suite.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/src/analysis/metrics_text.h"
#include "tests/support/free_port.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper {
namespace {

using analysis::BrokenTrace;
using analysis::Samples;
using test_support::Eventually;
using test_support::OperatorProcess;
using testing::HasSubstr;

constexpr std::chrono::seconds kLimit{20};
constexpr const char* kSlice = "endpointslice/tracekeeper-otlp";

/// With windows of a test, on ports of its own. `address` is what the Service leads to.
struct Replica {
  std::string name;
  std::string address;
  std::uint16_t http = test_support::FreePort();

  [[nodiscard]] test_support::OperatorOptions Options(bool leader_election = false) const {
    return {.flags = {"--analyzer", "--analyzer-service=tracekeeper-otlp", "--identity=" + name,
                      "--pod-ip=" + address, fmt::format("--otlp-http-port={}", http),
                      fmt::format("--otlp-grpc-port={}", test_support::FreePort()),
                      fmt::format("--api-port={}", test_support::FreePort()),
                      "--settle-seconds=0.3", "--join-seconds=0.2", "--warm-up-seconds=0.1",
                      "--repair-seconds=10", "--learning-seconds=1"},
            .name = name,
            .leader_election = leader_election};
  }
};

class Continuity : public OperatorSuite {
 protected:
  static void SetUpTestSuite() {
    OperatorSuite::SetUpTestSuite();
    StartOperator(replica_.Options());
    ASSERT_TRUE(operator_->process().WaitForLog("Started the analyzer", kLimit));
    ApplyReady({.namespace_name = "shop"});
  }

  /// POST of a trace to the operator's OTLP port.
  static void Send(const std::vector<truth::ModelSpan>& spans) {
    const auto file = (folder_ / "request").string();
    std::ofstream(file, std::ios::binary) << truth::TracesRequest(spans);
    const auto result =
        bed_->Enter({"curl", "-sf", "-H", "Content-Type: application/x-protobuf", "--data-binary",
                     "@" + file, fmt::format("http://127.0.0.1:{}/v1/traces", replica_.http)});
    ASSERT_TRUE(result && result->ok());
  }

  static std::string Metrics(const std::string& accept) {
    const auto result =
        bed_->Enter({"curl", "-sf", "-H", "Accept: " + accept,
                     fmt::format("http://127.0.0.1:{}/metrics", operator_->metrics_port())});
    return result ? result->out : "";
  }

  /// Scrapes until there are so many hops like that.
  static Samples ScrapeUntil(double wanted, std::initializer_list<std::string> parts) {
    Samples samples;
    EXPECT_TRUE(Eventually(
        [&] {
          samples = analysis::ReadSamples(Metrics("application/openmetrics-text"));
          return samples.Sum("tracekeeper_hops_total", parts) == wanted;
        },
        kLimit));
    return samples;
  }

  static std::string EndpointNow() {
    return bed_
        ->RunKubectl({"get", "-n", std::string(test_support::kOperatorNamespace), kSlice, "-o",
                      "jsonpath={.endpoints[*].targetRef.name}={.endpoints[*].addresses[*]}"})
        .out;
  }
  static bool EndpointBecomes(const std::string& wanted) {
    return Eventually([&] { return EndpointNow() == wanted; }, kLimit);
  }

  static inline Replica replica_{"operator-0", "192.0.2.10"};
  static inline test_support::TemporaryFolder folder_{"continuity"};
};

TEST_F(Continuity, ABrokenHopIsOnTheOperatorsMetricsWithItsCauseAndPolicy) {
  Send(BrokenTrace(1));
  const Samples samples =
      ScrapeUntil(1, {"policy=\"checkout\"", "server=\"cart\"", "result=\"bad\""});
  const std::string key =
      "tracekeeper_hop_breaks_total{policy=\"checkout\",policy_namespace=\"shop\",client=\"\","
      "server=\"cart\",protocol=\"http\",cause=\"orphan_remote_parent\"}";
  ASSERT_TRUE(samples.values.contains(key));
  EXPECT_EQ(samples.values.at(key), 1);
  EXPECT_THAT(samples.exemplars.at(key), HasSubstr(analysis::BrokenTraceId(1)));
  EXPECT_EQ(analysis::WhatDoesNotAddUp(samples), "");
  // The operator's own are on the same page, and a scraper that asks for nothing gets plain text.
  EXPECT_THAT(Metrics("text/plain"), HasSubstr("# TYPE tracekeeper_hop_breaks_total counter"));
  EXPECT_THAT(Metrics("*/*"), HasSubstr("controller_runtime_reconcile_total"));
}

TEST_F(Continuity, AnEditOfAPolicysEntrypointsHoldsForLaterTraces) {
  Kubectl({"create", "namespace", "edited"});
  const auto apply = [](const std::string& entrypoints) {
    ApplyReady({.name = "entries",
                .namespace_name = "edited",
                .spec = "selector: {}, slo: {entrypoints: [" + entrypoints + "]}"});
  };
  const auto trace = [](std::uint32_t number) {
    std::vector<truth::ModelSpan> spans = BrokenTrace(number);
    for (truth::ModelSpan& span : spans) span.resource.back().second = "edited/entries";
    return spans;
  };
  apply("");
  Send(trace(21));
  ScrapeUntil(1, {"policy=\"entries\"", "result=\"bad\""});
  apply("cart");
  EXPECT_TRUE(Eventually(
      [&, number = std::uint32_t{1000}]() mutable {
        Send(trace(number++));
        const Samples samples = analysis::ReadSamples(Metrics("application/openmetrics-text"));
        return samples.Sum("tracekeeper_hops_total",
                           {"policy=\"entries\"", "result=\"excluded\""}) > 0;
      },
      kLimit));
}

TEST_F(Continuity, ASpanThatNamesNoPolicyBelongsToThatOfItsPod) {
  Kubectl({"create", "namespace", "silent"});
  ApplyReady({.name = "all", .namespace_name = "silent", .spec = "selector: {}"});
  ASSERT_TRUE(CreatePod("silent", "web", "web").ok());
  const std::string uid =
      Kubectl({"get", "pod", "-n", "silent", "web", "-o", "jsonpath={.metadata.uid}"});
  EXPECT_TRUE(Eventually(
      [&, number = std::uint32_t{2000}]() mutable {
        std::vector<truth::ModelSpan> spans = BrokenTrace(number++);
        for (truth::ModelSpan& span : spans) span.resource.back() = {"k8s.pod.uid", uid};
        Send(spans);
        const Samples samples = analysis::ReadSamples(Metrics("application/openmetrics-text"));
        return samples.Sum("tracekeeper_hops_total",
                           {"policy=\"all\"", "policy_namespace=\"silent\""}) > 0;
      },
      kLimit));
}

TEST_F(Continuity, TheEndpointNamesTheReplicaThatLeadsAndGoesWithIt) {
  EXPECT_TRUE(EndpointBecomes("operator-0=192.0.2.10")) << EndpointNow();
  EXPECT_THAT(
      Kubectl({"get", "-n", "tracekeeper-system", kSlice, "-o",
               "jsonpath={.metadata.labels}{.metadata.ownerReferences[0].kind}"}),
      testing::AllOf(HasSubstr("\"kubernetes.io/service-name\":\"tracekeeper-otlp\""),
                     HasSubstr("managed-by\":\"tracekeeper.dev\""), HasSubstr("ClusterRole")));
  EXPECT_EQ(operator_->process().Terminate(), 0);
  EXPECT_EQ(EndpointNow(), "");

  const Replica first{"first", "192.0.2.11"};
  const Replica second{"second", "192.0.2.12"};
  auto one = OperatorProcess::Start(*bed_, first.Options(true));
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_TRUE(EndpointBecomes("first=192.0.2.11")) << one->process().ReadLog();
  auto two = OperatorProcess::Start(*bed_, second.Options(true));
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(EndpointNow(), "first=192.0.2.11");
  one->process().Signal(SIGTERM);
  EXPECT_TRUE(EndpointBecomes("second=192.0.2.12")) << two->process().ReadLog();
  EXPECT_TRUE(one->process().WaitForLog("Judged what was pending", kLimit));
}

TEST_F(Continuity, AReplicaThatEndsLeavesTheEndpointOfAnotherAlone) {
  const Replica ends{"ends", "192.0.2.13"};
  StartOperator(ends.Options());
  EXPECT_TRUE(EndpointBecomes("ends=192.0.2.13"));
  Kubectl(
      {"patch", "-n", "tracekeeper-system", kSlice, "--type=merge", "-p",
       R"({"endpoints":[{"addresses":["192.0.2.14"],"targetRef":{"kind":"Pod","name":"b"}}]})"});
  EXPECT_EQ(operator_->process().Terminate(), 0);
  EXPECT_EQ(EndpointNow(), "b=192.0.2.14");
}

TEST_F(Continuity, APortThatIsTakenEndsTheProgramWithASentence) {
  const Replica has_it{"has-it", "192.0.2.15"};
  StartOperator(has_it.Options());
  ASSERT_TRUE(operator_->process().WaitForLog("Started the analyzer", kLimit));
  Replica wants_it{"wants-it", "192.0.2.16"};
  wants_it.http = has_it.http;
  auto refused = OperatorProcess::Start(*bed_, wants_it.Options());
  if (refused) {
    ASSERT_TRUE(refused->process().WaitForLog("start analyzer", kLimit));
    return;
  }
  EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("start analyzer"),
                                                      HasSubstr(fmt::format("{}", has_it.http))));
}

}  // namespace
}  // namespace tracekeeper
