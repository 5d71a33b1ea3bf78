// The Reflector against a server that misbehaves on demand: how it goes on after a watch ended.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/src/runtime/reflector_fixture.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::kConfigMaps;
using kube::ObjectKey;
using test_support::WatchEnd;
using testing::Contains;
using testing::HasSubstr;

// --- How it goes on after a watch ended
// -----------------------------------------------------------

TEST_F(ReflectorTest, ResumesWhereTheWatchEnded) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  ASSERT_TRUE(Sees("a", "1"));
  server_.EndWatches(WatchEnd::kClean);
  ASSERT_TRUE(Asked("watch=", 2));
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.Put(kConfigMaps, ConfigMapJson("a", "2"));
  EXPECT_TRUE(Sees("a", "2"));
  EXPECT_EQ(reflector_->status().syncs, 1U) << "no list";
  EXPECT_EQ(reflector_->status().failures, 0U);
}

TEST_F(ReflectorTest, ABookmarkMovesThePlaceFromWhichItResumes) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  const std::string version =
      server_.Put(kube::kPods, R"({"metadata":{"namespace":"shop","name":"other"}})");
  server_.SendBookmarks();
  ASSERT_TRUE(Eventually([&] { return reflector_->status().resource_version == version; },
                         "the bookmark's version"));
  server_.EndWatches(WatchEnd::kClean);
  EXPECT_TRUE(Asked("resourceVersion=" + version, 1));
}

struct ExpiryCase {
  std::string_view name;
  bool in_stream;
};

class ReflectorExpiryTest : public ReflectorTest, public testing::WithParamInterface<ExpiryCase> {};

TEST_P(ReflectorExpiryTest, ListsAgainAndInfersWhatWasDeleted) {
  server_.Put(kConfigMaps, ConfigMapJson("kept", "1"));
  server_.Put(kConfigMaps, ConfigMapJson("deleted", "1"));
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  std::vector<std::string> inferred;
  std::mutex mutex;
  store_.AddHandler([&](const Change<ConfigMap>& change) {
    const std::scoped_lock lock(mutex);
    if (change.certainty == Certainty::kInferred) inferred.push_back(change.object().meta.key.name);
  });

  server_.FallSilent();  // what happens now is never sent
  server_.Remove(kConfigMaps, {"shop", "deleted"});
  server_.Put(kConfigMaps, ConfigMapJson("new", "1"));
  server_.Compact();
  clock_.Advance(2s);  // so that the watch was no short one
  server_.EndWatches(GetParam().in_stream ? WatchEnd::kExpired : WatchEnd::kClean);
  server_.Wake();

  ASSERT_TRUE(Synced(2));
  EXPECT_TRUE(SeesNo("deleted"));
  EXPECT_TRUE(Sees("new", "1"));
  EXPECT_TRUE(Sees("kept", "1"));
  const std::scoped_lock lock(mutex);
  EXPECT_THAT(inferred, testing::ElementsAre("deleted"));
}

INSTANTIATE_TEST_SUITE_P(BothForms, ReflectorExpiryTest,
                         testing::Values(ExpiryCase{"InTheStream", true},
                                         ExpiryCase{"AsStatus", false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(ReflectorTest, AfterExpiryItReadsTheNewest) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.ForgetRequests();
  server_.EndWatches(WatchEnd::kExpired);
  ASSERT_TRUE(Synced(2));
  const auto requests = server_.requests();
  ASSERT_FALSE(requests.empty());
  EXPECT_THAT(requests.front().target, testing::Not(HasSubstr("resourceVersion=")));
}

TEST_F(ReflectorTest, AServerThatKeepsExpiringIsNotAskedInALoop) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.EndWatches(WatchEnd::kExpired);
  ASSERT_TRUE(Synced(2));
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.EndWatches(WatchEnd::kExpired);
  ASSERT_TRUE(Failed(2));
  EXPECT_EQ(reflector_->status().syncs, 2U) << "waits before the next list";
  while (reflector_->status().syncs < 3) {
    clock_.Advance(1s);
    std::this_thread::sleep_for(1ms);
  }
}

TEST_F(ReflectorTest, AWatchThatEndsAtOnceWithoutAnEventIsAFailure) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.EndWatches(WatchEnd::kClean);  // no time has passed on the clock
  ASSERT_TRUE(Failed(1));
  EXPECT_THAT(reflector_->status().last_error, HasSubstr("without an event"));
}

