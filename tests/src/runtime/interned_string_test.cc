#include "src/runtime/interned_string.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

namespace tracekeeper::runtime {
namespace {

TEST(InternedString, EqualTextsAreOneString) {
  InternTable table;
  const InternedString first = table.Intern("kube-system");
  const InternedString second = table.Intern(std::string("kube-") + "system");
  EXPECT_EQ(first.view().data(), second.view().data());
  EXPECT_TRUE(first == second);
  EXPECT_EQ(table.size(), 1U);
}

TEST(InternedString, IsEightBytesAndEmptyTextCostsNothing) {
  EXPECT_EQ(sizeof(InternedString), 8U);
  InternTable table;
  EXPECT_TRUE(table.Intern("").empty());
  EXPECT_EQ(table.Intern("").view(), "");
  EXPECT_EQ(table.size(), 0U);
}

TEST(InternedString, IsFreedWithItsLastHandle) {
  InternTable table;
  InternedString kept = table.Intern("node-1");
  {
    const InternedString copy = kept;
    const InternedString moved = std::move(kept);
    kept = copy;
  }
  EXPECT_EQ(kept.view(), "node-1");
  EXPECT_EQ(table.size(), 1U);
  kept = InternedString();
  EXPECT_EQ(table.size(), 0U);
}

TEST(InternedString, OutlivesItsTable) {
  InternedString kept;
  {
    InternTable table;
    kept = table.Intern("node-1");
    const InternedString dropped = table.Intern("node-2");
  }
  EXPECT_EQ(kept.view(), "node-1");
}

TEST(InternedString, HandlesMayBeMadeAndDroppedOnManyThreads) {
  InternTable table;
  {
    std::vector<std::jthread> threads;
    for (unsigned seed = 0; seed < 4; ++seed) {
      threads.emplace_back([&table, seed] {
        std::mt19937 random(seed);
        std::vector<InternedString> held(8);
        for (int i = 0; i < 20000; ++i) {
          const std::string text = std::to_string(random() % 16);
          InternedString handle = table.Intern(text);
          EXPECT_EQ(handle.view(), text);
          held[random() % held.size()] = std::move(handle);
        }
      });
    }
  }
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace tracekeeper::runtime
