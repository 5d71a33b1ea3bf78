#include "src/base/string_pool.h"

#include <gtest/gtest.h>

#include <random>

namespace tracekeeper {
namespace {

TEST(StringPool, GivesEqualStringsOneId) {
  StringPool pool;
  const auto a = pool.Intern("shop");
  EXPECT_EQ(pool.Intern("shop"), a);
  EXPECT_NE(pool.Intern("cart"), a);
  EXPECT_EQ(pool.View(a), "shop");
}

TEST(StringPool, TheEmptyStringIsAlwaysThere) {
  StringPool pool;
  EXPECT_EQ(pool.Intern(""), StringPool::kEmpty);
  pool.Release(StringPool::kEmpty);
  EXPECT_EQ(pool.View(StringPool::kEmpty), "");
}

TEST(StringPool, FreesAStringWithItsLastHolder) {
  StringPool pool;
  const auto id = pool.Intern("shop");
  pool.Intern("shop");
  pool.Release(id);
  StringPool::Id found;
  EXPECT_TRUE(pool.Find("shop", found));
  pool.Release(id);
  EXPECT_FALSE(pool.Find("shop", found));
  EXPECT_EQ(pool.size(), 1U);
}

TEST(StringPool, AgreesWithACountingModelOverRandomUse) {
  StringPool pool;
  std::mt19937 random(7);
  std::unordered_map<std::string, std::pair<StringPool::Id, int>> model;
  for (int step = 0; step < 20000; ++step) {
    const std::string text = "s" + std::to_string(random() % 50);
    auto& [id, count] = model[text];
    if (count > 0 && random() % 2 == 0) {
      pool.Release(id);
      --count;
    } else {
      const auto got = pool.Intern(text);
      if (count > 0) {
        ASSERT_EQ(got, id);
      }
      id = got;
      ++count;
    }
    if (count > 0) {
      ASSERT_EQ(pool.View(id), text);
    }
  }
  std::size_t held = 1;  // the empty string
  for (const auto& [text, entry] : model) held += entry.second > 0 ? 1 : 0;
  EXPECT_EQ(pool.size(), held);
}

}  // namespace
}  // namespace tracekeeper
