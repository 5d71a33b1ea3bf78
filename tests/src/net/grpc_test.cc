#include "src/net/grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tracekeeper::net {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::string Framed(std::string_view message, char flag = 0) {
  std::string body{flag, 0, 0, 0, static_cast<char>(message.size())};
  return body.append(message);
}

// --- Requests ------------------------------------------------------------------------------------

struct RequestCase {
  std::string name;
  Request request;
  std::string want;  // the message, or "CODE: " and what the sentence holds
};

Request Post(std::string body, Headers headers = {{"content-type", "application/grpc"}}) {
  return {"POST", "/pkg.Service/Method", std::move(headers), std::move(body)};
}

const RequestCase kRequestCases[] = {
    {"plain", Post(Framed("hello")), "hello"},
    {"empty", Post(Framed("")), ""},
    {"proto", Post(Framed("x"), {{"content-type", "application/grpc+proto"}}), "x"},
    {"parameters", Post(Framed("x"), {{"content-type", "application/grpc;charset=utf-8"}}), "x"},
    {"compressed",
     Post(Framed("zip", 1), {{"content-type", "application/grpc"}, {"grpc-encoding", "gzip"}}),
     "gzip of zip"},
    {"encodingButNotCompressed",
     Post(Framed("raw"), {{"content-type", "application/grpc"}, {"grpc-encoding", "gzip"}}), "raw"},
    {"compressedWithWhat", Post(Framed("zip", 1)), "INTERNAL: does not say with what"},
    {"unknownFlag", Post(Framed("x", 2)), "INTERNAL: unknown flags 2"},
    {"nothing", Post(""), "INTERNAL: 0 bytes are no gRPC message"},
    {"halfAPrefix", Post(std::string(4, '\0')), "INTERNAL: 4 bytes are no gRPC message"},
    {"cutOff", Post(Framed("hello").substr(0, 8)), "INTERNAL: of 5 bytes is announced and 3 came"},
    {"twoMessages", Post(Framed("a") + Framed("b")),
     "INTERNAL: of 1 bytes is announced and 7 came"},
    {"hugeLength", Post(std::string("\0\xFF\xFF\xFF\xFFx", 6)),
     "INTERNAL: of 4294967295 bytes is announced"},
    {"get", {"GET", "/a/b", {{"content-type", "application/grpc"}}, ""}, "INTERNAL: POST"},
    {"json", Post("{}", {{"content-type", "application/json"}}), "INTERNAL: content type"},
    {"grpcWeb", Post("", {{"content-type", "application/grpc-web"}}), "INTERNAL: content type"},
    {"badTimeout",
     Post(Framed("x"), {{"content-type", "application/grpc"}, {"grpc-timeout", "1day"}}),
     "INTERNAL: grpc-timeout"},
};

class ReadsRequests : public testing::TestWithParam<RequestCase> {};

TEST_P(ReadsRequests, OrSaysWhatIsWrong) {
  const auto call = ReadGrpcRequest(GetParam().request);
  const std::string& want = GetParam().want;
  if (!call) {
    ASSERT_THAT(want, HasSubstr(": ")) << call.error().message;
    EXPECT_EQ(want.substr(0, want.find(':')), NameOf(call.error().code));
    EXPECT_THAT(call.error().message, HasSubstr(want.substr(want.find(": ") + 2)));
    return;
  }
  EXPECT_EQ(call->method, "/pkg.Service/Method");
  const std::string got(call->message);
  EXPECT_EQ(call->encoding.empty() ? got : std::string(call->encoding) + " of " + got, want);
}

INSTANTIATE_TEST_SUITE_P(Grpc, ReadsRequests, testing::ValuesIn(kRequestCases),
                         [](const auto& tested) { return tested.param.name; });

// --- Responses -----------------------------------------------------------------------------------

struct ResponseCase {
  std::string name;
  Response response;
  GrpcCode code;
  std::string want;  // the message, or what the status's sentence holds
};

const Headers kGrpc = {{"content-type", "application/grpc"}};

