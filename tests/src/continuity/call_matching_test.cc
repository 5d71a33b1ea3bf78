#include "src/continuity/call_matching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tracekeeper::continuity {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr NameId kGet = 1;
constexpr NameId kPost = 2;

Question Call(Microseconds first, Microseconds last, NameId operation = kGet) {
  return {.kind = QuestionKind::kCall, .operation = operation, .first = first, .last = last};
}
Question Root(Microseconds start, NameId operation = kGet) {
  return {.kind = QuestionKind::kServerRoot, .operation = operation, .first = start};
}

TEST(CallMatching, GivesARootToTheCallThatWaitsLeastLong) {
  EXPECT_THAT(
      MatchCalls({Call(100, 900), Call(100, 300)}, {Root(200), Root(600)}, {}),
      UnorderedElementsAre(MatchedCall{.call = 1, .root = 0}, MatchedCall{.call = 0, .root = 1}));
}

TEST(CallMatching, WaitsFromBeforeTheCallUntilAfterItsEndAndNoLongerThanTheDelay) {
  const auto matches = [](Microseconds start, MatchingTimes times) {
    return MatchCalls({Call(1000, 2000)}, {Root(start)}, times).size();
  };
  EXPECT_EQ(matches(990, {.skew = 10}), 1U);
  EXPECT_EQ(matches(989, {.skew = 10}), 0U);
  EXPECT_EQ(matches(2010, {.skew = 10}), 1U);
  EXPECT_EQ(matches(2011, {.skew = 10}), 0U);
  EXPECT_EQ(matches(1300, {.skew = 10, .delay = 300}), 1U);
  EXPECT_EQ(matches(1301, {.skew = 10, .delay = 300}), 0U);
}

TEST(CallMatching, KeepsOperationsApartAndFitsWhatHasNoneToWhatIsLeft) {
  EXPECT_THAT(MatchCalls({Call(0, 10, kGet)}, {Root(5, kPost)}, {}), IsEmpty());
  EXPECT_THAT(
      MatchCalls({Call(0, 10, kGet), Call(0, 9, 0)}, {Root(5, kGet), Root(6, kPost)}, {}),
      UnorderedElementsAre(MatchedCall{.call = 0, .root = 0}, MatchedCall{.call = 1, .root = 1}));
}

/// The most pairs that any matching can have, by trying.
class MostPairs {
 public:
  MostPairs(const std::vector<Question>& calls, const std::vector<Question>& roots)
      : calls_(calls), roots_(roots), root_of_(calls.size(), kNone) {}

  std::size_t Count() {
    std::size_t pairs = 0;
    for (std::size_t root = 0; root < roots_.size(); ++root) {
      tried_.assign(calls_.size(), false);
      pairs += FindCall(root) ? 1 : 0;
    }
    return pairs;
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  bool FindCall(std::size_t root) {
    for (std::size_t call = 0; call < calls_.size(); ++call) {
      const Microseconds start = roots_[root].first;
      if (tried_[call] || start < calls_[call].first || start > calls_[call].last) continue;
      tried_[call] = true;
      if (root_of_[call] == kNone || FindCall(root_of_[call])) {
        root_of_[call] = root;
        return true;
      }
    }
    return false;
  }

  const std::vector<Question>& calls_;
  const std::vector<Question>& roots_;
  std::vector<std::size_t> root_of_;
  std::vector<bool> tried_;
};

TEST(CallMatchingProperty, NoOtherMatchingFindsMorePairs) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<Question> calls(random() % 9);
    std::vector<Question> roots(random() % 9);
    for (Question& call : calls) {
      const Microseconds first = random() % 50;
      call = Call(first, first + random() % 20);
    }
    for (Question& root : roots) root = Root(random() % 70);
    EXPECT_EQ(MatchCalls(calls, roots, {}).size(), MostPairs(calls, roots).Count());
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
