// The real program: telemetry in by every door, metrics and API out, files that change under it,
// and its end.

#include "tests/analyzer/analyzer_process.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "src/codec/compression.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/src/analysis/json_shape.h"
#include "tests/support/built_program.h"
#include "tests/support/eventually.h"
#include "tests/support/folders.h"

namespace tracekeeper::analyzer {
namespace {

using analysis::BrokenTrace;
using analysis::Samples;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr std::chrono::seconds kLimit{20};

std::string Request(std::uint8_t number) { return truth::TracesRequest(BrokenTrace(number)); }

std::string Gzipped(const std::string& text) {
  codec::Compressor compressor;
  return std::string(*compressor.Compress(codec::Compression::kGzip, text));
}

std::string FirstLineOf(const std::string& file) {
  std::ifstream in(test_support::SourceFolder() / file);
  std::string line;
  std::getline(in, line);
  return line;
}

const char* const kProtobuf = "application/x-protobuf";

/// Scrapes until `condition` holds of it.
Samples ScrapeUntil(AnalyzerProcess& analyzer,
                    const std::function<bool(const Samples&)>& condition) {
  Samples samples;
  EXPECT_TRUE(test_support::Eventually(
      [&] {
        samples = analyzer.Scrape();
        return condition(samples);
      },
      kLimit));
  return samples;
}

TEST(AnalyzerProcess, TellsOfABrokenHopThatCameByAnyDoor) {
  AnalyzerProcess analyzer;
  EXPECT_EQ(analyzer.Send("/v1/traces", {{"Content-Type", kProtobuf}}, Request(1)).status, 200);
  EXPECT_EQ(analyzer
                .Send("/v1/traces", {{"Content-Type", kProtobuf}, {"Content-Encoding", "gzip"}},
                      Gzipped(Request(2)))
                .status,
            200);
  EXPECT_TRUE(analyzer.SendOverGrpc(Request(3)));
  const std::string json = FirstLineOf("docs/examples/analyze/dropped-header.otlp.jsonl");
  EXPECT_EQ(analyzer.Send("/v1/traces", {{"Content-Type", "application/json"}}, json).status, 200);

  const Samples samples = ScrapeUntil(analyzer, [](const Samples& scraped) {
    return scraped.Sum("tracekeeper_hops_total", {"server=\"cart\"", "\"bad\""}) == 3 &&
           scraped.Sum("tracekeeper_spans_pending", {}) == 0;
  });
  EXPECT_EQ(analysis::WhatDoesNotAddUp(samples), "");
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {"grpc"}), 2);
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {"http/protobuf"}), 4);
  EXPECT_GT(samples.Sum("tracekeeper_spans_received_total", {"http/json"}), 10);
  const std::string key =
      "tracekeeper_hop_breaks_total{policy=\"checkout\",policy_namespace=\"shop\",client=\"\","
      "server=\"cart\",protocol=\"http\",cause=\"orphan_remote_parent\"}";
  ASSERT_TRUE(samples.values.contains(key));
  ASSERT_TRUE(samples.exemplars.contains(key));
  EXPECT_THAT(
      samples.exemplars.at(key),
      MatchesRegex("\\{trace_id=\"01010101010101010101010101010103\",span_id=\"[0-9a-f]+\"\\} "
                   "1 17000000.*"));
}

