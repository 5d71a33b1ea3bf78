#include "src/otlp/grpc_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/otlp/export_response.h"
#include "src/otlp/receiver_limits.h"
#include "src/otlp/relay.h"
#include "tests/src/otlp/fake_exporter.h"
#include "tests/src/otlp/scripted_intake.h"
#include "tests/support/manual_clock.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using net::GrpcCode;
using ::testing::HasSubstr;

const std::string kMethod(GrpcMethodOf(Signal::kTraces));

class GrpcReceiverTest : public ::testing::Test {
 protected:
  GrpcReceiverTest() { relay_.Configure({.exporter = std::make_shared<FakeExporter>()}); }

  net::GrpcReply Call(std::string_view method, std::string_view message,
                      std::string_view encoding = {}) {
    return net::ReadGrpcResponse(receiver_.Handle(
        net::WriteGrpcRequest({.method = method, .message = message, .encoding = encoding}, {})));
  }
  std::uint64_t Received(Signal signal) {
    return relay_.counters().received[IndexOf(signal)].Get(Ingress::kGrpc);
  }
  static std::string Compressed(codec::Compression compression, std::string_view bytes) {
    codec::Compressor compressor;
    return std::string(*compressor.Compress(compression, bytes));
  }

  test_support::ManualClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Relay relay_{clock_, Logger(log_)};
  GrpcReceiver receiver_{relay_};
};

TEST_F(GrpcReceiverTest, TakesEverySignal) {
  EXPECT_TRUE(Call(kMethod, test_support::TracesRequest("a", {{}, {}})).status.ok());
  EXPECT_TRUE(Call(GrpcMethodOf(Signal::kMetrics), test_support::MetricsRequest({3})).status.ok());
  EXPECT_TRUE(Call(GrpcMethodOf(Signal::kLogs), test_support::LogsRequest({""})).status.ok());
  EXPECT_EQ(Received(Signal::kTraces), 2U);
  EXPECT_EQ(Received(Signal::kMetrics), 3U);
  EXPECT_EQ(Received(Signal::kLogs), 1U);
}

TEST_F(GrpcReceiverTest, TakesCompressedMessages) {
  const std::string request = test_support::TracesRequest("a", {{}});
  EXPECT_TRUE(Call(kMethod, Compressed(codec::Compression::kGzip, request), "gzip").status.ok());
  EXPECT_TRUE(Call(kMethod, Compressed(codec::Compression::kZstd, request), "zstd").status.ok());
  EXPECT_EQ(Received(Signal::kTraces), 2U);
}

struct RefusedCall {
  const char* name;
  std::string method;
  std::string message;
  std::string encoding;
  GrpcCode code;
  const char* sentence;
};

class RefusedCalls : public GrpcReceiverTest, public ::testing::WithParamInterface<RefusedCall> {};

TEST_P(RefusedCalls, AreAnsweredWithACodeAndASentence) {
  const auto reply = Call(GetParam().method, GetParam().message, GetParam().encoding);
  EXPECT_EQ(reply.status.code, GetParam().code);
  EXPECT_THAT(reply.status.message, HasSubstr(GetParam().sentence));
  EXPECT_FALSE(ReadRetryInfo(reply.status.details_base64)) << "coming again would not help";
  EXPECT_EQ(relay_.Report().queue_bytes, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedCalls,
    ::testing::Values(
        RefusedCall{"Method", "/grpc.health.v1.Health/Check", "", "", GrpcCode::kUnimplemented,
                    "no method /grpc.health.v1.Health/Check"},
        RefusedCall{"Encoding", kMethod, "x", "snappy", GrpcCode::kUnimplemented,
                    "send gzip, zstd, deflate or identity"},
        RefusedCall{"NoOtlp", kMethod, "<html>", "", GrpcCode::kInvalidArgument, "no OTLP traces"},
        RefusedCall{"NoGzip", kMethod, "plain", "gzip", GrpcCode::kInvalidArgument, "gzip"},
        RefusedCall{"Bomb", kMethod,
                    [] {
                      codec::Compressor compressor;
                      return std::string(*compressor.Compress(
                          codec::Compression::kZstd, std::string(kMaxRequestBytes + 1, 'x')));
                    }(),
                    "zstd", GrpcCode::kResourceExhausted, "send smaller batches"}),
    [](const auto& test) { return test.param.name; });

TEST_F(GrpcReceiverTest, AsksToComeAgainWhenThereIsNoRoom) {
  relay_.Configure({.queue = {.budget = 1'000}, .exporter = std::make_shared<FakeExporter>()});
  const auto reply = Call(GrpcMethodOf(Signal::kMetrics), test_support::MetricsRequest({500}));
  EXPECT_EQ(reply.status.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(ReadRetryInfo(reply.status.details_base64), std::chrono::seconds(1));
}

TEST_F(GrpcReceiverTest, AnswersThatItIsEnding) {
  relay_.Drain(Duration::zero());
  const auto reply = Call(kMethod, test_support::TracesRequest("a", {{}}));
  EXPECT_EQ(reply.status.code, GrpcCode::kUnavailable);
  EXPECT_TRUE(ReadRetryInfo(reply.status.details_base64));
}

TEST(GrpcReceiverForOthers, TellsWhatOfARequestWasNotTaken) {
  ScriptedIntake intake;
  intake.set_answer(PartialSuccess{.rejected = 2, .message = "no"});
  GrpcReceiver receiver(intake);
  const auto reply = net::ReadGrpcResponse(receiver.Handle(net::WriteGrpcRequest(
      {.method = kMethod, .message = test_support::TracesRequest("a", {{}})}, {})));
  EXPECT_TRUE(reply.status.ok());
  EXPECT_EQ(ReadPartialSuccess(reply.message), (PartialSuccess{.rejected = 2, .message = "no"}));
}

TEST_F(GrpcReceiverTest, TellsWhatIsNotGrpcSo) {
  EXPECT_EQ(receiver_.Handle({.method = "POST", .target = "/v1/traces"}).status, 415);
}

}  // namespace
}  // namespace tracekeeper::otlp
