// The Reflector against a server that misbehaves on demand: how it gets the first full set, and
// what a stream can bring.

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

// --- How it gets the first full set
// ---------------------------------------------------------------

TEST_F(ReflectorTest, SyncsInOneStreamWhereTheServerHasWatchList) {
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  Start();
  ASSERT_TRUE(Synced());
  EXPECT_TRUE(Sees("a", "1"));
  server_.Put(kConfigMaps, ConfigMapJson("b", "2"));
  EXPECT_TRUE(Sees("b", "2"));
  EXPECT_EQ(server_.CountRequests("sendInitialEvents=true"), 1U);
  EXPECT_EQ(server_.requests().size(), 1U) << "no list, no second watch";
}

TEST_F(ReflectorTest, ListsAndWatchesWhereItHasNot) {
  server_.SetWatchList(false);
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  Start();
  ASSERT_TRUE(Synced());
  EXPECT_TRUE(Sees("a", "1"));
  server_.Put(kConfigMaps, ConfigMapJson("b", "2"));
  EXPECT_TRUE(Sees("b", "2"));
  EXPECT_EQ(server_.CountRequests("sendInitialEvents=true"), 1U) << "asked once, then remembered";
  EXPECT_EQ(reflector_->status().failures, 0U) << "an older server is no trouble";
}

TEST_F(ReflectorTest, TheFirstListTakesWhatTheServersCacheHas) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  EXPECT_EQ(server_.CountRequests("resourceVersion=0"), 1U);
}

TEST_F(ReflectorTest, SyncsAnEmptyCollection) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  EXPECT_TRUE(Sees("a", "1"));
}

TEST_F(ReflectorTest, FallsBackToAListWhenTheInitialEventsAreAnsweredWithSilence) {
  server_.HoldInitialBookmark(true);
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  Start();
  ASSERT_TRUE(server_.WaitForWatches(1));
  ASSERT_TRUE(Eventually([&] { return clock_.next_deadline() == clock_.Monotonic() + 10s; },
                         "somebody who waits for ten seconds"));
  clock_.Advance(10s);
  ASSERT_TRUE(Eventually(
      [&] {
        for (const std::string& line : Lines()) {
          if (line.find("Waited long for the end of the initial events") != std::string::npos) {
            return true;
          }
        }
        return false;
      },
      "a warning after ten seconds"));
  EXPECT_EQ(reflector_->status().syncs, 0U);
  while (reflector_->status().syncs == 0) {
    clock_.Advance(10s);
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_TRUE(Sees("a", "1"));
  EXPECT_GE(server_.CountRequests("resourceVersion=0"), 1U);
}

TEST_F(ReflectorTest, AListWhosePagesExpireBeginsAnew) {
  for (int i = 0; i < 7; ++i)
    server_.Put(kConfigMaps, ConfigMapJson(fmt::format("map-{}", i), "1"));
  Start({.page_size = 3, .watch_list = WatchListMode::kOff});
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  // The list after a 410 reads the newest, in pages. The second page finds its snapshot gone;
  // meanwhile one object has vanished.
  server_.FailNext(
      {.target_contains = "continue=", .status = 410, .reason = "Expired", .before = [this] {
         server_.Remove(kConfigMaps, {"shop", "map-0"});
       }});
  server_.EndWatches(WatchEnd::kExpired);
  ASSERT_TRUE(Synced(2));
  EXPECT_EQ(server_.CountRequests("continue="), 1U);
  EXPECT_EQ(store_.size(), 6U);
  EXPECT_EQ(store_.Find({"shop", "map-0"}), nullptr);
}

// --- What a stream can bring
// ----------------------------------------------------------------------

TEST_F(ReflectorTest, TakesEventsInWhateverPiecesTheyCome) {
  server_.DripBytes(1);
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  Start();
  ASSERT_TRUE(Synced());
  for (int i = 0; i < 20; ++i) server_.Put(kConfigMaps, ConfigMapJson("a", std::to_string(i)));
  EXPECT_TRUE(Sees("a", "19"));
}

TEST_F(ReflectorTest, OneBrokenObjectDoesNotStopTheStream) {
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.InjectIntoWatches(
      kConfigMaps,
      "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"resourceVersion\":"
      "\"1\"}}}\n");
  server_.Put(kConfigMaps, ConfigMapJson("a", "2"));
  EXPECT_TRUE(Sees("a", "2"));
  EXPECT_EQ(reflector_->status().failures, 0U);
}

TEST_F(ReflectorTest, BytesThatAreNoWatchStreamLeadToAList) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.InjectIntoWatches(kConfigMaps, "<html>bad gateway</html>\n");
  ASSERT_TRUE(Failed(1));
  clock_.Advance(5s);
  EXPECT_TRUE(Synced(2));
}

