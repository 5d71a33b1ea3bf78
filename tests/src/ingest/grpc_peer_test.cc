// A foreign client (python3-grpcio) at our server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "src/otlp/export_response.h"
#include "tests/src/ingest/bulk_servers.h"
#include "tests/support/folders.h"
#include "tests/support/otlp_requests.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::ingest {
namespace {

using otlp::Signal;
using testing::HasSubstr;

const std::string kExporter = test_support::SourceFolder() / "tests/src/ingest/grpc_exporter.py";
// The system's own: python3-grpcio belongs to it, whatever else is called python3 here.
const std::string kPython = "/usr/bin/python3";

class ForeignExporter : public testing::Test {
 protected:
  /// Writes `request` to a file and gives its name.
  std::string File(const std::string& name, std::string_view request) {
    std::ofstream(folder_ / name, std::ios::binary) << request;
    return folder_ / name;
  }
  /// What the exporter printed.
  std::string Export(Signal signal, const std::vector<std::string>& requests) {
    std::vector<std::string> argv = {kPython, kExporter,
                                     "127.0.0.1:" + std::to_string(servers_.grpc.port()),
                                     std::string(GrpcMethodOf(signal))};
    argv.insert(argv.end(), requests.begin(), requests.end());
    const auto run = test_support::RunProcess({argv});
    if (!run || !run->ok()) ADD_FAILURE() << (run ? run->err : run.error().message);
    return run ? run->out : "";
  }

  const test_support::TemporaryFolder folder_{"grpc_peer"};
  BulkServers servers_;
};

TEST_F(ForeignExporter, SendsPlainAndGzip) {
  const std::string request = test_support::TracesRequest(
      "large", std::vector<test_support::TestSpan>(5'000, {.padding = std::string(1'000, 'p')}));
  const std::string file = File("traces", request);
  EXPECT_EQ(Export(Signal::kTraces, {file, "gzip:" + file}),
            "{\"code\": \"OK\", \"answer\": \"\"}\n{\"code\": \"OK\", \"answer\": \"\"}\n");
  const auto taken = servers_.intake.TakeAll();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_TRUE(taken[0].request == request);
  EXPECT_TRUE(taken[1].request == request);
}

TEST_F(ForeignExporter, ReadsAPartialSuccess) {
  servers_.intake.set_answer(otlp::PartialSuccess{.rejected = 3, .message = "no"});
  EXPECT_EQ(Export(Signal::kLogs, {File("logs", test_support::LogsRequest({""}))}),
            "{\"code\": \"OK\", \"answer\": \"0a06080312026e6f\"}\n");
}

TEST_F(ForeignExporter, ReadsWhyItIsRefused) {
  EXPECT_THAT(Export(Signal::kTraces, {File("html", "<html>")}),
              HasSubstr(R"("code": "INVALID_ARGUMENT", "message": "these bytes are no OTLP)"));
  // A bomb of gzip, through their compressor.
  const std::string large(otlp::kBulkLimits.request_bytes + 1, '\0');
  EXPECT_THAT(Export(Signal::kTraces, {"gzip:" + File("large", large), File("larger", large)}),
              testing::AllOf(HasSubstr("longer than 67108864 bytes when decompressed"),
                             HasSubstr("message of 67108865 bytes is longer than the 67108864")));
}

TEST_F(ForeignExporter, ReadsWhenToComeAgain) {
  servers_.intake.set_answer(tl::unexpected(
      otlp::Refusal{otlp::RefuseReason::kQueueFull, "full", std::chrono::seconds(7)}));
  const std::string out =
      Export(Signal::kMetrics, {File("metrics", test_support::MetricsRequest({1}))});
  EXPECT_THAT(out, HasSubstr(R"("code": "RESOURCE_EXHAUSTED", "message": "full")"));
  // google.rpc.Status 8 "full" with a RetryInfo of 7 s.
  EXPECT_THAT(out, HasSubstr("\"details\": \"0808120466756c6c1a"));
  EXPECT_THAT(out, HasSubstr("12060a0408071000\""));
}

}  // namespace
}  // namespace tracekeeper::ingest
