#include "src/webhook/webhook_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "src/telemetry/prometheus_metrics.h"

namespace tracekeeper::webhook {
namespace {

using testing::HasSubstr;

constexpr std::string_view kReview = R"({
  "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
  "request": {"uid": "u-1", "operation": "CREATE", "object": {}}})";

net::Request Post(std::string_view path, std::string_view body,
                  std::string_view type = "application/json") {
  return {"POST", std::string(path), {{"Content-Type", std::string(type)}}, std::string(body)};
}

class WebhooksTest : public testing::Test {
 protected:
  WebhooksTest() {
    webhooks_.Register("/add",
                       [](const AdmissionRequest&) { return AdmissionResponse{.patch = "[]"}; });
    webhooks_.Register("/throw", [](const AdmissionRequest&) -> AdmissionResponse {
      throw std::runtime_error("broken");
    });
  }

  SystemClock clock_;
  telemetry::PrometheusMetrics metrics_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines_.emplace_back(line); }};
  Webhooks webhooks_{clock_, metrics_, Logger(log_)};
};

TEST_F(WebhooksTest, AnswersAReviewAtItsPathWhateverTheQuery) {
  // API servers add ?timeout=2s.
  const net::Response response = webhooks_.Handle(Post("/add?timeout=2s", kReview));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-type"), "application/json");
  EXPECT_THAT(response.body, HasSubstr(R"("patchType":"JSONPatch")"));
}

struct BadRequest {
  const char* name;
  net::Request request;
  int status;
  const char* message;
};

class RefusedRequest : public WebhooksTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(RefusedRequest, HasAStatusAndASentence) {
  const net::Response response = webhooks_.Handle(GetParam().request);
  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_THAT(response.body, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedRequest,
    testing::Values(
        BadRequest{"unknown_path", Post("/nothing", kReview), 404, "no webhook is served"},
        BadRequest{"get", {"GET", "/add", {}, ""}, 405, "POST a review"},
        BadRequest{"form", Post("/add", kReview, "application/x-www-form-urlencoded"), 415,
                   "application/json"},
        BadRequest{"empty", Post("/add", ""), 400, "not JSON"},
        BadRequest{"truncated", Post("/add", kReview.substr(0, 60)), 400, "not JSON"},
        BadRequest{"not_utf8", Post("/add", "{\"kind\": \"\xff\xfe\"}"), 400, "not JSON"},
        BadRequest{"deep", Post("/add", std::string(100000, '[')), 400, "not JSON"},
        BadRequest{"no_review", Post("/add", "{}"), 400, "expected kind AdmissionReview"}),
    [](const auto& param) { return param.param.name; });

TEST_F(WebhooksTest, TakesAContentTypeWithParameters) {
  EXPECT_EQ(webhooks_.Handle(Post("/add", kReview, "application/json; charset=utf-8")).status, 200);
}

TEST_F(WebhooksTest, AFunctionThatThrowsCostsOneAnswerAndIsCounted) {
  EXPECT_EQ(webhooks_.Handle(Post("/throw", kReview)).status, 500);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr(R"(controller_runtime_webhook_panics_total{webhook="/throw"} 1)"));
  EXPECT_THAT(lines_, testing::ElementsAre(HasSubstr("uid=u-1 error=broken")));
  EXPECT_EQ(webhooks_.Handle(Post("/add", kReview)).status, 200);
}

TEST_F(WebhooksTest, CountsByStatusFromZero) {
  EXPECT_THAT(metrics_.Text(), HasSubstr("controller_runtime_webhook_requests_total{"));
  webhooks_.Handle(Post("/add", kReview));
  webhooks_.Handle(Post("/add", "nonsense"));
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr(R"(code="200",webhook="/add"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(code="400",webhook="/add"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(code="500",webhook="/add"} 0)"));
  EXPECT_THAT(text,
              HasSubstr(R"(controller_runtime_webhook_latency_seconds_count{webhook="/add"} 2)"));
}

TEST_F(WebhooksTest, AnswersManyThreadsAtOnce) {
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        good += webhooks_.Handle(Post("/add", kReview)).status == 200 ? 1 : 0;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 2000);
}

}  // namespace
}  // namespace tracekeeper::webhook
