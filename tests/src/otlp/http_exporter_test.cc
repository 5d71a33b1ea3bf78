#include "src/otlp/http_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_transport.h"

namespace tracekeeper::otlp {
namespace {

using test_support::ScriptedTransport;
using ::testing::HasSubstr;

class Token final : public RequestCredential {
 public:
  explicit Token(Result<std::string> value) : value_(std::move(value)) {}
  Status AddTo(net::Headers& headers) override {
    headers.Set("Authorization", TRY(value_));
    return {};
  }

 private:
  Result<std::string> value_;
};

struct Made {
  ScriptedTransport* transport;
  std::unique_ptr<Exporter> exporter;
};

Made Make(HttpExporterOptions options, std::shared_ptr<RequestCredential> credential = nullptr) {
  auto transport = std::make_unique<ScriptedTransport>();
  ScriptedTransport* const kept = transport.get();
  return {kept, MakeHttpExporter(std::move(options), std::move(transport), std::move(credential))};
}

TEST(HttpExporter, PostsToTheSignalsPathBelowThePrefix) {
  Made made = Make({.path_prefix = "/otlp",
                    .headers = {{"X-Scope-OrgID", "shop"}},
                    .compression = codec::Compression::kGzip},
                   std::make_shared<Token>("Bearer t"));
  made.transport->Answer({.status = 200, .headers = {{"Content-Type", "application/x-protobuf"}}});
  std::string body = "bytes";
  const Answer answer = made.exporter->Export(Signal::kMetrics, body, StopToken());
  EXPECT_EQ(std::get<HttpAnswer>(answer).status, 200);
  EXPECT_EQ(body, "bytes") << "it is the caller's again";

  const auto requests = made.transport->requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/otlp/v1/metrics");
  EXPECT_EQ(requests[0].body, "bytes");
  EXPECT_EQ(requests[0].headers.Get("Content-Type"), "application/x-protobuf");
  EXPECT_EQ(requests[0].headers.Get("Content-Encoding"), "gzip");
  EXPECT_EQ(requests[0].headers.Get("Authorization"), "Bearer t");
  EXPECT_EQ(requests[0].headers.Get("X-Scope-OrgID"), "shop");
}

TEST(HttpExporter, SaysNothingOfAnEncodingThatThereIsNot) {
  Made made = Make({.compression = codec::Compression::kIdentity});
  made.transport->Answer({});
  std::string body;
  made.exporter->Export(Signal::kTraces, body, StopToken());
  EXPECT_FALSE(made.transport->requests()[0].headers.Has("Content-Encoding"));
}

TEST(HttpExporter, HandsOnWhatDecidesAboutTheNextAttempt) {
  Made made = Make({});
  made.transport->Answer({.status = 429,
                          .headers = {{"Retry-After", "7"}, {"Content-Type", "text/html"}},
                          .pieces = {"<html>"}});
  std::string body;
  const auto answer = std::get<HttpAnswer>(made.exporter->Export(Signal::kLogs, body, StopToken()));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.retry_after, "7");
  EXPECT_EQ(answer.content_type, "text/html");
}

TEST(HttpExporter, DoesNotAskWithoutItsCredential) {
  Made made =
      Make({}, std::make_shared<Token>(Fail(ErrorKind::kUnauthorized, "no credential to send")));
  std::string body;
  const auto answer = std::get<NoAnswer>(made.exporter->Export(Signal::kLogs, body, StopToken()));
  EXPECT_THAT(answer.error.message, HasSubstr("no credential"));
  EXPECT_EQ(made.transport->requests().size(), 0U);
}

}  // namespace
}  // namespace tracekeeper::otlp