TEST(AnalyzerProcess, AnswersTheApiAsItsDocumentSays) {
  AnalyzerProcess analyzer;
  EXPECT_EQ(analyzer.Send("/v1/traces", {{"Content-Type", kProtobuf}}, Request(7)).status, 200);
  ScrapeUntil(analyzer, [](const Samples& scraped) {
    return scraped.Sum("tracekeeper_hops_total", {"\"bad\""}) == 1;
  });
  const auto breaks = analyzer.ApiJson("/api/v1/breaks?policy=shop/checkout&service=cart");
  ASSERT_EQ(breaks.Find("breaks")->elements().size(), 1U);
  const auto& found = breaks.Find("breaks")->elements().front();
  EXPECT_EQ(found.TextAt({"cause"}), "orphan_remote_parent");
  const auto& place = found.Find("places")->elements().front();
  EXPECT_EQ(place.TextAt({"span_name"}), "GET /cart");
  const std::string trace = place.Find("examples")->elements().front().TextAt({"trace_id"});
  EXPECT_EQ(trace, analysis::BrokenTraceId(7));
  const auto edges = analyzer.ApiJson("/api/v1/edges");
  EXPECT_EQ(edges.Find("edges")->elements().front().TextAt({"server"}), "cart");

  const auto document = analyzer.ApiJson("/api/v1/openapi.json");
  for (const std::string& page : {std::string("edges"), std::string("breaks"), std::string("gate"),
                                  std::string("health"), "traces/" + trace}) {
    const std::string path = "/api/v1/" + page;
    const std::string described = page.starts_with("traces/") ? "/api/v1/traces/{trace_id}" : path;
    const auto* schema = document.Find("paths")
                             ->Find(described)
                             ->Find("get")
                             ->Find("responses")
                             ->Find("200")
                             ->Find("content")
                             ->Find("application/json")
                             ->Find("schema");
    EXPECT_EQ(analysis::DifferenceFrom(*schema, analyzer.ApiJson(path), document, page), "");
  }
  EXPECT_EQ(analyzer.Api("/api/v1/nothing").status, 404);
}

TEST(AnalyzerProcess, LearnsWhoIsInstrumentedAndFindsTheDroppedHeader) {
  AnalyzerProcess analyzer({}, "1", "1.5");
  std::ifstream in(test_support::SourceFolder() /
                   "docs/examples/analyze/dropped-header.otlp.jsonl");
  for (std::string line; std::getline(in, line);) {
    const net::Headers gzipped = {{"Content-Type", "application/json"},
                                  {"Content-Encoding", "gzip"}};
    ASSERT_EQ(analyzer.Send("/v1/traces", gzipped, Gzipped(line)).status, 200);
  }
  EXPECT_EQ(analyzer.ApiJson("/api/v1/gate").TextAt({"result"}), "inconclusive");
  const Samples samples = ScrapeUntil(analyzer, [](const Samples& scraped) {
    return scraped.Sum("tracekeeper_hop_breaks_total",
                       {"client=\"web\"", "server=\"checkout\"", "cause=\"broken_hop\""}) == 6;
  });
  EXPECT_EQ(analysis::WhatDoesNotAddUp(samples), "");
  EXPECT_EQ(analyzer.ApiJson("/api/v1/health").TextAt({"learned"}), "true");
  const auto gate = analyzer.ApiJson("/api/v1/gate");
  EXPECT_EQ(gate.TextAt({"result"}), "fail");
  EXPECT_EQ(gate.TextAt({"ratio"}), "0.875");
}

TEST(AnalyzerProcess, RefusesWhatIsNoOtlpAndCountsIt) {
  AnalyzerProcess analyzer;
  const net::Response refused =
      analyzer.Send("/v1/traces", {{"Content-Type", kProtobuf}}, "\x0A\x7Fx");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(analyzer.Scrape().Sum("tracekeeper_requests_refused_total", {"malformed"}), 1);
}

TEST(AnalyzerProcess, GivesPlainTextToAnOldScraper) {
  AnalyzerProcess analyzer;
  const net::Response plain = analyzer.Metrics("text/plain");
  EXPECT_THAT(std::string(plain.headers.Get("Content-Type")), HasSubstr("text/plain"));
  EXPECT_THAT(plain.body, HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  const net::Response open = analyzer.Metrics();
  EXPECT_THAT(std::string(open.headers.Get("Content-Type")), HasSubstr("openmetrics-text"));
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
  const auto promtool = test_support::BuiltProgram("prometheus", "promtool");
  ASSERT_TRUE(promtool) << promtool.error().message;
  const auto checked =
      test_support::RunProcess({.argv = {promtool->string(), "check", "metrics"}}, plain.body);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->exit_code, 0) << checked->out << checked->err;
}

TEST(AnalyzerProcess, JudgesWhatIsPendingWhenItIsToldToEnd) {
  AnalyzerProcess analyzer({}, "600");
  for (std::uint8_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(analyzer.Send("/v1/traces", {{"Content-Type", kProtobuf}}, Request(i)).status, 200);
  }
  analyzer.process().Signal(SIGTERM);
  EXPECT_EQ(analyzer.process().Wait(kLimit), 0);
  const std::string log = analyzer.process().ReadLog();
  EXPECT_THAT(log, HasSubstr("msg=Draining signal=SIGTERM"));
  EXPECT_THAT(log, HasSubstr("units_seen=10 spans=10")) << "five requests, five hops";
  EXPECT_THAT(log, HasSubstr("msg=Stopped"));
}