TEST_F(ReflectorTest, AStormOfEventsEndsInTheServersState) {
  Start();
  ASSERT_TRUE(Synced());
  for (int i = 0; i < 3000; ++i) {
    const std::string name = fmt::format("map-{}", i % 50);
    if (i % 7 == 3) {
      server_.Remove(kConfigMaps, {"shop", name});
    } else {
      server_.Put(kConfigMaps, ConfigMapJson(name, std::to_string(i)));
    }
  }
  server_.Put(kConfigMaps, ConfigMapJson("last", "1"));
  ASSERT_TRUE(Sees("last", "1"));
  const std::vector<ObjectKey> keys = server_.Keys(kConfigMaps);
  EXPECT_EQ(store_.size(), keys.size());
  for (const ObjectKey& key : keys) EXPECT_NE(store_.Find(key), nullptr) << key.ToString();
}

TEST_F(ReflectorTest, AnObjectMadeAnewWhileItLookedAwayIsADeletionAndAnAddition) {
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  std::vector<ChangeKind> kinds;
  std::mutex mutex;
  store_.AddHandler([&](const Change<ConfigMap>& change) {
    const std::scoped_lock lock(mutex);
    if (change.origin == Origin::kNews) kinds.push_back(change.kind);
  });
  server_.FallSilent();
  server_.Remove(kConfigMaps, {"shop", "a"});
  server_.Put(kConfigMaps, ConfigMapJson("a", "2"));
  server_.Compact();
  server_.EndWatches(WatchEnd::kExpired);
  server_.Wake();
  ASSERT_TRUE(Sees("a", "2"));
  const std::scoped_lock lock(mutex);
  EXPECT_THAT(kinds, testing::ElementsAre(ChangeKind::kDeleted, ChangeKind::kAdded));
}

// --- Time
// -----------------------------------------------------------------------------------------

TEST_F(ReflectorTest, HandsEverythingOverAgainAfterTenHours) {
  server_.Put(kConfigMaps, ConfigMapJson("a", "1"));
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  std::atomic<int> again = 0;
  store_.AddHandler([&](const Change<ConfigMap>& change) {
    if (change.origin == Origin::kRedelivery) ++again;
  });
  clock_.Advance(std::chrono::hours(10));  // the watch's own end comes first
  EXPECT_TRUE(Eventually([&] { return again == 1; }, "a redelivery"));
}

TEST_F(ReflectorTest, AsksForWatchesOfDifferentLengths) {
  Reflector::Random low = [] { return 0.0; };
  Reflector::Random high = [] { return 0.999; };
  for (const auto& [random, seconds] : {std::pair{low, 300}, std::pair{high, 599}}) {
    server_.ForgetRequests();
    Reflector reflector({.resource = kConfigMaps}, client_, store_, clock_, random, Logger(log_));
    std::jthread thread([&](const StopToken& stop) { reflector.Run(stop); });
    EXPECT_TRUE(Asked(fmt::format("timeoutSeconds={}", seconds), 1));
  }
}

TEST_F(ReflectorTest, StopsWhileTheStreamIsSilent) {
  Start();
  ASSERT_TRUE(Synced());
  server_.FallSilent();
  thread_ = std::jthread();  // joins
  EXPECT_EQ(reflector_->status().state, ReflectorState::kIdle);
}

TEST_F(ReflectorTest, StopsWhileItWaits) {
  server_.FailNext({.times = 1000, .status = 500});
  Start();
  ASSERT_TRUE(Failed(1));
  thread_ = std::jthread();
}

}  // namespace
}  // namespace tracekeeper::runtime
