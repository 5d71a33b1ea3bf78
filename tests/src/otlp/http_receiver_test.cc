#include "src/otlp/http_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "src/otlp/receiver_limits.h"
#include "src/otlp/relay.h"
#include "tests/src/otlp/fake_exporter.h"
#include "tests/src/otlp/scripted_intake.h"
#include "tests/support/manual_clock.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using test_support::LogsRequest;
using test_support::MetricsRequest;
using test_support::TracesRequest;
using ::testing::HasSubstr;

constexpr const char* kProtobuf = "application/x-protobuf";
constexpr const char* kJson = "application/json";

std::string Compressed(codec::Compression compression, std::string_view bytes) {
  if (compression == codec::Compression::kDeflate) {
    // zlib's format with one stored block: nobody here writes deflate, so this is by hand.
    std::string out = "\x78\x01\x01";
    const auto size = static_cast<std::uint16_t>(bytes.size());
    const auto inverse = static_cast<std::uint16_t>(~size);
    out.append({static_cast<char>(size), static_cast<char>(size >> 8U), static_cast<char>(inverse),
                static_cast<char>(inverse >> 8U)});
    out.append(bytes);
    std::uint32_t a = 1;
    std::uint32_t b = 0;
    for (const char c : bytes) {
      a = (a + static_cast<unsigned char>(c)) % 65521;
      b = (b + a) % 65521;
    }
    const std::uint32_t adler = b << 16U | a;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(adler >> shift));
    return out;
  }
  codec::Compressor compressor;
  return std::string(*compressor.Compress(compression, bytes));
}

std::string Traces() { return TracesRequest("a", {{}, {}}); }

class HttpReceiverTest : public ::testing::Test {
 protected:
  HttpReceiverTest() { relay_.Configure({.exporter = std::make_shared<FakeExporter>()}); }

  net::Response Post(const char* path, const char* type, std::string body,
                     const char* encoding = nullptr) {
    net::Request request{.method = "POST", .target = path, .body = std::move(body)};
    if (type != nullptr) request.headers.Set("Content-Type", type);
    if (encoding != nullptr) request.headers.Set("Content-Encoding", encoding);
    return receiver_.Handle(request);
  }
  std::uint64_t Received(Signal signal, Ingress ingress) {
    return relay_.counters().received[IndexOf(signal)].Get(ingress);
  }

  test_support::ManualClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Relay relay_{clock_, Logger(log_)};
  HttpReceiver receiver_{relay_};
};

TEST_F(HttpReceiverTest, TakesEverySignal) {
  EXPECT_EQ(Post("/v1/traces", kProtobuf, Traces()).status, 200);
  EXPECT_EQ(Post("/v1/metrics", kProtobuf, MetricsRequest({3})).status, 200);
  EXPECT_EQ(Post("/v1/logs?x=1", kProtobuf, LogsRequest({""})).status, 200);
  EXPECT_EQ(Received(Signal::kTraces, Ingress::kHttpProtobuf), 2U);
  EXPECT_EQ(Received(Signal::kMetrics, Ingress::kHttpProtobuf), 3U);
  EXPECT_EQ(Received(Signal::kLogs, Ingress::kHttpProtobuf), 1U);
}

TEST_F(HttpReceiverTest, AnswersInTheFormatOfTheRequest) {
  const auto protobuf = Post("/v1/traces", kProtobuf, Traces());
  EXPECT_EQ(protobuf.headers.Get("Content-Type"), kProtobuf);
  EXPECT_EQ(protobuf.body, "");
  const auto json = Post("/v1/traces", "Application/JSON; charset=utf-8", "{\"resourceSpans\":[]}");
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.headers.Get("Content-Type"), kJson);
  EXPECT_EQ(json.body, "{}");
  const auto bad = Post("/v1/traces", kJson, "{");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body,
              HasSubstr(R"({"code":3,"message":"these bytes are no OTLP traces in JSON)"));
}

TEST_F(HttpReceiverTest, TakesEveryEncoding) {
  using codec::Compression;
  for (const Compression compression :
       {Compression::kIdentity, Compression::kGzip, Compression::kDeflate, Compression::kZstd}) {
    const std::string name(codec::NameOf(compression));
    const auto response =
        Post("/v1/traces", kProtobuf, Compressed(compression, Traces()), name.c_str());
    EXPECT_EQ(response.status, 200) << name << ReadRpcStatusMessage(response.body);
  }
  EXPECT_EQ(Received(Signal::kTraces, Ingress::kHttpProtobuf), 8U);
}

struct RefusedCase {
  const char* name;
  const char* method;
  const char* path;
  const char* type;
  const char* encoding;
  std::string body;
  int status;
  const char* sentence;
};

class RefusedRequests : public HttpReceiverTest,
                        public ::testing::WithParamInterface<RefusedCase> {};