Response Proxied(int status, Headers headers = {{"content-type", "text/html"}}) {
  return {status, std::move(headers), "<html>\n<b>sorry</b></html>"};
}

const ResponseCase kResponseCases[] = {
    {"ok", {200, kGrpc, Framed("answer"), {{"grpc-status", "0"}}}, GrpcCode::kOk, "answer"},
    {"okWithoutMessage",
     {200, kGrpc, "", {{"grpc-status", "0"}}},
     GrpcCode::kInternal,
     "damaged: 0 bytes are no gRPC message"},
    {"okCutOff",
     {200, kGrpc, Framed("answer").substr(0, 9), {{"grpc-status", "0"}}},
     GrpcCode::kInternal,
     "damaged"},
    {"failed",
     {200, kGrpc, "", {{"grpc-status", "14"}, {"grpc-message", "try%20again%21"}}},
     GrpcCode::kUnavailable,
     "try again!"},
    {"trailersOnly",
     {200,
      {{"content-type", "application/grpc"}, {"grpc-status", "8"}, {"grpc-message", "full"}},
      ""},
     GrpcCode::kResourceExhausted,
     "full"},
    {"unknownCode",
     {200, kGrpc, "", {{"grpc-status", "99"}}},
     GrpcCode::kUnknown,
     "grpc-status \"99\" is none"},
    {"codeIsText", {200, kGrpc, "", {{"grpc-status", "no"}}}, GrpcCode::kUnknown, "\"no\" is none"},
    {"noStatus", {200, kGrpc, Framed("answer")}, GrpcCode::kInternal, "without a grpc-status"},
    {"compressedWithWhat",
     {200, kGrpc, Framed("x", 1), {{"grpc-status", "0"}}},
     GrpcCode::kInternal,
     "but not with what"},
    {"htmlWith200", Proxied(200), GrpcCode::kUnknown,
     "HTTP 200 OK with text/html: <html> <b>sorry"},
    {"noContentType", Proxied(200, {}), GrpcCode::kUnknown, "no content type"},
    {"badRequest", Proxied(400), GrpcCode::kInternal, "HTTP 400 Bad Request"},
    {"unauthorized", Proxied(401), GrpcCode::kUnauthenticated, "HTTP 401"},
    {"forbidden", Proxied(403), GrpcCode::kPermissionDenied, "HTTP 403"},
    {"notFound", Proxied(404), GrpcCode::kUnimplemented, "HTTP 404"},
    {"tooMany", Proxied(429), GrpcCode::kUnavailable, "HTTP 429 Too Many Requests"},
    {"badGateway", Proxied(502), GrpcCode::kUnavailable, "HTTP 502"},
    {"unavailable", Proxied(503), GrpcCode::kUnavailable, "HTTP 503"},
    {"gatewayTimeout", Proxied(504), GrpcCode::kUnavailable, "HTTP 504"},
    {"teapot", Proxied(418), GrpcCode::kUnknown, "HTTP 418"},
    {"grpcStatusBeatsHttp", Proxied(503, {{"grpc-status", "16"}, {"grpc-message", "who?"}}),
     GrpcCode::kUnauthenticated, "who?"},
};

class ReadsResponses : public testing::TestWithParam<ResponseCase> {};

