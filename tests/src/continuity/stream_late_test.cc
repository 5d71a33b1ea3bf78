// What comes late, of a few spans whose arrival is told one by one: the stream is repaired until it
// says what the whole says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "src/continuity/stream_engine.h"
#include "tests/src/continuity/stream_truth.h"
#include "tests/truth/oracle_story.h"

namespace tracekeeper::continuity {
namespace {

using truth::ShortTraceIdOf;
using truth::SpanIdOf;
using truth::Story;
using truth::TraceIdOf;

/// The lower half of trace 1, with another upper one.
std::string SameHalf(char other) { return std::string(7, other) + "." + SpanIdOf(1); }

/// A span or a log record of a story, by its place there, and the tick when it comes.
struct Arrival {
  Tick at = 0;
  std::size_t place = 0;
};

// A trace is settled 100 ticks after its last span came, and counted 100 after that if it asks.
constexpr Tick kAsking = 150;  // what came at 1
constexpr Tick kCounted = 300;

/// A stream that is told a story.
class Telling {
 public:
  Telling(const Story& story, const StreamOptions& options)
      : recorded_(story.spans(), story.logs(), story.policy()),
        engine_(options, recorded_.names(), recorded_.shapes(), recorded_.epoch()) {}

  void Tell(const std::vector<Arrival>& spans, const std::vector<Arrival>& logs) {
    std::multimap<Tick, std::pair<bool, std::size_t>> all;
    for (const Arrival& arrival : spans) all.emplace(arrival.at, std::pair(false, arrival.place));
    for (const Arrival& arrival : logs) all.emplace(arrival.at, std::pair(true, arrival.place));
    for (const auto& [at, what] : all) {
      Advance(at);
      const auto& [is_log, place] = what;
      is_log ? engine_.Insert(recorded_.LogAt(place), at)
             : engine_.Insert(recorded_.SpanAt(place), at);
    }
  }
  /// Tick by tick.
  void Advance(Tick now) {
    for (; now_ < now; ++now_) engine_.Advance(now_ + 1);
    EXPECT_TRUE(engine_.tally().AddsUp());
  }
  /// As after a long pause of the process.
  void Jump(Tick now) {
    engine_.Advance(now_ = now);
    EXPECT_TRUE(engine_.tally().AddsUp());
  }
  void Finish() { Advance(now_ + 500); }

  [[nodiscard]] std::string Difference() const {
    return continuity::Difference(recorded_.totals(), Net());
  }
  [[nodiscard]] Totals Net() const { return NetOf(engine_.tally(), recorded_.names()); }
  [[nodiscard]] const Recorded& recorded() const { return recorded_; }
  StreamEngine& engine() { return engine_; }

