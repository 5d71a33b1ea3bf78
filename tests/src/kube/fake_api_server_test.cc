// What the fake API server does on demand beside the table of exchanges: the faults that other
// tests lean on.
#include "tests/support/fake_api_server.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/kube/client.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test_support::Fault;
using test_support::WatchEnd;

class Fake : public testing::Test {
 protected:
  test_support::ManualClock clock_;
  test_support::FakeApiServer server_{clock_};
  Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};

  static std::string Named(std::string_view name) {
    return fmt::format(R"({{"metadata":{{"namespace":"shop","name":"{}"}}}})", name);
  }

  /// Runs `meanwhile` while a watch runs, and gives what the watch brought and how it ended.
  struct Watched {
    std::vector<std::string> lines;
    std::string end;
  };
  Watched WatchWhile(const WatchOptions& options, const std::function<void()>& meanwhile) {
    struct Lines final : WatchSink {
      Status OnEvent(const WatchEvent& event) override {
        lines.push_back(fmt::format("{}{}", event.error ? "broken " : "", NameOf(event.type)));
        return {};
      }
      std::vector<std::string> lines;
    } sink;
    Status ended;
    std::jthread watcher([&](const std::stop_token& stop) {
      ended = client_.Watch(kConfigMaps, options, sink, stop);
    });
    EXPECT_TRUE(server_.WaitForWatches(1));
    meanwhile();
    watcher.join();
    return {sink.lines, ended ? "ok" : std::string(NameOf(ended.error().kind))};
  }
};

TEST_F(Fake, EndsWatchesInEveryWay) {
  struct Row {
    WatchEnd how;
    std::string_view end;
  };
  for (const Row& row :
       {Row{WatchEnd::kClean, "ok"}, Row{WatchEnd::kBroken, "unavailable"},
        Row{WatchEnd::kExpired, "expired"}, Row{WatchEnd::kInternalError, "unavailable"}}) {
    EXPECT_EQ(WatchWhile({}, [&] { server_.EndWatches(row.how); }).end, row.end);
  }
}

TEST_F(Fake, EndsAWatchAfterItsTimeout) {
  EXPECT_EQ(WatchWhile({.timeout = minutes(5)}, [&] { clock_.Advance(minutes(5)); }).end, "ok");
}

TEST_F(Fake, GoesSilentUntilTheClientGivesThePathUp) {
  const Watched watched = WatchWhile({.timeout = minutes(5)}, [&] {
    server_.FallSilent();
    server_.Put(kConfigMaps, Named("unheard"));
    clock_.Advance(minutes(5));  // the server would end the watch now, and can't say so
    clock_.Advance(seconds(5));
  });
  EXPECT_EQ(watched.end, "timeout");
  EXPECT_TRUE(watched.lines.empty());
}

TEST_F(Fake, SendsBookmarksAndOddBytesOnDemand) {
  const Watched watched = WatchWhile({}, [&] {
    server_.SendBookmarks();
    ASSERT_TRUE(server_.WaitForWatches(1));
    server_.InjectIntoWatches(kConfigMaps, "{\"type\":\"ADDED\",\"object\":{}}\n");
    server_.InjectIntoWatches(kPods, "not for this watch");
    server_.Put(kConfigMaps, Named("a"));
    server_.Put(kPods, Named("other-kind"));
    ASSERT_TRUE(server_.Remove(kConfigMaps, {"shop", "a"}));
    server_.EndWatches(WatchEnd::kClean);
  });
  EXPECT_EQ(watched.lines,
            (std::vector<std::string>{"BOOKMARK", "broken MODIFIED", "ADDED", "DELETED"}));
  EXPECT_EQ(watched.end, "ok");
}

TEST_F(Fake, RefusesVersionsThatWereCompacted) {
  const std::string old_version = server_.Put(kConfigMaps, Named("a"));
  server_.Put(kConfigMaps, Named("b"));
  server_.Compact();
  struct Nothing final : WatchSink {
    Status OnEvent(const WatchEvent&) override { return {}; }
  } nothing;
  const Status watched = client_.Watch(kConfigMaps, {.resource_version = old_version}, nothing, {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().kind, ErrorKind::kExpired);
}

TEST_F(Fake, ServesNoWatchListWhereToldSo) {
  server_.SetWatchList(false);
  struct Nothing final : WatchSink {
    Status OnEvent(const WatchEvent&) override { return {}; }
  } nothing;
  const Status watched = client_.Watch(kConfigMaps, {.send_initial_events = true}, nothing, {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().kind, ErrorKind::kInvalid);
}

TEST_F(Fake, HoldsTheBookmarkThatEndsTheBeginning) {
  server_.Put(kConfigMaps, Named("a"));
  server_.HoldInitialBookmark(true);
  const Watched watched =
      WatchWhile({.send_initial_events = true}, [&] { server_.EndWatches(WatchEnd::kClean); });
  EXPECT_EQ(watched.lines, std::vector<std::string>{"ADDED"});
}

TEST_F(Fake, LetsAnotherWriterInBetweenReadAndWrite) {
  server_.Put(kConfigMaps, Named("a"));
  const auto seen = client_.Get(kConfigMaps, {"shop", "a"}, {});
  server_.FailNext({.method = "PATCH", .before = [&] {
                      server_.Put(
                          kConfigMaps,
                          R"({"metadata":{"namespace":"shop","name":"a","labels":{"x":"y"}}})");
                    }});
  const std::string patch = fmt::format(R"({{"metadata":{{"resourceVersion":"{}"}}}})",
                                        (*seen)["metadata"]["resourceVersion"].StringOr(""));
  const auto patched = client_.PatchMerge(kConfigMaps, {"shop", "a"}, patch, {}, {});
  ASSERT_FALSE(patched);
  EXPECT_EQ(patched.error().kind, ErrorKind::kConflict);
}

TEST_F(Fake, LosesTheAnswerOfWorkThatWasDone) {
  server_.FailNext({.method = "PATCH",
                    .error = Error{ErrorKind::kUnavailable, "reset", std::nullopt},
                    .after_the_work = true});
  const auto applied = client_.Apply(
      kConfigMaps, {"shop", "a"},
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}})",
      {.field_manager = "tester"}, {});
  EXPECT_TRUE(applied) << "the second try finds it applied";
  EXPECT_EQ(server_.CountWrites(), 2U);
}

TEST_F(Fake, AnswersWithAPageOfHtml) {
  server_.FailNext({.status = 502, .body = "<html>"});
  const auto answer = client_.Get(kConfigMaps, {"shop", "a"}, {});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("page of HTML"), std::string::npos);
}

TEST_F(Fake, RecordsWhatWasAsked) {
  (void)client_.Get(kConfigMaps, {"shop", "a"}, {});
  (void)client_.Create(kConfigMaps, "shop", Named("a"), {}, {});
  EXPECT_EQ(server_.CountRequests("GET /api/v1/namespaces/shop/configmaps/a"), 1U);
  EXPECT_EQ(server_.CountWrites(), 1U);
  server_.ForgetRequests();
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(Fake, LetsACallGoWhenItIsToStop) {
  std::stop_source stop;
  struct Nothing final : WatchSink {
    Status OnEvent(const WatchEvent&) override { return {}; }
  } nothing;
  Status ended;
  std::jthread watcher([&] { ended = client_.Watch(kConfigMaps, {}, nothing, stop.get_token()); });
  ASSERT_TRUE(server_.WaitForWatches(1));
  stop.request_stop();
  watcher.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(server_.open_watches(), 0U);
}

}  // namespace
}  // namespace tracekeeper::kube
