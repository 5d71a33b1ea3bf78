#include "src/otlp/retry_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/base64.h"
#include "src/otlp/export_response.h"

namespace tracekeeper::otlp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Action = Verdict::Action;
using net::GrpcCode;
using std::chrono::seconds;

constexpr Instant kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)};

HttpAnswer Http(int status, std::string type = "application/x-protobuf", std::string retry = "") {
  return {.status = status, .content_type = std::move(type), .retry_after = std::move(retry)};
}
GrpcAnswer Grpc(GrpcCode code, std::string message = "", std::string details = "") {
  return {.status = {code, std::move(message), std::move(details)}};
}

struct VerdictCase {
  const char* name;
  Answer answer;
  Action action;
  std::optional<Duration> wait = std::nullopt;
  const char* why = "";
  DropReason reason = DropReason::kRejected;
};

class Verdicts : public ::testing::TestWithParam<VerdictCase> {};

TEST_P(Verdicts, FollowTheSpecificationAndTheTable) {
  const Verdict verdict = Judge(GetParam().answer, kNow);
  EXPECT_EQ(verdict.action, GetParam().action);
  EXPECT_EQ(verdict.wait, GetParam().wait);
  EXPECT_EQ(verdict.reason, GetParam().reason);
  EXPECT_THAT(verdict.why, HasSubstr(GetParam().why));
  EXPECT_EQ(verdict.rejected, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Http, Verdicts,
    ::testing::Values(
        VerdictCase{"Ok", Http(200), Action::kDelivered},
        VerdictCase{"OkWithoutAType", Http(200, ""), Action::kDelivered},
        VerdictCase{"NoContent", Http(204, ""), Action::kDelivered},
        VerdictCase{"OkOfAnyOtherType", Http(200, "text/plain"), Action::kDelivered},
        VerdictCase{"HtmlIsNoReceiver",
                    Http(200, "text/html; charset=utf-8"),
                    Action::kRetry,
                    {},
                    "HTML page"},
        VerdictCase{"HtmlNotFound", Http(404, "text/html"), Action::kRetry, {}, "HTML page"},
        VerdictCase{"HtmlBadGateway", Http(502, "text/html", "7"), Action::kRetry, seconds(7),
                    "HTML page"},
        VerdictCase{"TooManyRequests", Http(429), Action::kRetry, {}, "HTTP 429"},
        VerdictCase{"TooManyRequestsForTenMinutes", Http(429, "", "600"), Action::kRetry,
                    seconds(600), "HTTP 429"},
        VerdictCase{"UnavailableUntilADate", Http(503, "", "Sun, 22 Nov 2026 00:01:00 GMT"),
                    Action::kRetry, seconds(60), "HTTP 503"},
        VerdictCase{"BadGateway", Http(502), Action::kRetry, {}, "HTTP 502"},
        VerdictCase{"GatewayTimeout", Http(504), Action::kRetry, {}, "HTTP 504"},
        VerdictCase{"Unauthorized", Http(401), Action::kRetry, {}, "check export.auth"},
        VerdictCase{"Forbidden", Http(403), Action::kRetry, {}, "check export.auth"},
        VerdictCase{"Redirect", Http(308), Action::kRetry, {}, "final address"},
        VerdictCase{"BadRequest", Http(400), Action::kSplit, {}, "HTTP 400"},
        VerdictCase{"TooLarge", Http(413), Action::kSplit, {}, "HTTP 413", DropReason::kTooLarge},
        VerdictCase{"NotFound", Http(404), Action::kDrop, {}, "HTTP 404 Not Found"},
        VerdictCase{"ServerError", Http(500), Action::kDrop, {}, "HTTP 500"},
        VerdictCase{"NotImplemented", Http(501), Action::kDrop, {}, "HTTP 501"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Grpc, Verdicts,
    ::testing::Values(
        VerdictCase{"Ok", Grpc(GrpcCode::kOk), Action::kDelivered},
        VerdictCase{"Cancelled", Grpc(GrpcCode::kCancelled), Action::kRetry, {}, "CANCELLED"},
        VerdictCase{"Unknown", Grpc(GrpcCode::kUnknown), Action::kDrop, {}, "UNKNOWN"},
        VerdictCase{"InvalidArgument",
                    Grpc(GrpcCode::kInvalidArgument),
                    Action::kSplit,
                    {},
                    "INVALID_ARGUMENT"},
        VerdictCase{"DeadlineExceeded",
                    Grpc(GrpcCode::kDeadlineExceeded),
                    Action::kRetry,
                    {},
                    "DEADLINE_EXCEEDED"},
        VerdictCase{"NotFound", Grpc(GrpcCode::kNotFound), Action::kDrop, {}, "NOT_FOUND"},
        VerdictCase{
            "AlreadyExists", Grpc(GrpcCode::kAlreadyExists), Action::kDrop, {}, "ALREADY_EXISTS"},
        VerdictCase{"PermissionDenied",
                    Grpc(GrpcCode::kPermissionDenied),
                    Action::kRetry,
                    {},
                    "check export.auth"},
        VerdictCase{"Unauthenticated",
                    Grpc(GrpcCode::kUnauthenticated),
                    Action::kRetry,
                    {},
                    "check export.auth"},
        VerdictCase{"Exhausted",
                    Grpc(GrpcCode::kResourceExhausted, "quota"),
                    Action::kDrop,
                    {},
                    "RESOURCE_EXHAUSTED: quota"},
        VerdictCase{"ExhaustedWithRetryInfo",
                    Grpc(GrpcCode::kResourceExhausted, "slow down",
                         WriteRetryInfo(GrpcCode::kResourceExhausted, "slow down", seconds(3))),
                    Action::kRetry, seconds(3), "slow down"},
        VerdictCase{
            "MessageTooLarge",
            Grpc(GrpcCode::kResourceExhausted, "grpc: received message larger than max (5 vs. 4)"),
            Action::kSplit,
            {},
            "larger than max",
            DropReason::kTooLarge},
        VerdictCase{"FailedPrecondition",
                    Grpc(GrpcCode::kFailedPrecondition),
                    Action::kDrop,
                    {},
                    "FAILED_PRECONDITION"},
        VerdictCase{"Aborted", Grpc(GrpcCode::kAborted), Action::kRetry, {}, "ABORTED"},
        VerdictCase{"OutOfRange", Grpc(GrpcCode::kOutOfRange), Action::kRetry, {}, "OUT_OF_RANGE"},
        VerdictCase{
            "Unimplemented", Grpc(GrpcCode::kUnimplemented), Action::kDrop, {}, "UNIMPLEMENTED"},
        VerdictCase{"Internal", Grpc(GrpcCode::kInternal), Action::kDrop, {}, "INTERNAL"},
        VerdictCase{"Unavailable", Grpc(GrpcCode::kUnavailable), Action::kRetry, {}, "UNAVAILABLE"},
        VerdictCase{
            "UnavailableWithRetryInfo",
            Grpc(GrpcCode::kUnavailable, "",
                 WriteRetryInfo(GrpcCode::kUnavailable, "", std::chrono::milliseconds(250))),
            Action::kRetry, std::chrono::milliseconds(250), "UNAVAILABLE"},
        VerdictCase{"DataLoss", Grpc(GrpcCode::kDataLoss), Action::kRetry, {}, "DATA_LOSS"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Silence, Verdicts,
    ::testing::Values(
        VerdictCase{"Unavailable",
                    NoAnswer{{ErrorKind::kUnavailable, "connection refused"}},
                    Action::kRetry,
                    {},
                    "connection refused"},
        VerdictCase{"Timeout",
                    NoAnswer{{ErrorKind::kTimeout, "no answer in 10 s"}},
                    Action::kRetry,
                    {},
                    "no answer"},
        VerdictCase{
            "NotHttp", NoAnswer{{ErrorKind::kDecode, "not HTTP"}}, Action::kRetry, {}, "not HTTP"}),
    [](const auto& test) { return test.param.name; });

TEST(Verdict, CountsWhatThePartOfAPartialSuccessThatWasRejected) {
  HttpAnswer http = Http(200);
  http.body = WriteExportResponse(Signal::kTraces, PayloadFormat::kProtobuf, {3, "too old"});
  GrpcAnswer grpc = Grpc(GrpcCode::kOk);
  grpc.message = http.body;
  for (const Answer& answer : {Answer(http), Answer(grpc)}) {
    const Verdict verdict = Judge(answer, kNow);
    EXPECT_EQ(verdict.action, Action::kDelivered);
    EXPECT_EQ(verdict.rejected, 3U);
    EXPECT_THAT(verdict.why, HasSubstr("rejected 3 records: too old"));
  }
}

TEST(Verdict, PassesAWarningOn) {
  HttpAnswer answer = Http(200);
  answer.body = WriteExportResponse(Signal::kLogs, PayloadFormat::kProtobuf, {0, "old version"});
  const Verdict verdict = Judge(answer, kNow);
  EXPECT_EQ(verdict.rejected, 0U);
  EXPECT_THAT(verdict.why, HasSubstr("warning: old version"));
}

TEST(Verdict, QuotesTheBackendShortAndOnOneLine) {
  HttpAnswer answer = Http(500);
  answer.body = WriteRpcStatus(PayloadFormat::kProtobuf, GrpcCode::kInternal,
                               "first\nsecond" + std::string(10'000, 'x'));
  const Verdict verdict = Judge(answer, kNow);
  EXPECT_THAT(verdict.why, HasSubstr("first second"));
  EXPECT_THAT(verdict.why, Not(HasSubstr("\n")));
  EXPECT_LT(verdict.why.size(), 400U);
}

TEST(Wait, GrowsWithFullJitterUpToHalfAMinute) {
  const Verdict verdict{.action = Action::kRetry};
  EXPECT_EQ(WaitBefore(verdict, 0, 0.0), Duration::zero());
  EXPECT_EQ(WaitBefore(verdict, 0, 0.5), std::chrono::milliseconds(500));
  EXPECT_EQ(WaitBefore(verdict, 3, 0.5), seconds(4));
  EXPECT_EQ(WaitBefore(verdict, 5, 0.5), seconds(15));
  EXPECT_EQ(WaitBefore(verdict, 4'000'000'000U, 0.5), seconds(15));
}

TEST(Wait, IsAtLeastWhatTheBackendAsksFor) {
  const Verdict asked{.action = Action::kRetry, .wait = seconds(600)};
  EXPECT_EQ(WaitBefore(asked, 0, 0.0), seconds(600));
  EXPECT_GT(WaitBefore(asked, 5, 0.9), seconds(600)) << "not everybody at the same moment";
  EXPECT_LE(WaitBefore(asked, 5, 0.999), seconds(660));
  const Verdict forever{.action = Action::kRetry, .wait = std::chrono::hours(1000)};
  EXPECT_EQ(WaitBefore(forever, 0, 0.0), std::chrono::minutes(15));
  const Verdict at_once{.action = Action::kRetry, .wait = Duration::zero()};
  EXPECT_EQ(WaitBefore(at_once, 5, 0.9), Duration::zero());
}

TEST(RetryInfo, IsReadAsItWasWritten) {
  const std::string details =
      WriteRetryInfo(GrpcCode::kUnavailable, "later", seconds(2) + std::chrono::milliseconds(5));
  EXPECT_EQ(ReadRetryInfo(details), seconds(2) + std::chrono::milliseconds(5));
  std::string unpadded = details;
  while (unpadded.ends_with('=')) unpadded.pop_back();
  EXPECT_EQ(ReadRetryInfo(unpadded), seconds(2) + std::chrono::milliseconds(5));
}

TEST(RetryInfo, IsNothingInOtherBytes) {
  EXPECT_FALSE(ReadRetryInfo(""));
  EXPECT_FALSE(ReadRetryInfo("!!!"));
  EXPECT_FALSE(ReadRetryInfo(codec::EncodeBase64("\x08\x0e\x12\x02hi")));
}

}  // namespace
}  // namespace tracekeeper::otlp
