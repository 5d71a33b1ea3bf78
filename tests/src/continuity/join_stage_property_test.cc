#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/src/continuity/told_join_stage.h"

namespace tracekeeper::continuity {
namespace {

using ::testing::IsEmpty;

/// Telemetry of 200 s in which every kind of question has every answer.
class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : random_(seed) {
    profile_.skew = 200'000;
    profile_.delay = random_() % 2 == 0 ? kMaxDuration : 300'000;
  }

  const Profile& profile() const { return profile_; }
  std::uint64_t Random(std::uint64_t below) { return random_() % below; }

  /// Not before `from`.
  SeenSpan Span(Microseconds from = 0) {
    const bool is_shop = Random(4) != 0;
    const Microseconds start = from + Random(200 * kSecond - from);
    // The shop is dense but for a pause in every 16 s; the cart is seldom there.
    const bool is_in_pause = start / kSecond % 16 == 7;
    const Microseconds length = Random(10) == 0 ? kUnfinishedDuration : Random(kSecond / 5);
    const auto kind = Random(3) == 0 ? otlp::SpanKind::kServer : otlp::SpanKind::kInternal;
    if (is_shop && !is_in_pause) return Seen(kShop, kShopOne, start, length, kind);
    return Seen(kCart, Random(2) == 0 ? kCartOne : 0, start / 4 + from * 3 / 4, length, kind);
  }

  std::vector<Question> Questions(Microseconds from = 0) {
    std::vector<Question> questions(Random(3));
    const std::uint64_t trace = Random(30);
    for (Question& question : questions) question = OfTrace(trace, OneQuestion(from));
    return questions;
  }

 private:
  Question OneQuestion(Microseconds from) {
    const auto kind = static_cast<QuestionKind>(Random(5));
    const bool is_of_service = kind == QuestionKind::kCall || kind == QuestionKind::kServerRoot;
    const NameId where =
        is_of_service ? (Random(2) == 0 ? kShop : kCart) : (Random(3) != 0 ? kShopOne : kCartOne);
    Microseconds first = from + Random(200 * kSecond - from);
    if (kind == QuestionKind::kLostBatch) {
      first = first / (16 * kSecond) * 16 * kSecond + 6 * kSecond + Random(kSecond);
    }
    first = std::max(first, from);
    Question question = Asked(kind, where, first, first + Random(kSecond / 2));
    if (kind == QuestionKind::kLostBatch) {
      question.last += Random(3 * kSecond);
      question.is_served = Random(3) != 0;
    }
    if (kind == QuestionKind::kOthersStarted) question.own_starts = Random(4);
    if (is_of_service) question.operation = static_cast<NameId>(Random(3));
    question.span_id = random_();
    return question;
  }

  std::mt19937_64 random_;
  Profile profile_;
};

using Questions = std::map<AskerId, std::vector<Question>>;

/// To questions about `from` and later; counts which answers these are.
void ExpectSame(const Questions& asked, Microseconds from, const Told& told, const Told& other,
                std::map<std::pair<QuestionKind, Answer>, int>& given) {
  for (const auto& [asker, questions] : asked) {
    for (QuestionNumber i = 0; i < questions.size(); ++i) {
      if (questions[i].first < from) continue;
      EXPECT_EQ(told.AnswerTo(asker, i), other.AnswerTo(asker, i))
          << "kind " << static_cast<int>(questions[i].kind) << " at " << questions[i].first;
      ++given[{questions[i].kind, other.AnswerTo(asker, i)}];
    }
  }
}

TEST(JoinStageProperty, InTheEndTheAnswersAreThoseOfAllAtOnce) {
  std::map<std::pair<QuestionKind, Answer>, int> given;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    RandomWorld world(seed);
    Told told(world.profile());
    std::vector<SeenSpan> seen;
    Questions asked;
    AskerId next = 1;
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t what = world.Random(100);
      if (what < 85) {
        seen.push_back(world.Span());
        told.See(seen.back());
      } else if (what < 96) {
        told.Ask(next, asked[next] = world.Questions());
        ++next;
      } else if (what < 98 && !asked.empty()) {
        const auto asker =
            std::next(asked.begin(), static_cast<std::ptrdiff_t>(world.Random(asked.size())));
        told.Withdraw(asker->first);
        asked.erase(asker);
      } else {
        told.Settle();
      }
    }
    told.Settle();
    Told at_once(world.profile());
    for (const SeenSpan& each : seen) at_once.See(each);
    for (const auto& [asker, questions] : asked) at_once.Ask(asker, questions);
    at_once.Settle();
    ExpectSame(asked, 0, told, at_once, given);
    EXPECT_EQ(told.stage().questions(), at_once.stage().questions());
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
  for (int kind = 0; kind < 5; ++kind) {
    EXPECT_GT((given[{static_cast<QuestionKind>(kind), Answer::kYes}]), 50) << kind;
    EXPECT_GT((given[{static_cast<QuestionKind>(kind), Answer::kNo}]), 50) << kind;
  }
  EXPECT_GT((given[{QuestionKind::kCall, Answer::kPeerWasThere}]), 50);
}

TEST(JoinStageProperty, ForgettingChangesNoAnswerToWhatIsYounger) {
  std::map<std::pair<QuestionKind, Answer>, int> given;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    RandomWorld world(seed);
    Told forgetful(world.profile());
    Told other(world.profile());
    AskerId next = 1;
    Questions asked;
    const auto tell = [&](int steps, Microseconds from) {
      for (int step = 0; step < steps; ++step) {
        const SeenSpan seen = world.Span(from);
        forgetful.See(seen);
        other.See(seen);
        if (step % 8 != 0) continue;
        forgetful.Ask(next, asked[next] = world.Questions(from));
        other.Ask(next, asked[next]);
        ++next;
      }
      forgetful.Settle();
      other.Settle();
    };
    tell(3000, 0);
    const Microseconds time = (200 + world.Random(1500)) * kSecond / 10;
    const std::size_t before = forgetful.stage().questions();
    forgetful.stage().Forget(time);
    EXPECT_LT(forgetful.stage().questions(), before);
    forgetful.stage().UseProfile(world.profile());
    EXPECT_THAT(forgetful.Settle(), IsEmpty()) << "looked at again, all is as it was";
    tell(500, time + world.profile().skew);
    ExpectSame(asked, time + world.profile().skew, forgetful, other, given);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", " << time;
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
