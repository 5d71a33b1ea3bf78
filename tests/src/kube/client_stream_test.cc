// Lists and watches: what the client asks for, and what it makes of pages and streams that break.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/src/kube/client_fixture.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

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

}  // namespace
}  // namespace tracekeeper::kube