 private:
  Recorded recorded_;
  StreamEngine engine_;
  Tick now_ = 0;
};

struct LateCase {
  std::string name;
  Story story;
  std::vector<Arrival> spans;
  std::vector<Arrival> logs = {};
};

/// A call of trace 1 that arrived as trace 2.
Story BrokenHop() {
  return Story()
      .Server("shop", 1)
      .Client("shop", 2)
      .Under(1)
      .Peer("cart")
      .At(10, 90)
      .Server("cart", 3)
      .In(2)
      .At(20, 80);
}

/// Work that begins long after its parent ended, while the trace itself has another request there.
Story OwnRequestBetween() {
  return Story()
      .Server("shop", 1)
      .Internal("shop", 2)
      .Under(1)
      .At(20'000, 20'010)
      .Server("shop", 3)
      .Under(1)
      .At(5'000, 5'010)
      .Internal("shop", 4)
      .Under(1)
      .At(20, 30);
}

/// The short and the long form of one id, and another long one with the same lower half.
Story ThreeHalves() {
  return Story()
      .Server("shop", 1)
      .Internal("shop", 2)
      .InShort(1)
      .Under(1)
      .At(10, 20)
      .Server("shop", 1)
      .InBytes(SameHalf('x'))
      .At(10, 20);
}

std::vector<LateCase> SpanCases() {
  return {
      {"ASpanWhileItsTraceAsks",
       BrokenHop().Internal("shop", 4).Under(1).At(5, 6),
       {{1, 0}, {1, 1}, {2, 2}, {kAsking, 3}}},
      {"ASpanWhileATraceAsksAboutOthersThatBegan",
       OwnRequestBetween(),
       {{1, 0}, {1, 1}, {1, 2}, {kAsking, 3}}},
      {"ASpanWhileALateOneAsks",
       OwnRequestBetween(),
       {{1, 0}, {1, 1}, {kCounted, 2}, {kCounted + kAsking, 3}}},
      {"ARepeatWhileItsTraceAsks",
       OwnRequestBetween(),
       {{1, 0}, {1, 1}, {1, 2}, {1, 3}, {kAsking, 2}, {kAsking + 60, 1}}},
      {"ASpanAndAnotherOne", OwnRequestBetween(), {{1, 1}, {300, 0}, {700, 3}, {1100, 2}}},
      {"ASpanTwice",
       OwnRequestBetween(),
       {{1, 0}, {1, 1}, {300, 2}, {700, 2}, {720, 0}, {1000, 2}, {1100, 3}, {1500, 3}}},
      {"ASpanAfterOneThatCameWhileItsTraceAsked",
       OwnRequestBetween().Internal("shop", 5).Under(1).At(30, 40),
       {{1, 0}, {1, 1}, {1, 3}, {kAsking, 2}, {600, 4}}},
      {"TheRootThatACallMade", BrokenHop(), {{1, 0}, {1, 1}, {500, 2}}},
      {"TheCallThatMadeARoot", BrokenHop(), {{1, 2}, {500, 1}, {900, 0}}},
      {"TheSpanThatACallReachedAfterAnotherWasTakenForIt",
       BrokenHop().Server("cart", 4).Under(2).At(15, 85),
       {{1, 0}, {1, 1}, {500, 2}, {900, 3}}},
      {"AnEarlierRootForTheSameCall",
       BrokenHop().Server("cart", 5).In(3).At(15, 25),
       {{1, 0}, {1, 1}, {1, 2}, {500, 3}}},
      {"AParentForARoot",
       BrokenHop().Client("shop", 9).In(2).At(15, 95),
       {{1, 0}, {1, 1}, {1, 2}, {500, 3}}},
      {"ARepeatThatSaysOfACallThatItWasDelivered",
       BrokenHop().Client("shop", 2).Under(1).Peer("cart").At(10, 90).Failed(""),
       {{1, 0}, {1, 3}, {1, 2}, {500, 1}}},
      {"TheRandomnessOfATraceThatWasNotSampled",
       Story()
           .Server("shop", 1)
           .In(2)
           .Client("shop", 2)
           .In(2)
           .Under(1)
           .Tracestate("ot=th:8")
           .Server("cart", 3)
           .In(2)
           .Under(2)
           .Server("cart", 4)
           .Under(99)
           .Internal("cart", 5)
           .Under(4)
           .Tracestate("ot=rv:00000000000001"),
       {{1, 0}, {1, 1}, {1, 2}, {1, 3}, {500, 4}}},
  };
}

std::vector<LateCase> IdCases() {
  return {
      {"AShortIdAfterTheLongOne", ThreeHalves(), {{1, 0}, {500, 1}, {1, 2}}},
      {"ALongIdAfterTheShortOne",
       Story().Server("shop", 1).Internal("shop", 2).InShort(1).Under(1),
       {{1, 1}, {500, 0}}},
      {"AThirdIdThatTellsAShortAndALongOneApart", ThreeHalves(), {{1, 0}, {1, 1}, {500, 2}}},
      {"AThirdIdWhileTheTwoOthersAsk",
       ThreeHalves().Client("shop", 6).Under(1).Peer("shop"),
       {{1, 0}, {1, 1}, {1, 3}, {kAsking, 2}}},
      {"ACopyUnderTheShortIdBeforeAThirdOne",
       ThreeHalves().Server("shop", 1).InShort(1),
       {{1, 0}, {400, 3}, {800, 2}, {1200, 1}}},
      {"TheSameRequestOfAnotherTraceWithItsHalf",
       OwnRequestBetween().Server("shop", 3).InBytes(SameHalf('x')).Under(1).At(5'000, 5'010),
       {{1, 0}, {1, 1}, {1, 2}, {1, 3}, {500, 4}}},
      {"TheSameSpanOfAnotherTraceWithItsHalf",
       Story().Server("shop", 1).Server("shop", 1).InBytes(SameHalf('x')),
       {{1, 0}, {500, 1}}},
  };
}

std::vector<LateCase> LogCases() {
  const Story story = Story().Server("shop", 1).Internal("shop", 2).Under(1);
  const auto with_log = [&](const std::string& trace, int span, std::int64_t time = 50) {
    return Story(story).Log("shop", trace, span == 0 ? "" : SpanIdOf(span), time, 1);
  };
  return {
      {"SpansAfterTheLog", with_log(TraceIdOf(1), 2), {{500, 0}, {900, 1}}, {{1, 0}}},
      {"SpansWhileTheLogSettles", with_log(TraceIdOf(1), 2), {{50, 0}, {60, 1}}, {{1, 0}}},
      {"TheLog", with_log(TraceIdOf(1), 2), {{1, 0}, {1, 1}}, {{500, 0}}},
      {"TheLogOfASpanThatNeverCame", with_log(TraceIdOf(1), 7), {{1, 0}, {1, 1}}, {{500, 0}}},
      {"ALogOfAnotherTrace", with_log(TraceIdOf(5), 1), {{1, 0}, {1, 1}}, {{500, 0}}},
      {"ALogUnderTheShortId", with_log(ShortTraceIdOf(1), 1), {{1, 0}, {1, 1}}, {{500, 0}}},
      {"TheRequestInWhichALogWithoutIdsWasWritten",
       with_log("", 0),
       {{500, 0}, {500, 1}},
       {{1, 0}}},
      {"ALogWithoutIds", with_log("", 0), {{1, 0}, {1, 1}}, {{500, 0}}},
      {"ALogWithoutIdsOutsideOfRequests", with_log("", 0, 5000), {{1, 0}, {1, 1}}, {{500, 0}}},
  };
}

void PrintTo(const LateCase& row, std::ostream* out) { *out << row.name; }

class Late : public ::testing::TestWithParam<LateCase> {};

TEST_P(Late, IsMadeGood) {
  for (const std::size_t shards : {1, 2, 8}) {
    Telling telling(GetParam().story, {.shards = shards, .key = shards});
    telling.Tell(GetParam().spans, GetParam().logs);
    telling.Finish();
    EXPECT_EQ(telling.Difference(), "") << shards << " shards";
  }
}

TEST_P(Late, IsMadeGoodWhateverElseComesAgain) {
  Telling telling(GetParam().story, {});
  telling.Tell(GetParam().spans, GetParam().logs);
  std::vector<Arrival> again;
  again.reserve(GetParam().spans.size());
  for (std::size_t i = 0; i < GetParam().spans.size(); ++i) {
    again.push_back({static_cast<Tick>(2000 + i * 70), GetParam().spans[i].place});
  }
  telling.Tell(again, {});
  telling.Finish();
  EXPECT_EQ(telling.Difference(), "");
}

TEST_P(Late, IsMadeGoodAfterAPauseLongerThanTheWheel) {
  Telling telling(GetParam().story, {.memory = 100'000});
  std::vector<Arrival> spans = GetParam().spans;
  std::ranges::sort(spans, {}, &Arrival::at);
  Tick pause = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i > 0 && spans[i].at != spans[i - 1].at) telling.Jump(spans[i].at + (pause += 3000));
    telling.Tell({{spans[i].at + pause, spans[i].place}}, {});
  }
  for (const Arrival& log : GetParam().logs) telling.Tell({}, {{20'000, log.place}});
  telling.Jump(40'000);
  telling.Finish();
  EXPECT_EQ(telling.Difference(), "");
}

const auto kNameOf = [](const auto& tested) { return tested.param.name; };
INSTANTIATE_TEST_SUITE_P(Spans, Late, ::testing::ValuesIn(SpanCases()), kNameOf);
INSTANTIATE_TEST_SUITE_P(Ids, Late, ::testing::ValuesIn(IdCases()), kNameOf);
INSTANTIATE_TEST_SUITE_P(Logs, Late, ::testing::ValuesIn(LogCases()), kNameOf);

constexpr const char* kSilent = "hop shop > cart http unknown peer_silent";
constexpr const char* kFiltered = "hop shop > cart http excluded filtered";

TEST(LateAnswers, RepairWhatWasCountedWithoutThem) {
  Telling telling(BrokenHop(), {});
  telling.Tell({{1, 0}, {1, 1}}, {});
  telling.Advance(kCounted);
  EXPECT_EQ(telling.Net().at("hop shop > cart http unknown peer_silent"), 1);
  telling.Tell({{kCounted, 2}}, {});
  telling.Finish();
  EXPECT_EQ(telling.Net().at("hop shop > cart http bad broken_hop"), 1);
  EXPECT_EQ(telling.Net().at("request cart >  http excluded continued"), 1);
  const UnitCounts* requests = nullptr;
  const Tally tally = telling.engine().tally();
  for (const auto& [key, counts] : tally.units()) {
    const bool is_of_shop = telling.recorded().names().Text(key.service) == "shop";
    if (key.family == Family::kRequest && is_of_shop) requests = &counts;
  }
  ASSERT_NE(requests, nullptr);
  EXPECT_EQ(requests->Of(Outcome::kUnknown), 1U) << "first";
  EXPECT_EQ(requests->repaired[static_cast<std::size_t>(Outcome::kUnknown)]
                              [static_cast<std::size_t>(Outcome::kBad)],
            1U);
}

TEST(LateAnswers, ToATraceThatIsForgottenAreNotThoseOfTheOneThatHasItsPlaceNow) {
  Telling telling(BrokenHop().Server("shop", 7).In(3), {.memory = 100});
  telling.Tell({{1, 0}, {1, 1}}, {});
  telling.Advance(400);
  EXPECT_EQ(telling.engine().shards().front()->pending_spans(), 0U);
  telling.Tell({{401, 3}, {410, 2}}, {});
  telling.Finish();
  EXPECT_EQ(telling.Net()["request shop >  http good "], 1);
  EXPECT_EQ(telling.Net()["request cart >  http excluded continued"], 1);
  EXPECT_EQ(telling.Net()[kSilent], 1) << "stays as it was counted";
}

/// The epoch of a story, but that nothing of the shop counts.
std::shared_ptr<const Epoch> WithoutShop(const Recorded& recorded) {
  Epoch epoch = *recorded.epoch();
  epoch.rules = Rules{.excluded_services = {{"shop"}}};
  return std::make_shared<const Epoch>(epoch);
}

TEST(LateEpoch, ATraceIsCountedByTheRulesByWhichItAsked) {
  Telling telling(BrokenHop().Internal("shop", 4).Under(1), {});
  telling.Tell({{1, 0}, {1, 1}}, {});
  telling.Advance(kAsking);
  telling.engine().UseEpoch(WithoutShop(telling.recorded()));
  telling.Advance(kCounted);
  EXPECT_EQ(telling.Net()[kSilent], 1);
  EXPECT_EQ(telling.Net()[kFiltered], 0);
  telling.Tell({{500, 3}}, {});
  telling.Finish();
  EXPECT_EQ(telling.Net()[kSilent], 0) << "and taken back by them";
  EXPECT_EQ(telling.Net()[kFiltered], 1);
}

TEST(LateEpoch, ARepairTakesBackWhatWasCountedByTheRulesOfThen) {
  Telling telling(BrokenHop().Internal("shop", 4).Under(1), {});
  telling.Tell({{1, 0}, {1, 1}}, {});
  telling.Advance(kCounted);
  telling.engine().UseEpoch(WithoutShop(telling.recorded()));
  telling.Advance(kCounted + 100);
  EXPECT_EQ(telling.Net()[kSilent], 1) << "what was counted stays";
  telling.Tell({{500, 3}}, {});
  telling.Finish();
  EXPECT_EQ(telling.Net()[kSilent], 0);
  EXPECT_EQ(telling.Net()[kFiltered], 1);
}

TEST(LateEpoch, AnAnswerThatChangesIsJudgedByTheRulesOfThen) {
  Telling telling(BrokenHop(), {});
  telling.Tell({{1, 0}, {1, 1}}, {});
  telling.Advance(kCounted);
  telling.engine().UseEpoch(WithoutShop(telling.recorded()));
  telling.Tell({{500, 2}}, {});
  telling.Finish();
  EXPECT_EQ(telling.Difference(), "") << "only the cart is new, and counts as before";
}

}  // namespace
}  // namespace tracekeeper::continuity
