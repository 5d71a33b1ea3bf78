#include "src/kube/status_error.h"

#include <gtest/gtest.h>

#include <string>

namespace tracekeeper::kube {
namespace {

using std::chrono::seconds;

struct AnswerCase {
  std::string_view name;
  int code;
  std::string_view body;
  ErrorKind kind;
  std::string_view sentence;  // a part of it
  std::string_view retry_after = "";
  int waits = -1;  // seconds
};

class Answers : public testing::TestWithParam<AnswerCase> {};

TEST_P(Answers, BecomeErrorsOfAKindWithASentence) {
  const AnswerCase& test = GetParam();
  const Error error = ErrorFromAnswer(test.code, test.retry_after, test.body, "get pods shop/web");
  EXPECT_EQ(NameOf(error.kind), NameOf(test.kind));
  EXPECT_NE(error.message.find(test.sentence), std::string::npos) << error.message;
  EXPECT_TRUE(error.message.starts_with("get pods shop/web: ")) << error.message;
  if (test.waits < 0) {
    EXPECT_FALSE(error.retry_after);
  } else {
    EXPECT_EQ(error.retry_after, seconds(test.waits));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Answers,
    testing::Values(
        AnswerCase{
            "NotFound", 404,
            R"({"kind":"Status","message":"pods \"web\" not found","reason":"NotFound","code":404})",
            ErrorKind::kNotFound, R"(pods "web" not found)"},
        AnswerCase{"ReasonGoesBeforeCode", 409,
                   R"({"kind":"Status","message":"exists","reason":"AlreadyExists","code":409})",
                   ErrorKind::kAlreadyExists, "exists"},
        AnswerCase{"Conflict", 409,
                   R"({"kind":"Status","message":"modified","reason":"Conflict","code":409})",
                   ErrorKind::kConflict, "modified"},
        AnswerCase{"Expired", 410,
                   R"({"kind":"Status","message":"too old","reason":"Expired","code":410})",
                   ErrorKind::kExpired, "too old"},
        AnswerCase{
            "VersionTooLarge", 504,
            R"({"kind":"Status","message":"Timeout: Too large resource version: 9","reason":"Timeout","code":504,"details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1}})",
            ErrorKind::kExpired, "Too large resource version", "", 1},
        AnswerCase{
            "Unauthorized", 401,
            R"({"kind":"Status","message":"Unauthorized","reason":"Unauthorized","code":401})",
            ErrorKind::kUnauthorized, "check that it has not expired"},
        AnswerCase{
            "Forbidden", 403,
            R"({"kind":"Status","message":"pods is forbidden: User \"x\" cannot list","reason":"Forbidden","code":403})",
            ErrorKind::kForbidden, "cannot list"},
        AnswerCase{
            "InvalidWithCauses", 422,
            R"({"kind":"Status","message":"it is invalid","reason":"Invalid","code":422,"details":{"causes":[{"reason":"FieldValueInvalid","message":"must be even","field":"spec.n"},{"message":"it is invalid"}]}})",
            ErrorKind::kInvalid, "it is invalid (spec.n: must be even)"},
        AnswerCase{
            "PatchThatDoesNotFit", 422,
            R"({"kind":"Status","message":"the server rejected our request due to an error in our request","reason":"Invalid","details":{},"code":422})",
            ErrorKind::kConflict, "does not fit the object as it is now"},
        AnswerCase{
            "AppliedFieldThatTheSchemaDoesNotKnow", 500,
            R"({"kind":"Status","message":"failed to create typed patch object (/a; /v1, Kind=ConfigMap): .dataa: field not declared in schema","code":500})",
            ErrorKind::kInvalid, ".dataa: field not declared"},
        AnswerCase{"TooManyRequestsWithHeader", 429, "Too many requests, please try again later.\n",
                   ErrorKind::kTooManyRequests, "Too many requests", "7", 7},
        AnswerCase{
            "HeaderGoesBeforeDetails", 429,
            R"({"kind":"Status","reason":"TooManyRequests","code":429,"details":{"retryAfterSeconds":5}})",
            ErrorKind::kTooManyRequests, "TooManyRequests", "2", 2},
        AnswerCase{
            "DetailsAlone", 429,
            R"({"kind":"Status","reason":"TooManyRequests","code":429,"details":{"retryAfterSeconds":5}})",
            ErrorKind::kTooManyRequests, "TooManyRequests", "", 5},
        AnswerCase{"RetryAfterAsADate", 503, "", ErrorKind::kUnavailable, "HTTP 503",
                   "Wed, 21 Oct 2026 07:28:00 GMT"},
        AnswerCase{"RetryAfterOfAYear", 503, "", ErrorKind::kUnavailable, "HTTP 503", "31536000"},
        AnswerCase{"RetryAfterNegative", 503, "", ErrorKind::kUnavailable, "HTTP 503", "-1"},
        AnswerCase{"PageOfHtml", 502, "<html><body><h1>Bad gateway</h1>", ErrorKind::kUnavailable,
                   "a proxy answered in place of the Kubernetes API server"},
        AnswerCase{"HtmlAfterBlanks", 403, "\n \xEF\xBB\xBF<!DOCTYPE html>", ErrorKind::kForbidden,
                   "page of HTML"},
        AnswerCase{"PlainText", 500, "etcd\nis\x01 gone", ErrorKind::kUnavailable,
                   "HTTP 500: etcd is  gone"},
        AnswerCase{"NothingAtAll", 504, "", ErrorKind::kTimeout, "HTTP 504"},
        AnswerCase{"Redirect", 302, "", ErrorKind::kUnavailable, "HTTP 302"},
        AnswerCase{"JsonThatIsNoStatus", 400, R"({"kind":"Pod"})", ErrorKind::kInvalid,
                   R"({"kind":"Pod"})"},
        AnswerCase{"BrokenJson", 409, R"({"kind":"Status","reason")", ErrorKind::kConflict,
                   R"({"kind":"Status")"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(StatusError, CutsWhatThePeerSaysAndKeepsItOnOneLine) {
  const std::string huge(1U << 20U, 'x');
  const Error error = ErrorFromAnswer(500, "", "line\r\n" + huge, "list pods");
  EXPECT_LT(error.message.size(), kMaxText + 100);
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
}

TEST(StatusError, ReadsNoStatusFromOtherObjects) {
  codec::JsonParser parser;
  EXPECT_FALSE(DecodeStatus(*parser.Parse(R"({"kind":"Pod","code":404})")));
  EXPECT_FALSE(DecodeStatus(*parser.Parse("[]")));
}

}  // namespace
}  // namespace tracekeeper::kube
