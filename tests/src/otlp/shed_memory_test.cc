#include "src/otlp/shed_memory.h"

#include <gtest/gtest.h>

namespace tracekeeper::otlp {
namespace {

constexpr MonotonicTime kStart{std::chrono::hours(1)};

TEST(ShedMemory, RemembersForItsTimeAndNoLonger) {
  ShedMemory memory;
  EXPECT_TRUE(memory.Remember({1, 1}, kStart));
  EXPECT_FALSE(memory.Remember({1, 1}, kStart)) << "once is enough";
  EXPECT_TRUE(memory.Remember({1, 2}, kStart + std::chrono::seconds(30)));
  memory.Expire(kStart + ShedMemory::kMemory - std::chrono::nanoseconds(1));
  EXPECT_TRUE(memory.Contains({1, 1}));
  memory.Expire(kStart + ShedMemory::kMemory);
  EXPECT_FALSE(memory.Contains({1, 1}));
  EXPECT_TRUE(memory.Contains({1, 2}));
}

TEST(ShedMemory, ForgetsTheOldestBeyondItsBound) {
  ShedMemory memory;
  for (std::uint64_t i = 0; i <= ShedMemory::kMaxTraces; ++i) memory.Remember({7, i}, kStart);
  EXPECT_EQ(memory.size(), ShedMemory::kMaxTraces);
  EXPECT_FALSE(memory.Contains({7, 0}));
  EXPECT_TRUE(memory.Contains({7, ShedMemory::kMaxTraces}));
}

TEST(ShedMemory, TellsThatThereIsNews) {
  ShedMemory memory;
  const auto before = memory.generation();
  memory.Remember({1, 1}, kStart);
  const auto after = memory.generation();
  EXPECT_NE(before, after);
  memory.Remember({1, 1}, kStart);
  memory.Expire(kStart + std::chrono::hours(1));
  EXPECT_EQ(memory.generation(), after);
}

}  // namespace
}  // namespace tracekeeper::otlp
