// The Reflector against a server that misbehaves on demand.

#include "src/runtime/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "src/runtime/store.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::kConfigMaps;
using kube::ObjectKey;
using test_support::FakeApiServer;
using test_support::ManualClock;
using test_support::WatchEnd;
using testing::Contains;
using testing::HasSubstr;

struct ConfigMap {
  kube::ObjectMeta meta;
  std::string value;
};

Result<ConfigMap> ProjectConfigMap(codec::JsonValue object) {
  ConfigMap map;
  map.meta = TRY(kube::DecodeMeta(object));
  map.value = object["data"]["value"].StringOr("");
  return map;
}

std::string Json(std::string_view name, std::string_view value) {
  return fmt::format(R"({{"metadata":{{"namespace":"shop","name":"{}"}},"data":{{"value":"{}"}}}})",
                     name, value);
}

class ReflectorTest : public testing::Test {
 protected:
  ~ReflectorTest() override { Stop(); }

  void Start(ReflectorOptions options = {}) {
    options.resource = kConfigMaps;
    reflector_ = std::make_unique<Reflector>(
        options, client_, store_, clock_, [] { return 0.5; }, Logger(log_));
    thread_ = std::jthread([this](const StopToken& stop) { reflector_->Run(stop); });
  }
  void StartWithLists() { Start({.watch_list = WatchListMode::kOff}); }
  void Stop() {
    server_.Wake();
    thread_ = std::jthread();
  }

  bool Eventually(const std::function<bool()>& condition, std::string_view what) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) {
        ADD_FAILURE() << "never: " << what << "\n" << testing::PrintToString(Lines());
        return false;
      }
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  bool Synced(std::uint64_t syncs = 1) {
    return Eventually([&] { return reflector_->status().syncs >= syncs; }, "synced");
  }
  bool Sees(std::string_view name, std::string_view value) {
    return Eventually(
        [&] {
          const auto map = store_.Find({"shop", std::string(name)});
          return map != nullptr && map->value == value;
        },
        fmt::format("{} is {}", name, value));
  }
  bool SeesNo(std::string_view name) {
    return Eventually([&] { return store_.Find({"shop", std::string(name)}) == nullptr; },
                      fmt::format("{} is gone", name));
  }
  bool Failed(std::uint64_t failures) {
    return Eventually(
        [&] {
          const ReflectorStatus status = reflector_->status();
          return status.failures >= failures && status.state == ReflectorState::kWaiting;
        },
        fmt::format("{} failures", failures));
  }
  bool Asked(std::string_view text, std::size_t times) {
    return Eventually([&] { return server_.CountRequests(text) >= times; },
                      fmt::format("{} requests with {}", times, text));
  }
  std::vector<std::string> Lines() {
    const std::scoped_lock lock(lines_mutex_);
    return lines_;
  }

  ManualClock clock_;
  FakeApiServer server_{clock_};
  kube::Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
  std::mutex lines_mutex_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kDebug, [this](LogLevel, std::string_view line) {
             const std::scoped_lock lock(lines_mutex_);
             lines_.emplace_back(line);
           }};
  Store<ConfigMap> store_{"configmaps", ProjectConfigMap, Logger(log_)};
  std::unique_ptr<Reflector> reflector_;
  std::jthread thread_;
};

// --- How it gets the first full set
// ---------------------------------------------------------------

TEST_F(ReflectorTest, SyncsInOneStreamWhereTheServerHasWatchList) {
  server_.Put(kConfigMaps, Json("a", "1"));
  Start();
  ASSERT_TRUE(Synced());
  EXPECT_TRUE(Sees("a", "1"));
  server_.Put(kConfigMaps, Json("b", "2"));
  EXPECT_TRUE(Sees("b", "2"));
  EXPECT_EQ(server_.CountRequests("sendInitialEvents=true"), 1U);
  EXPECT_EQ(server_.requests().size(), 1U) << "no list, no second watch";
}

TEST_F(ReflectorTest, ListsAndWatchesWhereItHasNot) {
  server_.SetWatchList(false);
  server_.Put(kConfigMaps, Json("a", "1"));
  Start();
  ASSERT_TRUE(Synced());
  EXPECT_TRUE(Sees("a", "1"));
  server_.Put(kConfigMaps, Json("b", "2"));
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
  server_.Put(kConfigMaps, Json("a", "1"));
  EXPECT_TRUE(Sees("a", "1"));
}

TEST_F(ReflectorTest, FallsBackToAListWhenTheInitialEventsAreAnsweredWithSilence) {
  server_.HoldInitialBookmark(true);
  server_.Put(kConfigMaps, Json("a", "1"));
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
  for (int i = 0; i < 7; ++i) server_.Put(kConfigMaps, Json(fmt::format("map-{}", i), "1"));
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

// --- How it goes on after a watch ended
// -----------------------------------------------------------

TEST_F(ReflectorTest, ResumesWhereTheWatchEnded) {
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.Put(kConfigMaps, Json("a", "1"));
  ASSERT_TRUE(Sees("a", "1"));
  server_.EndWatches(WatchEnd::kClean);
  ASSERT_TRUE(Asked("watch=", 2));
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.Put(kConfigMaps, Json("a", "2"));
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
  server_.Put(kConfigMaps, Json("kept", "1"));
  server_.Put(kConfigMaps, Json("deleted", "1"));
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
  server_.Put(kConfigMaps, Json("new", "1"));
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
  server_.Put(kConfigMaps, Json("a", "1"));
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
  server_.Put(kConfigMaps, Json("a", "2"));
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

// --- What a stream can bring
// ----------------------------------------------------------------------

TEST_F(ReflectorTest, TakesEventsInWhateverPiecesTheyCome) {
  server_.DripBytes(1);
  server_.Put(kConfigMaps, Json("a", "1"));
  Start();
  ASSERT_TRUE(Synced());
  for (int i = 0; i < 20; ++i) server_.Put(kConfigMaps, Json("a", std::to_string(i)));
  EXPECT_TRUE(Sees("a", "19"));
}

TEST_F(ReflectorTest, OneBrokenObjectDoesNotStopTheStream) {
  server_.Put(kConfigMaps, Json("a", "1"));
  StartWithLists();
  ASSERT_TRUE(Synced());
  ASSERT_TRUE(server_.WaitForWatches(1));
  server_.InjectIntoWatches(
      kConfigMaps,
      "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"resourceVersion\":"
      "\"1\"}}}\n");
  server_.Put(kConfigMaps, Json("a", "2"));
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
      server_.Put(kConfigMaps, Json(name, std::to_string(i)));
    }
  }
  server_.Put(kConfigMaps, Json("last", "1"));
  ASSERT_TRUE(Sees("last", "1"));
  const std::vector<ObjectKey> keys = server_.Keys(kConfigMaps);
  EXPECT_EQ(store_.size(), keys.size());
  for (const ObjectKey& key : keys) EXPECT_NE(store_.Find(key), nullptr) << key.ToString();
}

TEST_F(ReflectorTest, AnObjectMadeAnewWhileItLookedAwayIsADeletionAndAnAddition) {
  server_.Put(kConfigMaps, Json("a", "1"));
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
  server_.Put(kConfigMaps, Json("a", "2"));
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
  server_.Put(kConfigMaps, Json("a", "1"));
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
