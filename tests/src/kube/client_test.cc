// How the client calls: what it sends, what it repeats, what it makes of odd answers.
#include "src/kube/client.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "src/kube/discovery.h"
#include "src/telemetry/prometheus_metrics.h"
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

constexpr std::string_view kPod = R"({"metadata":{"name":"web"}})";

Error Broken() { return {ErrorKind::kUnavailable, "the connection broke", std::nullopt}; }

class ClientCalls : public testing::Test {
 protected:
  ManualClock clock_;
  ScriptedTransport unary_;
  ScriptedTransport streams_;
  telemetry::PrometheusMetrics metrics_;
  Client client_{{.component = "tracekeeper-test", .version = "1.2", .host = "api:6443"},
                 unary_,
                 streams_,
                 nullptr,
                 clock_,
                 metrics_};
  /// Waits of the client are over as soon as they begin; Waited() tells how long they were.
  const MonotonicTime start_ = clock_.Monotonic();
  std::jthread hurry_{[this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto deadline = clock_.next_deadline();
      if (deadline && *deadline > clock_.Monotonic()) {
        clock_.Advance(*deadline - clock_.Monotonic());
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(100));  // nobody waits
      }
    }
  }};

  Result<Document> Get() { return client_.Get(kPods, {"shop", "web"}, {}); }
  [[nodiscard]] Duration Waited() const { return clock_.Monotonic() - start_; }
};

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

TEST_F(ClientCalls, KeepTheRulesOfListParameters) {
  struct Sink final : ListSink {
    void OnRestart() override {}
    Status OnObject(codec::JsonValue) override { return {}; }
    void OnBrokenObject(const Error&) override {}
  } sink;
  const std::string page =
      R"({"kind":"PodList","metadata":{"resourceVersion":"5","continue":"c/1"},"items":[]})";
  const std::string end = R"({"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[]})";
  streams_.AnswerJson(page);
  streams_.AnswerJson(end);
  streams_.AnswerJson(end);
  streams_.AnswerJson(end);
  ASSERT_TRUE(client_.List(kPods, {.selection = {.label_selector = "a=b"}}, sink, {}));
  ASSERT_TRUE(client_.List(kPods, {.resource_version = "0"}, sink, {}));
  ASSERT_TRUE(client_.List(kPods, {.resource_version = "7", .match = VersionMatch::kNotOlderThan},
                           sink, {}));
  const auto requests = streams_.requests();
  EXPECT_EQ(requests[0].target, "/api/v1/pods?labelSelector=a%3Db&limit=500");
  EXPECT_EQ(requests[1].target, "/api/v1/pods?labelSelector=a%3Db&limit=500&continue=c%2F1");
  EXPECT_EQ(requests[2].target, "/api/v1/pods?limit=500&resourceVersion=0");
  EXPECT_EQ(requests[3].target, "/api/v1/pods?resourceVersion=7&resourceVersionMatch=NotOlderThan");
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

// --- Lists ---------------------------------------------------------------------------------------

struct CountSink final : ListSink {
  void OnRestart() override {
    ++restarts;
    objects = 0;
  }
  Status OnObject(codec::JsonValue) override {
    ++objects;
    return leaves ? Status(Fail(ErrorKind::kCancelled, "enough")) : Status{};
  }
  void OnBrokenObject(const Error& error) override { broken.push_back(error.message); }
  int restarts = 0;
  int objects = 0;
  bool leaves = false;
  std::vector<std::string> broken;
};

TEST_F(ClientCalls, ListPastOneBrokenObject) {
  streams_.AnswerJson(
      R"({"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":}},{"metadata":{}},{"metadata":{"name":"b"}}]})");
  CountSink sink;
  const auto outcome = client_.List(kPods, {}, sink, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->objects, 4U);
  EXPECT_EQ(sink.objects, 2);
  ASSERT_EQ(sink.broken.size(), 2U);
  EXPECT_TRUE(sink.broken[0].starts_with("list pods: "));
}

TEST_F(ClientCalls, ListNothingThatIsNoList) {
  for (const char* body :
       {R"({"kind":"Table","rows":[{"cells":["a"]}]})", R"({"kind":"Pod","metadata":{"name":"a"}})",
        R"({"kind":"PodList","items":[{"a":1})", "<html>", "", "[]"}) {
    streams_.AnswerJson(body);
    CountSink sink;
    const auto outcome = client_.List(kPods, {}, sink, {});
    ASSERT_FALSE(outcome) << body;
    EXPECT_EQ(outcome.error().kind, ErrorKind::kDecode);
  }
}

