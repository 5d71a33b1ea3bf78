// The real program under what it must survive: bodies beyond all limits, types that it does not
// take. Each is answered as OTLP asks, what is counted adds up, and no more memory
// is ever resident than 1.05 times the sum that docs/reference/analyzer.md states, of the parts
// that a test can fill. "The program itself" is what it had after a request by each door and a
// scrape.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/compression.h"
#include "tests/analyzer/analyzer_load.h"
#include "tests/analyzer/analyzer_process.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/src/net/raw_socket.h"

namespace tracekeeper::analyzer {
namespace {

using analysis::Samples;
using net::GrpcCode;
using testing::HasSubstr;

constexpr std::size_t kHundredMiB = std::size_t{100} << 20U;
constexpr double kMemoryMiB = 64;
constexpr double kQueueMiB = 16;
constexpr double kShards = 2;
const char* const kProtobuf = "application/x-protobuf";

class BadInputProcess : public testing::Test {
 protected:
  BadInputProcess() {
    EXPECT_EQ(Post(kProtobuf, truth::TracesRequest(analysis::BrokenTrace(1))).status, 200);
    EXPECT_TRUE(analyzer_.SendOverGrpc(truth::TracesRequest(analysis::BrokenTrace(2))));
    ScrapeWhenJudged(analyzer_);
    fresh_ = MostResidentMiB(analyzer_);
  }

  net::Response Post(const std::string& type, const std::string& body,
                     const std::string& encoding = {}) {
    net::Headers headers = {{"Content-Type", type}};
    if (!encoding.empty()) headers.Set("Content-Encoding", encoding);
    return analyzer_.Send("/v1/traces", headers, body);
  }
  [[nodiscard]] std::uint16_t port() const {
    const std::string& url = analyzer_.otlp_http_url();
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  /// `parts`: in MiB, beside the program itself.
  void CheckMemory(const Samples& samples, double parts) {
    EXPECT_LE(samples.Sum("tracekeeper_span_table_bytes", {}),
              samples.Sum("tracekeeper_span_table_budget_bytes", {}));
    const double most = MostResidentMiB(analyzer_);
    RecordProperty("fresh_mib", fmt::format("{:.1f}", fresh_));
    RecordProperty("most_mib", fmt::format("{:.1f}", most));
    EXPECT_LE(most, 1.05 * (fresh_ + parts)) << "fresh " << fresh_;
  }

  AnalyzerProcess analyzer_{{fmt::format("--memory-mib={}", kMemoryMiB),
                             fmt::format("--queue-mib={}", kQueueMiB),
                             fmt::format("--shards={}", kShards)}};
  double fresh_ = 0;
};

TEST_F(BadInputProcess, TypesAndEncodingsThatItDoesNotTake) {
  const std::string good = truth::TracesRequest(analysis::BrokenTrace(3));
  struct Wrong {
    const char* type;
    std::string body;
    const char* encoding;
    int status;
  };
  for (const Wrong& wrong :
       std::initializer_list<Wrong>{{"text/plain", good, "", 415},
                                    {"", good, "", 415},
                                    {"application/grpc", good, "", 415},
                                    {kProtobuf, good, "br", 415},
                                    {kProtobuf, good, "gzip", 400},
                                    {"application/json", good, "", 400},
                                    {kProtobuf, R"({"resourceSpans":[]})", "", 400}}) {
    SCOPED_TRACE(fmt::format("{} {}", wrong.type, wrong.encoding));
    EXPECT_EQ(Post(wrong.type, wrong.body, wrong.encoding).status, wrong.status);
  }
  const Samples samples = ScrapeWhenJudged(analyzer_);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_refused_total", {"unsupported"}), 4);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_refused_total", {"malformed"}), 3);
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}), 4) << "those of the start";
}

TEST_F(BadInputProcess, ABodyOfAHundredMebibytesByEveryDoor) {
  const std::string body(kHundredMiB, '\x0A');
  const std::string head = fmt::format(
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\nContent-Length: "
      "{}\r\n\r\n",
      kProtobuf, kHundredMiB);
  net::RawSocket announced = net::RawSocket::To(port());
  announced.Send(head);
  EXPECT_THAT(announced.ReadUntil("\r\n\r\n"), HasSubstr("413 "));
  net::RawSocket sent = net::RawSocket::To(port());
  sent.Send(head);
  sent.Send(body);  // up to where it is cut off

  codec::Compressor compressor;
  for (const auto& [encoding, compression] : {std::pair{"gzip", codec::Compression::kGzip},
                                              std::pair{"zstd", codec::Compression::kZstd}}) {
    const std::string bomb(*compressor.Compress(compression, body));
    EXPECT_LT(bomb.size(), kHundredMiB / 500);
    EXPECT_EQ(Post(kProtobuf, bomb, encoding).status, 413) << encoding;
  }
  EXPECT_EQ(analyzer_.CallOverGrpc(body).status.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(Post(kProtobuf, truth::TracesRequest(analysis::BrokenTrace(3))).status, 200);
  const Samples samples = ScrapeWhenJudged(analyzer_);
  EXPECT_GE(samples.Sum("tracekeeper_requests_refused_total", {"too_large"}), 2) << "the bombs";
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}), 6);
  constexpr double kArriving = 2 * 2 * kQueueMiB;  // by both doors
  CheckMemory(samples, kArriving);
}

}  // namespace
}  // namespace tracekeeper::analyzer