TEST_P(RefusedRequests, AreAnsweredWithASentence) {
  const RefusedCase& test = GetParam();
  net::Request request{.method = test.method, .target = test.path, .body = test.body};
  if (test.type != nullptr) request.headers.Set("Content-Type", test.type);
  if (test.encoding != nullptr) request.headers.Set("Content-Encoding", test.encoding);
  const net::Response response = receiver_.Handle(request);
  EXPECT_EQ(response.status, test.status);
  EXPECT_THAT(response.body, HasSubstr(test.sentence));
  std::uint64_t refused = 0;
  for (const RefuseReason reason : kRefuseReasons) refused += relay_.counters().refused.Get(reason);
  EXPECT_EQ(refused, 1U);
  EXPECT_EQ(relay_.Report().queue_bytes, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedRequests,
    ::testing::Values(
        RefusedCase{"Path", "POST", "/", kProtobuf, nullptr, "", 404, "/v1/traces"},
        RefusedCase{"DoublePath", "POST", "/v1/traces/v1/traces", kProtobuf, nullptr, "", 404,
                    "must not have it"},
        RefusedCase{"Method", "GET", "/v1/traces", nullptr, nullptr, "", 405, "only POST"},
        RefusedCase{"NoType", "POST", "/v1/traces", nullptr, nullptr, "", 415, "Content-Type ''"},
        RefusedCase{"Type", "POST", "/v1/traces", "text/plain", nullptr, "", 415,
                    "application/x-protobuf or application/json"},
        RefusedCase{"Encoding", "POST", "/v1/traces", kProtobuf, "br", "", 415,
                    "send gzip, zstd, deflate or none"},
        RefusedCase{"NoProtobuf", "POST", "/v1/traces", kProtobuf, nullptr, "<html>", 400,
                    "no OTLP traces"},
        RefusedCase{"NoGzip", "POST", "/v1/traces", kProtobuf, "gzip", "plain", 400, "gzip"},
        RefusedCase{"GzipBomb", "POST", "/v1/traces", kProtobuf, "gzip",
                    Compressed(codec::Compression::kGzip, std::string(kMaxRequestBytes + 1, 'x')),
                    413, "send smaller batches"},
        RefusedCase{"ZstdBomb", "POST", "/v1/traces", kProtobuf, "zstd",
                    Compressed(codec::Compression::kZstd, std::string(kMaxRequestBytes + 1, 'x')),
                    413, "send smaller batches"}),
    [](const auto& test) { return test.param.name; });

TEST_F(HttpReceiverTest, AsksToComeAgainWhenThereIsNoRoom) {
  relay_.Configure({.queue = {.budget = 1'000}, .exporter = std::make_shared<FakeExporter>()});
  const auto response = Post("/v1/metrics", kProtobuf, MetricsRequest({500}));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.Get("Retry-After"), "1");
  EXPECT_THAT(ReadRpcStatusMessage(response.body), HasSubstr("is full"));
}

TEST_F(HttpReceiverTest, AnswersThatItIsEnding) {
  relay_.Drain(Duration::zero());
  const auto response = Post("/v1/traces", kProtobuf, Traces());
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.Get("Retry-After"), "1");
}

// --- Before another intake -----------------------------------------------------------------------

net::Request PostOf(const char* type, std::string body, const char* encoding = "") {
  return {"POST",
          "/v1/traces",
          {{"Content-Type", type}, {"Content-Encoding", encoding}},
          std::move(body)};
}

TEST(HttpReceiverForOthers, TellsWhatOfARequestWasNotTaken) {
  ScriptedIntake intake;
  intake.set_answer(PartialSuccess{.rejected = 2, .message = "no"});
  HttpReceiver receiver(intake);
  const net::Response protobuf = receiver.Handle(PostOf(kProtobuf, Traces()));
  EXPECT_EQ(protobuf.status, 200);
  EXPECT_EQ(ReadPartialSuccess(protobuf.body), (PartialSuccess{.rejected = 2, .message = "no"}));
  EXPECT_EQ(receiver.Handle(PostOf(kJson, "{}")).body,
            R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}})");
}

TEST(HttpReceiverForOthers, HoldsRequestsToItsOwnLimit) {
  ScriptedIntake intake;
  HttpReceiver receiver(intake, {.request_bytes = Traces().size()});
  EXPECT_EQ(receiver.Handle(PostOf(kProtobuf, Traces())).status, 200);
  EXPECT_EQ(receiver.Handle(PostOf(kProtobuf, Traces() + Traces())).status, 413);
  const std::string twice = Compressed(codec::Compression::kGzip, Traces() + Traces());
  EXPECT_EQ(receiver.Handle(PostOf(kProtobuf, twice, "gzip")).status, 413);
  EXPECT_EQ(intake.TakeAll().size(), 1U);
  EXPECT_EQ(intake.refused(RefuseReason::kTooLarge), 2U);
}

TEST(HttpReceiverForOthers, KeepsRequestsOfSeveralThreadsApart) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  ScriptedIntake intake;
  HttpReceiver receiver(intake);
  const std::string json = R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]})";
  const std::string traces = Compressed(codec::Compression::kGzip, Traces());
  std::atomic<int> taken = 0;
  std::vector<std::jthread> threads(kThreads);
  for (std::jthread& thread : threads) {
    thread = std::jthread([&] {
      for (int round = 0; round < kRounds; ++round) {
        taken += receiver.Handle(PostOf(kJson, json)).status == 200 ? 1 : 0;
        taken += receiver.Handle(PostOf(kProtobuf, traces, "gzip")).status == 200 ? 1 : 0;
      }
    });
  }
  threads.clear();  // joins
  EXPECT_EQ(taken, 2 * kThreads * kRounds);
  for (const auto& request : intake.TakeAll()) {
    EXPECT_EQ(CountItems(Signal::kTraces, request.request),
              request.ingress == Ingress::kHttpJson ? 1U : 2U);
  }
}

}  // namespace
}  // namespace tracekeeper::otlp