TEST_F(ClientCalls, ListAnewWhenAContinueTokenExpired) {
  streams_.AnswerJson(
      R"({"kind":"PodList","metadata":{"resourceVersion":"5","continue":"t"},"items":[{"metadata":{"name":"a"}}]})");
  streams_.Answer({.status = 410, .expect = "GET /api/v1/pods?limit=500&continue=t"});
  streams_.Answer(
      {.pieces =
           {R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})"},
       .expect = "GET /api/v1/pods"});
  CountSink sink;
  const auto outcome = client_.List(kPods, {}, sink, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(streams_.requests()[2].target, "/api/v1/pods") << "in one answer, which cannot expire";
  EXPECT_EQ(outcome->resource_version, "9");
  EXPECT_EQ(sink.restarts, 1);
  EXPECT_EQ(sink.objects, 2);
}

TEST_F(ClientCalls, LeaveAListThatIsExpiredFromTheStart) {
  streams_.Answer({.status = 410});
  CountSink sink;
  EXPECT_EQ(client_.List(kPods, {.resource_version = "3"}, sink, {}).error().kind,
            ErrorKind::kExpired);
  EXPECT_EQ(sink.restarts, 0);
}

TEST_F(ClientCalls, DoNotRepeatAPageOfWhichTheSinkHasSeenAPart) {
  streams_.Answer(
      {.pieces = {R"({"kind":"PodList","items":[{"metadata":{"name":"a"}},)"}, .error = Broken()});
  CountSink sink;
  const auto outcome = client_.List(kPods, {}, sink, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(streams_.requests().size(), 1U);
}

TEST_F(ClientCalls, RepeatAPageThatNeverBegan) {
  streams_.Answer({.error = Broken()});
  streams_.Answer({.status = 429, .headers = {{"Retry-After", "1"}}});
  streams_.AnswerJson(R"({"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[]})");
  CountSink sink;
  EXPECT_TRUE(client_.List(kPods, {}, sink, {}));
}

TEST_F(ClientCalls, LeaveAListWhenTheSinkDoes) {
  streams_.AnswerJson(
      R"({"kind":"PodList","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})");
  CountSink sink;
  sink.leaves = true;
  EXPECT_EQ(client_.List(kPods, {}, sink, {}).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(sink.objects, 1);
}

// --- Watches -------------------------------------------------------------------------------------

struct NoEvents final : WatchSink {
  Status OnEvent(const WatchEvent&) override { return {}; }
};

TEST_F(ClientCalls, WatchWithBookmarksAndATimeout) {
  streams_.Answer({});
  NoEvents sink;
  EXPECT_TRUE(
      client_.Watch(kPods,
                    {.selection = {.namespace_name = "shop", .field_selector = "spec.nodeName=n"},
                     .resource_version = "7",
                     .timeout = minutes(6),
                     .send_initial_events = true},
                    sink, {}));
  EXPECT_EQ(streams_.requests()[0].target,
            "/api/v1/namespaces/shop/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=360"
            "&fieldSelector=spec.nodeName%3Dn&resourceVersion=7&sendInitialEvents=true"
            "&resourceVersionMatch=NotOlderThan");
}

TEST_F(ClientCalls, LeaveItToTheWatcherToComeBack) {
  NoEvents sink;
  streams_.Answer({.status = 429, .headers = {{"Retry-After", "4"}}});
  auto watched = client_.Watch(kPods, {}, sink, {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().kind, ErrorKind::kTooManyRequests);
  EXPECT_EQ(watched.error().retry_after, seconds(4));
  streams_.Answer({.error = Broken()});
  EXPECT_EQ(client_.Watch(kPods, {}, sink, {}).error().kind, ErrorKind::kUnavailable);
  streams_.Answer({.status = 410});
  EXPECT_EQ(client_.Watch(kPods, {}, sink, {}).error().kind, ErrorKind::kExpired);
  streams_.AnswerJson(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})");
  EXPECT_EQ(client_.Watch(kPods, {}, sink, {}).error().kind, ErrorKind::kExpired);
  EXPECT_EQ(streams_.requests().size(), 4U);
}

// --- Tokens --------------------------------------------------------------------------------------

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