TEST_P(ReadsResponses, AsGrpcPrescribes) {
  const GrpcReply reply = ReadGrpcResponse(GetParam().response);
  EXPECT_EQ(NameOf(reply.status.code), NameOf(GetParam().code));
  if (reply.status.ok()) {
    EXPECT_EQ(reply.message, GetParam().want);
  } else {
    EXPECT_THAT(reply.status.message, HasSubstr(GetParam().want));
    EXPECT_EQ(reply.message, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Grpc, ReadsResponses, testing::ValuesIn(kResponseCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(GrpcResponse, HandsDetailsAndRetryAfterUp) {
  const GrpcReply failed = ReadGrpcResponse(
      {200, kGrpc, "", {{"grpc-status", "14"}, {"grpc-status-details-bin", "CA4SA2FiYw"}}});
  EXPECT_EQ(failed.status.details_base64, "CA4SA2FiYw");
  const GrpcReply proxied = ReadGrpcResponse({429, {{"retry-after", "17"}}, "slow down"});
  EXPECT_EQ(proxied.retry_after, "17");
}

TEST(GrpcResponse, IsReadAsItWasWritten) {
  const GrpcReply replies[] = {
      {.message = "answer"},
      {.message = "zipped", .encoding = "zstd"},
      {.status = {GrpcCode::kUnavailable, "später, 50 %\n", "CA4"}},
  };
  for (const GrpcReply& reply : replies) {
    const GrpcReply read = ReadGrpcResponse(WriteGrpcResponse(reply));
    EXPECT_EQ(read.status.code, reply.status.code);
    EXPECT_EQ(read.status.message, reply.status.message);
    EXPECT_EQ(read.status.details_base64, reply.status.details_base64);
    EXPECT_EQ(read.message, reply.message);
    EXPECT_EQ(read.encoding, reply.encoding);
  }
}

TEST(GrpcRequest, IsReadAsItWasWritten) {
  const GrpcCall call{"/a.B/C", "message", "gzip", seconds(3)};
  const Request request = WriteGrpcRequest(call, {{"authorization", "Bearer t"}});
  EXPECT_EQ(request.headers.Get("te"), "trailers");
  EXPECT_EQ(request.headers.Get("authorization"), "Bearer t");
  const auto read = ReadGrpcRequest(request);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->method, call.method);
  EXPECT_EQ(read->message, call.message);
  EXPECT_EQ(read->encoding, call.encoding);
  EXPECT_EQ(read->timeout, call.timeout);
}

// --- Texts ---------------------------------------------------------------------------------------

TEST(GrpcMessage, IsDecodedAsItWasEncodedWhateverItsBytes) {
  std::mt19937 random(5);
  for (int round = 0; round < 1000; ++round) {
    std::string message(random() % 50, '\0');
    for (char& c : message) c = static_cast<char>(random());
    const std::string encoded = EncodeGrpcMessage(message);
    EXPECT_TRUE(
        std::all_of(encoded.begin(), encoded.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    ASSERT_EQ(DecodeGrpcMessage(encoded), message);
  }
}

TEST(GrpcMessage, KeepsWhatIsNoEscape) {
  EXPECT_EQ(DecodeGrpcMessage("100%"), "100%");
  EXPECT_EQ(DecodeGrpcMessage("%4"), "%4");
  EXPECT_EQ(DecodeGrpcMessage("%zz %41"), "%zz A");
}

struct TimeoutCase {
  std::string_view text;
  std::optional<Duration> want;
};

TEST(GrpcTimeout, IsReadInEveryUnitAndRefusedOtherwise) {
  const TimeoutCase cases[] = {
      {"1H", hours(1)},
      {"2M", std::chrono::minutes(2)},
      {"3S", seconds(3)},
      {"4m", milliseconds(4)},
      {"5u", microseconds(5)},
      {"6n", nanoseconds(6)},
      {"99999999S", seconds(99'999'999)},
      {"99999999H", Duration::max()},  // longer than we can count
      {"0S", Duration::zero()},
      {"", std::nullopt},
      {"S", std::nullopt},
      {"1", std::nullopt},
      {"1s", std::nullopt},
      {"-1S", std::nullopt},
      {"1.5S", std::nullopt},
      {"123456789S", std::nullopt},
      {" 1S", std::nullopt},
      {"1 S", std::nullopt},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(ReadGrpcTimeout(text), want) << text;
}

TEST(GrpcTimeout, IsNeverShorterThanAsked) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 1000; ++round) {
    const Duration asked(static_cast<std::int64_t>(random() >> (1 + random() % 60)));
    const auto read = ReadGrpcTimeout(WriteGrpcTimeout(asked));
    ASSERT_TRUE(read);
    if (asked < hours(2'000'000)) {
      EXPECT_GE(*read, asked);
      EXPECT_LE(*read - asked, asked / 99'999 + nanoseconds(1));
    }
  }
}

}  // namespace
}  // namespace tracekeeper::net
