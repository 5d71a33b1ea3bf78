#include "src/continuity/waiting_roots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace tracekeeper::continuity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Microseconds kSecond = 1'000'000;

WaitingRoot RootOf(AskerId asker, Microseconds first, Microseconds last) {
  return {.first = first, .last = last, .asker = asker};
}

std::vector<AskerId> Askers(const std::vector<WaitingRoot*>& roots) {
  std::vector<AskerId> askers;
  askers.reserve(roots.size());
  for (const WaitingRoot* root : roots) askers.push_back(root->asker);
  return askers;
}

TEST(WaitingRoots, AreFoundByWhenTheyStart) {
  WaitingRoots roots;
  roots.Add(RootOf(3, 2 * kSecond, 3 * kSecond));
  roots.Add(RootOf(1, kSecond - 1, kSecond));
  roots.Add(RootOf(2, kSecond, kSecond));
  EXPECT_THAT(Askers(roots.Within(kSecond - 1, 2 * kSecond)), ElementsAre(1, 2, 3));
  EXPECT_THAT(Askers(roots.Within(kSecond, 2 * kSecond - 1)), ElementsAre(2));
  EXPECT_THAT(roots.Within(3 * kSecond, 9 * kSecond), IsEmpty());
}

TEST(WaitingRoots, AreFoundByWhoAsked) {
  WaitingRoots roots;
  roots.Add(RootOf(1, 5, 6));
  WaitingRoot second = RootOf(1, 5, 6);
  second.number = 1;
  roots.Add(second);
  EXPECT_EQ(roots.Find({.first = 5, .asker = 1, .number = 1})->number, 1U);
  EXPECT_EQ(roots.Find({.first = 5, .asker = 1, .number = 0})->number, 0U);
  EXPECT_EQ(roots.Find({.first = 5, .asker = 2, .number = 0}), nullptr);
  EXPECT_EQ(roots.Find({.first = 4, .asker = 1, .number = 0}), nullptr);
  EXPECT_EQ(roots.Find({.first = kSecond, .asker = 1, .number = 0}), nullptr);
}

TEST(WaitingRoots, ThatWereWithdrawnAreNoMore) {
  WaitingRoots roots;
  roots.Add(RootOf(1, 5, 6));
  roots.Add(RootOf(2, 5, 6));
  roots.Withdraw(*roots.Find({.first = 5, .asker = 1}));
  EXPECT_EQ(roots.Find({.first = 5, .asker = 1}), nullptr);
  EXPECT_THAT(Askers(roots.Within(0, 9)), ElementsAre(2));
  EXPECT_EQ(roots.size(), 1U);
  roots.Withdraw(*roots.Find({.first = 5, .asker = 2}));
  EXPECT_FALSE(roots.is_empty());
  roots.Forget(0);
  EXPECT_TRUE(roots.is_empty());
}

TEST(WaitingRoots, AreForgottenByWhenTheyEnd) {
  WaitingRoots roots;
  roots.Add(RootOf(1, 5, 6));
  roots.Add(RootOf(2, 5, 9 * kSecond));
  roots.Add(RootOf(3, 3 * kSecond, 4 * kSecond));
  roots.Add(RootOf(4, 5 * kSecond, 6 * kSecond));
  roots.Forget(5 * kSecond);
  EXPECT_THAT(Askers(roots.Within(0, 9 * kSecond)), ElementsAre(2, 4));
  roots.Forget(9 * kSecond);
  EXPECT_THAT(Askers(roots.Within(0, 9 * kSecond)), ElementsAre(2)) << "it ends then, not before";
  EXPECT_EQ(roots.size(), 1U);
}

TEST(WaitingRoots, AreTheSameInWhateverOrderTheyCome) {
  std::mt19937_64 random(1);
  WaitingRoots roots;
  std::vector<WaitingRoot> held;
  for (AskerId asker = 1; asker <= 2000; ++asker) {
    const Microseconds first = random() % (20 * kSecond);
    held.push_back(RootOf(asker, first, first + random() % kSecond));
    roots.Add(held.back());
    if (asker % 10 != 0) continue;
    const std::size_t gone = random() % held.size();
    WaitingRoot* const found = roots.Find({.first = held[gone].first, .asker = held[gone].asker});
    ASSERT_NE(found, nullptr);
    roots.Withdraw(*found);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(gone));
    if (asker % 500 != 0) continue;
    const Microseconds time = asker / 500 * kSecond;
    roots.Forget(time);
    std::erase_if(held, [time](const WaitingRoot& root) { return root.last < time; });
  }
  std::ranges::sort(held, {}, &WaitingRoot::first);
  std::vector<AskerId> want;
  want.reserve(held.size());
  for (const WaitingRoot& root : held) want.push_back(root.asker);
  EXPECT_EQ(Askers(roots.Within(0, 30 * kSecond)), want);
  EXPECT_EQ(roots.size(), held.size());
}

}  // namespace
}  // namespace tracekeeper::continuity
