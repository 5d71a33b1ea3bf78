#include "src/net/body_memory.h"

#include <gtest/gtest.h>

namespace tracekeeper::net {
namespace {

constexpr std::size_t kBlock = 100'000;

std::string Block(char c) { return std::string(kBlock, c); }

TEST(BodyMemory, GivesBackWhatHasRoom) {
  BodyMemory memory(10 * kBlock);
  EXPECT_TRUE(memory.Take(kBlock).empty());
  memory.Give(Block('a'));
  memory.Give(std::string(2 * kBlock, 'b'));
  memory.Give(Block('c'));
  EXPECT_EQ(memory.Take(kBlock).front(), 'c') << "the warmest";
  EXPECT_EQ(memory.Take(2 * kBlock).front(), 'b');
  EXPECT_TRUE(memory.Take(2 * kBlock).empty());
  EXPECT_EQ(memory.Take(kBlock).front(), 'a');
  EXPECT_TRUE(memory.Take(kBlock).empty());
}

TEST(BodyMemory, LetsTheOldestGoWhenItIsFull) {
  BodyMemory memory(2 * kBlock + kBlock / 2);
  for (const char c : {'a', 'b', 'c'}) memory.Give(Block(c));
  EXPECT_EQ(memory.Take(kBlock).front(), 'c');
  EXPECT_EQ(memory.Take(kBlock).front(), 'b');
  EXPECT_TRUE(memory.Take(kBlock).empty());
}

TEST(BodyMemory, KeepsNothingUnlessItIsToldTo) {
  BodyMemory memory(0);
  memory.Give(Block('a'));
  EXPECT_TRUE(memory.Take(kBlock).empty());
}

}  // namespace
}  // namespace tracekeeper::net
