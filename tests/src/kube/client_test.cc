// How the client calls: what it sends, what it repeats, what it makes of odd answers.
#include "src/kube/client.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "src/kube/discovery.h"
#include "tests/src/kube/client_fixture.h"
#include "tests/src/kube/test_files.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_transport.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test_support::ManualClock;
using test_support::ScriptedTransport;

TEST_F(ClientCalls, SayWhoTheyAre) {
  unary_.AnswerJson(std::string(kPod));
  ASSERT_TRUE(Get());
  const net::Request request = unary_.requests()[0];
  EXPECT_EQ(request.target, "/api/v1/namespaces/shop/pods/web");
  EXPECT_EQ(request.headers.Get("User-Agent"), "tracekeeper-test/1.2");
  EXPECT_EQ(request.headers.Get("Accept"), "application/json");
  EXPECT_FALSE(request.headers.Has("Authorization"));
}

TEST_F(ClientCalls, AskForStrictValidationAndNameTheManager) {
  unary_.AnswerJson("{}");
  ASSERT_TRUE(client_.Apply(kConfigMaps, {"shop", "c"}, "{}",
                            {.field_manager = "tracekeeper/x",
                             .subresource = "status",
                             .force = Force::kYes,
                             .dry_run = DryRun::kYes},
                            {}));
  const net::Request request = unary_.requests()[0];
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target,
            "/api/v1/namespaces/shop/configmaps/c/status?fieldManager=tracekeeper%2Fx&force=true"
            "&fieldValidation=Strict&dryRun=All");
  EXPECT_EQ(request.headers.Get("Content-Type"), "application/apply-patch+yaml");
}

TEST_F(ClientCalls, WaitAsLongAsTheServerAsks) {
  unary_.Answer({.status = 429, .headers = {{"Retry-After", "3"}}});
  unary_.Answer({.status = 503, .headers = {{"Retry-After", "2"}}});
  unary_.AnswerJson(std::string(kPod));
  EXPECT_TRUE(Get());
  EXPECT_EQ(Waited(), seconds(5));
}

TEST_F(ClientCalls, AreRepeatedABoundedNumberOfTimes) {
  for (int i = 0; i < 9; ++i) unary_.Answer({.status = 429, .headers = {{"Retry-After", "1"}}});
  const auto pod = Get();
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().kind, ErrorKind::kTooManyRequests);
  EXPECT_EQ(unary_.requests().size(), 5U);
}

TEST_F(ClientCalls, PassAWaitOnThatIsTooLongOrPastTheDeadline) {
  unary_.Answer({.status = 429, .headers = {{"Retry-After", "11"}}});
  auto pod = Get();
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().retry_after, seconds(11));
  // Three waits of ten seconds do not fit into a deadline of thirty.
  for (int i = 0; i < 4; ++i) unary_.Answer({.status = 503, .headers = {{"Retry-After", "10"}}});
  EXPECT_FALSE(Get());
  EXPECT_LT(Waited(), seconds(30));
}

TEST_F(ClientCalls, AreNotRepeatedWhereTheServerSetNoTime) {
  for (const int status : {429, 500, 503}) {
    unary_.Answer({.status = status});
    EXPECT_FALSE(Get());
  }
  EXPECT_EQ(unary_.requests().size(), 3U);
}

TEST_F(ClientCalls, GoOutOnceMoreAfterABrokenConnectionWhenThatIsHarmless) {
  unary_.Answer({.error = Broken()});
  unary_.AnswerJson(std::string(kPod));
  EXPECT_TRUE(Get());
  unary_.Answer({.error = Broken()});
  unary_.Answer({.error = Broken()});
  const auto pod = Get();
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().message, "get pods shop/web: the connection broke");
}

TEST_F(ClientCalls, ThatMayHaveActedAreNotSentTwice) {
  const auto count = [&](auto&& call) {
    const std::size_t before = unary_.requests().size();
    unary_.Answer({.error = Broken()});
    call();
    return unary_.requests().size() - before;
  };
  EXPECT_EQ(count([&] { (void)client_.Create(kPods, "shop", kPod, {}, {}); }), 1U);
  EXPECT_EQ(count([&] { (void)client_.PatchJson(kPods, {"shop", "web"}, "[]", {}, {}); }), 1U);
  EXPECT_EQ(count([&] { (void)client_.Delete(kPods, {"shop", "web"}, {}, {}); }), 1U);
  EXPECT_EQ(count([&] { (void)client_.CallText({.method = "POST", .target = "/x"}, {}); }), 1U);
  // A delete that names its object by uid can hit no other.
  const std::size_t before = unary_.requests().size();
  unary_.Answer({.error = Broken()});
  unary_.AnswerJson("{}");
  EXPECT_TRUE(client_.Delete(kPods, {"shop", "web"}, {.uid = "u"}, {}));
  EXPECT_EQ(unary_.requests().size() - before, 2U);
}