struct TroubleCase {
  std::string_view name;
  test_support::Fault fault;
  Duration wait;  // with a random draw of 0.5: backoff * 1.5
  std::string_view level;
};

class ReflectorTroubleTest : public ReflectorTest,
                             public testing::WithParamInterface<TroubleCase> {};

TEST_P(ReflectorTroubleTest, WaitsAndGoesOnAtTheSamePlace) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  ASSERT_TRUE(Sees("a", "1"));
  const std::string version = reflector_->status().resource_version;
  server_.ForgetRequests();
  test_support::Fault fault = GetParam().fault;
  fault.target_contains = "watch=";
  server_.FailNext(fault);
  server_.EndWatches(WatchEnd::kClean);
  ASSERT_TRUE(Failed(1));
  ASSERT_TRUE(
      Eventually([&] { return clock_.next_deadline() == clock_.Monotonic() + GetParam().wait; },
                 "the expected wait"));
  clock_.Advance(GetParam().wait);
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.Put(kConfigMaps, ConfigMapJson("a", "2"));
  EXPECT_TRUE(Sees("a", "2"));
  EXPECT_EQ(reflector_->status().syncs, 1U) << "no list";
  EXPECT_EQ(server_.CountRequests("resourceVersion=" + version), server_.requests().size());
  EXPECT_THAT(Lines(), Contains(HasSubstr(fmt::format("level={}", GetParam().level))));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ReflectorTroubleTest,
    testing::Values(
        TroubleCase{"TooManyRequests", {.status = 429, .retry_after = "17"}, 17s, "warn"},
        TroubleCase{"InternalError", {.status = 500}, 1200ms, "warn"},
        TroubleCase{"Unavailable", {.status = 503}, 1200ms, "warn"},
        TroubleCase{"ConnectionRefused",
                    {.error = Error{ErrorKind::kUnavailable, "connection refused", {}}},
                    1200ms,
                    "warn"},
        TroubleCase{"Forbidden", {.status = 403, .reason = "Forbidden"}, 1200ms, "error"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(ReflectorTest, TellsWhoWantsToKnowOfAFailureAndNotTheLog) {
  server_.FailNext({.status = 403, .reason = "Forbidden"});
  std::vector<ErrorKind> told;
  Start({.watch_list = WatchListMode::kOff,
         .on_failure = [&told](const Error& error) { told.push_back(error.kind); }});
  ASSERT_TRUE(Failed(1));
  EXPECT_THAT(told, testing::ElementsAre(ErrorKind::kForbidden));
  EXPECT_THAT(Lines(), testing::Not(Contains(HasSubstr("level=error"))));
  Stop();
}

TEST_F(ReflectorTest, WaitsTwiceAsLongEachTimeUpToThirtySecondsAndStartsOverAfterPeace) {
  server_.FailNext({.times = 8, .status = 500});
  StartWithLists();
  const Duration waits[] = {1200ms, 2400ms, 4800ms, 9600ms, 19200ms, 38400ms, 45s, 45s};
  std::uint64_t failures = 0;
  for (const Duration wait : waits) {
    ASSERT_TRUE(Failed(++failures));
    ASSERT_TRUE(Eventually([&] { return clock_.next_deadline() == clock_.Monotonic() + wait; },
                           fmt::format("a wait of {} ns", wait.count())));
    clock_.Advance(wait);
  }
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  clock_.Advance(2min);
  server_.EndWatches(WatchEnd::kBroken);
  ASSERT_TRUE(Failed(++failures));
  EXPECT_TRUE(Eventually([&] { return clock_.next_deadline() == clock_.Monotonic() + 1200ms; },
                         "the first wait again"));
}

}  // namespace
}  // namespace tracekeeper::runtime
