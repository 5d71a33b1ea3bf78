// What is sent, and what both protocols answer, over real connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/compression.h"
#include "src/otlp/export_response.h"
#include "tests/src/ingest/bulk_servers.h"
#include "tests/src/ingest/peak_memory.h"
#include "tests/src/net/raw_socket.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::ingest {
namespace {

using codec::Compression;
using net::GrpcCode;
using otlp::Signal;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Compressed(Compression compression, std::string_view bytes) {
  codec::Compressor compressor;
  return std::string(*compressor.Compress(compression, bytes));
}

/// Spans of more than one frame, so that gRPC holds the message in pieces.
const std::string& LargeTraces() {
  static const std::string request = test_support::TracesRequest(
      "large", std::vector<test_support::TestSpan>(200, {.padding = std::string(2'000, 'p')}));
  return request;
}

std::string SmallTraces() { return test_support::TracesRequest("a", {{}, {}}); }

/// Padding that compresses a thousand times, more than may be taken.
std::string Bomb() {
  test_support::TestSpan span{.padding = std::string(otlp::kBulkLimits.request_bytes, 'x')};
  return test_support::TracesRequest("bomb", {span});
}

struct ExchangeCase {
  const char* name;
  Signal signal;
  const char* encoding;  // of the body as it stands
  std::string body;
  std::string want;  // what the intake gets; nothing where the request is refused
  int status;
  GrpcCode code;
  const char* sentence;
};

class Exchange : public testing::TestWithParam<ExchangeCase> {
 protected:
  void ExpectTaken(otlp::Ingress ingress) {
    const auto taken = servers_.intake.TakeAll();
    if (GetParam().status != 200) {
      EXPECT_THAT(taken, IsEmpty());
      EXPECT_EQ(servers_.intake.refused(), ++refused_);
      return;
    }
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].signal, GetParam().signal);
    EXPECT_EQ(taken[0].ingress, ingress);
    EXPECT_TRUE(taken[0].request == GetParam().want);
  }

  BulkServers servers_;
  std::size_t refused_ = 0;
};

TEST_P(Exchange, IsTheSameOverBothProtocols) {
  const ExchangeCase& test = GetParam();
  net::Headers headers{{"Content-Type", "application/x-protobuf"}};
  if (*test.encoding != '\0') headers.Set("Content-Encoding", test.encoding);
  const net::Response response =
      servers_.Post(std::string(HttpPathOf(test.signal)), headers, test.body);
  EXPECT_EQ(response.status, test.status);
  EXPECT_EQ(response.headers.Get("Content-Type"), "application/x-protobuf");
  EXPECT_THAT(otlp::ReadRpcStatusMessage(response.body), HasSubstr(test.sentence));
  EXPECT_FALSE(response.headers.Has("Retry-After")) << "coming again would not help";
  ExpectTaken(otlp::Ingress::kHttpProtobuf);

  const net::GrpcReply reply = servers_.Call(GrpcMethodOf(test.signal), test.body, test.encoding);
  EXPECT_EQ(reply.status.code, test.code) << reply.status.message;
  EXPECT_THAT(reply.status.message, HasSubstr(test.sentence));
  EXPECT_FALSE(otlp::ReadRetryInfo(reply.status.details_base64));
  ExpectTaken(otlp::Ingress::kGrpc);
}

std::vector<ExchangeCase> Cases() {
  const std::string small = SmallTraces();
  const std::string& large = LargeTraces();
  const std::string metrics = test_support::MetricsRequest({3});
  const std::string logs = test_support::LogsRequest({""});
  const std::string half = small.substr(0, small.size() / 2);
  const std::string other_half = small.substr(small.size() / 2);
  const auto ok = GrpcCode::kOk;
  const auto bad = GrpcCode::kInvalidArgument;
  return {
      {"Traces", Signal::kTraces, "", small, small, 200, ok, ""},
      {"Metrics", Signal::kMetrics, "", metrics, metrics, 200, ok, ""},
      {"Logs", Signal::kLogs, "", logs, logs, 200, ok, ""},
      {"Nothing", Signal::kTraces, "", "", "", 200, ok, ""},
      {"Large", Signal::kTraces, "", large, large, 200, ok, ""},
      {"Gzip", Signal::kTraces, "gzip", Compressed(Compression::kGzip, small), small, 200, ok, ""},
      {"LargeGzip", Signal::kTraces, "gzip", Compressed(Compression::kGzip, large), large, 200, ok,
       ""},
      {"Zstd", Signal::kTraces, "zstd", Compressed(Compression::kZstd, large), large, 200, ok, ""},
      {"GzipOfTwoMembers", Signal::kTraces, "gzip",
       Compressed(Compression::kGzip, half) + Compressed(Compression::kGzip, other_half), small,
       200, ok, ""},
      {"CutOff", Signal::kTraces, "", half, "", 400, bad, "no OTLP traces"},
      {"NoProtobuf", Signal::kLogs, "", "<html>", "", 400, bad, "no OTLP logs"},
      {"CutOffGzip", Signal::kTraces, "gzip", Compressed(Compression::kGzip, large).substr(0, 100),
       "", 400, bad, "gzip: "},
      {"CutOffInGzip", Signal::kTraces, "gzip", Compressed(Compression::kGzip, half), "", 400, bad,
       "no OTLP traces"},
      {"GzipBomb", Signal::kTraces, "gzip", Compressed(Compression::kGzip, Bomb()), "", 413,
       GrpcCode::kResourceExhausted, "longer than 67108864 bytes when decompressed"},
      {"ZstdBomb", Signal::kTraces, "zstd", Compressed(Compression::kZstd, Bomb()), "", 413,
       GrpcCode::kResourceExhausted, "longer than 67108864 bytes when decompressed"},
  };
}

INSTANTIATE_TEST_SUITE_P(All, Exchange, testing::ValuesIn(Cases()),
                         [](const auto& test) { return std::string(test.param.name); });

// --- What only one protocol knows ----------------------------------------------------------------

class BulkTest : public testing::Test {
 protected:
  BulkServers servers_;
};

struct HttpCase {
  const char* method;
  const char* path;
  const char* type;
  const char* encoding;
  const char* body;
  int status;
  const char* sentence;
};

TEST_F(BulkTest, HttpTellsWhatItDoesNotTake) {
  constexpr const char* kProtobuf = "application/x-protobuf";
  for (const HttpCase& test : std::initializer_list<HttpCase>{
           {"POST", "/v1/spans", kProtobuf, nullptr, "", 404, "/v1/traces"},
           {"GET", "/v1/traces", nullptr, nullptr, "", 405, "only POST"},
           {"POST", "/v1/traces", "text/plain", nullptr, "", 415, "application/x-protobuf"},
           {"POST", "/v1/traces", "application/grpc", nullptr, "", 415, "application/x-protobuf"},
           {"POST", "/v1/traces", kProtobuf, "br", "", 415, "gzip, zstd"},
           {"POST", "/v1/logs", "application/json", nullptr, "{", 400, "no OTLP logs in JSON"}}) {
    SCOPED_TRACE(test.sentence);
    net::Request request{test.method, test.path, {}, test.body};
    if (test.type != nullptr) request.headers.Set("Content-Type", test.type);
    if (test.encoding != nullptr) request.headers.Set("Content-Encoding", test.encoding);
    const net::Response response = servers_.Ask(request);
    EXPECT_EQ(response.status, test.status);
    EXPECT_THAT(response.body, HasSubstr(test.sentence));
  }
  EXPECT_EQ(servers_.intake.refused(), 6U);
}

TEST_F(BulkTest, HttpTakesJson) {
  const net::Response response =
      servers_.Post("/v1/traces", {{"Content-Type", "application/json"}},
                    R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{}");
  const auto taken = servers_.intake.TakeAll();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].ingress, otlp::Ingress::kHttpJson);
  EXPECT_EQ(otlp::CountItems(Signal::kTraces, taken[0].request), 1U);
}

TEST_F(BulkTest, GrpcTellsWhatItDoesNotTake) {
  const auto no_method = servers_.Call("/grpc.health.v1.Health/Check", "");
  EXPECT_EQ(no_method.status.code, GrpcCode::kUnimplemented);
  EXPECT_THAT(no_method.status.message, HasSubstr("no method /grpc.health.v1.Health/Check"));
  const auto no_encoding = servers_.Call(GrpcMethodOf(Signal::kTraces), "x", "deflate");
  EXPECT_EQ(no_encoding.status.code, GrpcCode::kUnimplemented) << no_encoding.status.message;
  EXPECT_THAT(servers_.intake.TakeAll(), IsEmpty());
}

TEST_F(BulkTest, HttpRefusesABodyThatIsTooLargeBeforeItHasIt) {
  const std::string head =
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n";
  const PeakMemory memory;
  net::RawSocket announced = net::RawSocket::To(servers_.http_port());
  announced.Send(head + "Content-Length: 104857600\r\n\r\n");
  EXPECT_THAT(announced.ReadUntil("\r\n\r\n"), HasSubstr("413 "));
  EXPECT_LT(memory.Growth(), 8U << 20U);

  net::RawSocket unannounced = net::RawSocket::To(servers_.http_port());
  unannounced.Send(head + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "100000\r\n" + std::string(1U << 20U, 'x') + "\r\n";
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(unannounced.Send(chunk));
  unannounced.Send(chunk.substr(0, 100));
  EXPECT_THAT(unannounced.ReadUntil("\r\n\r\n"), HasSubstr("413 "));
  // What grows is there twice while it is copied, and the allocator keeps what it outgrew.
  EXPECT_LT(memory.Growth(), 4 * otlp::kBulkLimits.request_bytes);
  EXPECT_THAT(servers_.intake.TakeAll(), IsEmpty());
}

// --- Answers of the intake -----------------------------------------------------------------------

TEST_F(BulkTest, APartialSuccessIsToldWithItsCount) {
  servers_.intake.set_answer(otlp::PartialSuccess{.rejected = 1, .message = "one has no id"});
  const auto response =
      servers_.Post("/v1/traces", {{"Content-Type", "application/x-protobuf"}}, SmallTraces());
  EXPECT_EQ(response.status, 200);
  const auto reply = servers_.Call(GrpcMethodOf(Signal::kTraces), SmallTraces());
  EXPECT_TRUE(reply.status.ok()) << reply.status.message;
  for (const std::string& message : {response.body, reply.message}) {
    const auto partial = otlp::ReadPartialSuccess(message);
    ASSERT_TRUE(partial);
    EXPECT_EQ(partial->rejected, 1U);
    EXPECT_EQ(partial->message, "one has no id");
  }
  const auto json = servers_.Post("/v1/traces", {{"Content-Type", "application/json"}}, "{}");
  EXPECT_EQ(json.body,
            R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"one has no id"}})");
}

struct PushedBackCase {
  otlp::RefuseReason reason;
  int status;
  GrpcCode code;
};

TEST_F(BulkTest, WhoIsPushedBackIsToldWhenToComeAgain) {
  for (const auto& [reason, status, code] : std::initializer_list<PushedBackCase>{
           {otlp::RefuseReason::kQueueFull, 429, GrpcCode::kResourceExhausted},
           {otlp::RefuseReason::kDraining, 503, GrpcCode::kUnavailable}}) {
    servers_.intake.set_answer(
        tl::unexpected(otlp::Refusal{reason, "later", std::chrono::milliseconds(2'500)}));
    const auto response =
        servers_.Post("/v1/traces", {{"Content-Type", "application/x-protobuf"}}, SmallTraces());
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.headers.Get("Retry-After"), "3");
    const auto reply = servers_.Call(GrpcMethodOf(Signal::kTraces), SmallTraces());
    EXPECT_EQ(reply.status.code, code);
    EXPECT_EQ(reply.status.message, "later");
    EXPECT_EQ(otlp::ReadRetryInfo(reply.status.details_base64), std::chrono::milliseconds(2'500));
  }
}

}  // namespace
}  // namespace tracekeeper::ingest