TEST_F(ClientCalls, ThatTimedOutAreNotRepeated) {
  unary_.Answer({.error = Error{ErrorKind::kTimeout, "no answer in time", std::nullopt}});
  EXPECT_EQ(Get().error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(unary_.requests().size(), 1U);
}

TEST_F(ClientCalls, EndAtOnceWhenAskedToStopDuringAWait) {
  hurry_ = std::jthread();  // time stands still
  std::stop_source stop;
  unary_.Answer({.status = 429, .headers = {{"Retry-After", "5"}}});
  std::jthread caller([&] {
    const auto pod = client_.Get(kPods, {"shop", "web"}, stop.get_token());
    ASSERT_FALSE(pod);
    EXPECT_EQ(pod.error().kind, ErrorKind::kCancelled);
  });
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  stop.request_stop();
}

TEST_F(ClientCalls, CountUnderTheNamesOfClientGo) {
  unary_.Answer({.status = 429, .headers = {{"Retry-After", "1"}}});
  unary_.AnswerJson(std::string(kPod));
  ASSERT_TRUE(Get());
  unary_.Answer({.error = Error{ErrorKind::kTimeout, "late", std::nullopt}});
  EXPECT_FALSE(Get());
  const std::string text = metrics_.Text();
  for (const char* line :
       {R"(rest_client_requests_total{code="200",host="api:6443",method="GET"} 1)",
        R"(rest_client_requests_total{code="429",host="api:6443",method="GET"} 1)",
        R"(rest_client_requests_total{code="<error>",host="api:6443",method="GET"} 1)",
        R"(rest_client_request_retries_total{code="429",host="api:6443",verb="GET"} 1)",
        R"(rest_client_request_duration_seconds_count{host="api:6443",verb="GET"} 3)"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

struct OddBody {
  std::string_view name;
  std::string_view body;
};

class OddBodies : public ClientCalls, public testing::WithParamInterface<OddBody> {};

TEST_P(OddBodies, AreDecodeErrorsThatNameTheCall) {
  unary_.AnswerJson(std::string(GetParam().body));
  const auto pod = Get();
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().kind, ErrorKind::kDecode);
  EXPECT_TRUE(pod.error().message.starts_with("get pods shop/web: ")) << pod.error().message;
}

INSTANTIATE_TEST_SUITE_P(Table, OddBodies,
                         testing::Values(OddBody{"Nothing", ""}, OddBody{"Html", "<html>"},
                                         OddBody{"CutShort", R"({"metadata":)"},
                                         OddBody{"NotUtf8", "{\"a\":\"\xFF\"}"},
                                         OddBody{"TwoDocuments", "{}{}"}),
                         [](const auto& test) { return std::string(test.param.name); });

// --- Tokens --------------------------------------------------------------------------------------

struct NoEvents final : WatchSink {
  Status OnEvent(const WatchEvent&) override { return {}; }
};

class ClientWithToken : public testing::Test {
 protected:
  TestFiles files_;
  ManualClock clock_;
  ScriptedTransport transport_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::unique_ptr<Credentials> credentials_ =
      *Credentials::Make({.token = {.file = files_.Write("token", "old")}}, clock_, Logger(log_));
  Client client_{{}, transport_, transport_, credentials_.get(), clock_, NoMetrics()};
};

TEST_F(ClientWithToken, ReadsTheFileAgainWhenTheServerRefusesTheToken) {
  files_.Write("token", "new");
  transport_.Answer({.status = 401});
  transport_.AnswerJson("{}");
  EXPECT_TRUE(client_.Create(kPods, "shop", kPod, {}, {}))
      << "401 did nothing: any call may be repeated";
  EXPECT_EQ(transport_.requests()[0].headers.Get("Authorization"), "Bearer old");
  EXPECT_EQ(transport_.requests()[1].headers.Get("Authorization"), "Bearer new");
}

TEST_F(ClientWithToken, SaysSoWhenTheFileHoldsTheRefusedToken) {
  transport_.Answer({.status = 401});
  const auto pod = client_.Get(kPods, {"shop", "web"}, {});
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(pod.error().message.find("old"), std::string::npos);
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(ClientWithToken, TriesANewTokenOnce) {
  files_.Write("token", "new");
  transport_.Answer({.status = 401});
  transport_.Answer({.status = 401, .before = [&] { files_.Write("token", "newer"); }});
  EXPECT_EQ(client_.Get(kPods, {"shop", "web"}, {}).error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(transport_.requests().size(), 2U);
}

TEST_F(ClientWithToken, AlsoForWatches) {
  files_.Write("token", "new");
  transport_.Answer({.status = 401});
  transport_.Answer({});
  NoEvents sink;
  EXPECT_TRUE(client_.Watch(kPods, {}, sink, {}));
  EXPECT_EQ(transport_.requests()[1].headers.Get("Authorization"), "Bearer new");
}

// --- Behind a gateway, and discovery -------------------------------------------------------------

TEST(Client, PutsThePathOfAGatewayBeforeEveryTarget) {
  SystemClock clock;
  ScriptedTransport transport;
  Client client({.path_prefix = "/k8s/clusters/c-1"}, transport, transport, nullptr, clock,
                NoMetrics());
  transport.Answer({.error = Broken()});
  transport.AnswerJson("{}");
  EXPECT_TRUE(client.Get(kPods, {"shop", "web"}, {}));
  for (const auto& request : transport.requests()) {
    EXPECT_EQ(request.target, "/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web");
  }
}

TEST_F(ClientCalls, ReadVersionsThatVendorsDecorate) {
  unary_.AnswerJson(R"({"major":"1","minor":"30+","gitVersion":"v1.30.1-eks"})");
  const auto version = GetServerVersion(client_, {});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->minor, 30);
  unary_.AnswerJson(R"({"hello":"world"})");
  EXPECT_NE(GetServerVersion(client_, {}).error().message.find("is this a Kubernetes API"),
            std::string::npos);
}

TEST_F(ClientCalls, AskWhetherTheyAreAllowed) {
  unary_.AnswerJson(R"({"status":{"allowed":false,"reason":"no RBAC rule"}})");
  const auto answer =
      MayI(client_, {.verb = "patch", .resource = "pods", .subresource = "eviction"}, {});
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->allowed);
  EXPECT_EQ(answer->reason, "no RBAC rule");
  EXPECT_NE(unary_.requests()[0].body.find(R"("subresource":"eviction")"), std::string::npos);
}

}  // namespace
}  // namespace tracekeeper::kube