std::string Policy(const std::string& entrypoint) {
  return fmt::format(
      "apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
      "metadata: {{name: checkout, namespace: shop}}\n"
      "spec:\n  selector: {{matchLabels: {{app: checkout}}}}\n"
      "  slo: {{objective: \"99\", entrypoints: [{}]}}\n",
      entrypoint);
}

TEST(AnalyzerProcess, TakesChangedPoliciesAndKeepsTheOldOnesWhereTheNewCannotBe) {
  const test_support::TemporaryFolder folder("policies");
  const std::string file = folder / "policy.yaml";
  std::ofstream(file) << Policy("gateway");
  AnalyzerProcess analyzer({"--policy", folder.path(), "--poll-seconds=0.1"});
  std::ofstream(file) << "kind: TracingPolicy\nspec: 7\n";
  EXPECT_TRUE(analyzer.process().WaitForLog("Refused a changed file", kLimit));
  std::ofstream(file) << Policy("cart");
  EXPECT_TRUE(analyzer.process().WaitForLog("Took new policies", kLimit));
  EXPECT_EQ(analyzer.Send("/v1/traces", {{"Content-Type", kProtobuf}}, Request(1)).status, 200);
  ScrapeUntil(analyzer, [](const Samples& scraped) {
    return scraped.Sum("tracekeeper_hops_total", {"server=\"cart\"", "excluded"}) == 1;
  });
}

TEST(AnalyzerProcess, KeepsThePoliciesOfFilesUntilItStartsAgainForThoseOfACluster) {
  const test_support::TemporaryFolder folder("source");
  std::ofstream(folder / "policy.yaml") << Policy("cart");
  const std::string config = folder / "config.yaml";
  const auto write = [&config](const std::string& text) { std::ofstream(config) << text; };
  write(fmt::format("policies: [{}]\n", (folder / "policy.yaml").string()));
  AnalyzerProcess analyzer({"--config", config, "--poll-seconds=0.1"});
  write("kubernetes: true\n");
  EXPECT_TRUE(analyzer.process().WaitForLog("other_options_wait_for_restart=true", kLimit));
  EXPECT_EQ(analyzer.Send("/v1/traces", {{"Content-Type", kProtobuf}}, Request(1)).status, 200);
  ScrapeUntil(analyzer, [](const Samples& scraped) {
    return scraped.Sum("tracekeeper_hops_total", {"server=\"cart\"", "excluded"}) == 1;
  });
}

TEST(AnalyzerProcess, SaysWhyItDoesNotStart) {
  AnalyzerProcess analyzer;
  const auto port_of = [&analyzer] {
    const std::string log = analyzer.process().ReadLog();
    const std::size_t at = log.find("api_port=");
    return log.substr(at + 9, log.find_first_not_of("0123456789", at + 9) - at - 9);
  };
  const auto taken = test_support::RunProcess(
      {.argv = {test_support::Program("tracekeeper-analyzer"), "--address=127.0.0.1",
                "--otlp-grpc-port=0", "--otlp-http-port=0", "--metrics-port=0",
                "--api-port=" + port_of()}});
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->exit_code, 1);
  EXPECT_THAT(taken->err, HasSubstr(port_of()));
  const auto missing = test_support::RunProcess(
      {.argv = {test_support::Program("tracekeeper-analyzer"), "--policy=/nowhere.yaml"}});
  EXPECT_EQ(missing->exit_code, 1);
  EXPECT_THAT(missing->err, HasSubstr("/nowhere.yaml: cannot be opened"));
  const auto no_cluster =
      test_support::RunProcess({.argv = {test_support::Program("tracekeeper-analyzer"),
                                         "--kubernetes", "--kubeconfig=/nowhere"}});
  EXPECT_EQ(no_cluster->exit_code, 1);
  EXPECT_THAT(no_cluster->err, HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace tracekeeper::analyzer
