#include "src/continuity/fingerprints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {
namespace {

TEST(Fingerprints, AreFoundUntilTheirTimeIsOver) {
  Fingerprints fingerprints(64, 1);
  EXPECT_EQ(fingerprints.Find(5, 0), std::nullopt);
  fingerprints.Add(5, 100, 7);
  EXPECT_EQ(fingerprints.Find(5, 99), 7U);
  EXPECT_EQ(fingerprints.Find(5, 100), std::nullopt);
  EXPECT_EQ(fingerprints.Find(6, 50), std::nullopt);
}

TEST(Fingerprints, OfTheSameThingThereIsOne) {
  Fingerprints fingerprints(8, 1);
  for (std::uint64_t other = 1; other <= 7; ++other) fingerprints.Add(other, 1000, 0);
  for (std::uint32_t again = 0; again < 20; ++again) fingerprints.Add(99, 10 + again, again);
  EXPECT_EQ(fingerprints.Find(99, 28), 19U) << "as it was added last";
  EXPECT_EQ(fingerprints.Find(99, 29), std::nullopt);
  for (std::uint64_t other = 1; other <= 7; ++other) {
    EXPECT_EQ(fingerprints.Find(other, 1), 0U) << "nothing made way for it";
  }
}

TEST(Fingerprints, WhereThereIsNoRoomTheOneThatWouldBeForgottenNextMakesWay) {
  Fingerprints fingerprints(8, 1);
  for (std::uint64_t what = 1; what <= 8; ++what) {
    fingerprints.Add(what, static_cast<std::uint32_t>(100 - what), 0);
  }
  fingerprints.Add(9, 500, 0);
  EXPECT_EQ(fingerprints.Find(8, 1), std::nullopt);
  fingerprints.Add(10, 500, 0);
  EXPECT_EQ(fingerprints.Find(7, 1), std::nullopt);
  for (const std::uint64_t kept : {1, 2, 3, 4, 5, 6, 9, 10}) {
    EXPECT_EQ(fingerprints.Find(kept, 1), 0U) << kept;
  }
}

TEST(Fingerprints, TakeSixteenBytesEach) {
  EXPECT_EQ(Fingerprints(1024, 1).bytes(), 1024U * 16);
  EXPECT_LE(Fingerprints(1500, 1).bytes(), 1500U * 16) << "never more than they are given";
  EXPECT_EQ(Fingerprints(0, 1).bytes(), 8U * 16) << "there is always room for some";
}

TEST(Fingerprints, ARoomForManyIsUsedByMostOfThem) {
  constexpr std::uint64_t kMany = 4096;
  Fingerprints fingerprints(kMany, 1);
  for (std::uint64_t what = 0; what < kMany / 2; ++what) fingerprints.Add(what, 100, 0);
  std::uint64_t kept = 0;
  for (std::uint64_t what = 0; what < kMany / 2; ++what) {
    kept += fingerprints.Find(what, 1) ? 1 : 0;
  }
  EXPECT_GT(kept, kMany / 2 * 95 / 100) << "sets are filled evenly";
}

TEST(KeyedHash, EveryBitOfTheIdChangesAboutHalfOfTheBits) {
  constexpr std::uint64_t kKey = 0x1234567890ABCDEF;
  for (std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    for (unsigned bit = 0; bit < 64; ++bit) {
      const std::uint64_t other = id ^ std::uint64_t{1} << bit;
      const int changed = std::popcount(KeyedHash(id, kKey) ^ KeyedHash(other, kKey));
      EXPECT_GE(changed, 12) << "bit " << bit;
      EXPECT_LE(changed, 52) << "bit " << bit;
    }
  }
}

TEST(KeyedHash, SpreadsIdsThatFollowEachOther) {
  std::array<int, 64> low{};
  std::array<int, 64> high{};
  constexpr int kIds = 64 * 200;
  for (std::uint64_t id = 0; id < kIds; ++id) {
    const std::uint64_t hash = KeyedHash(id << 32U, 5);
    ++low.at(hash % 64);
    ++high.at(hash >> 58U);
  }
  for (const auto& counts : {low, high}) {
    const auto [least, most] = std::ranges::minmax_element(counts);
    EXPECT_GT(*least, 130);
    EXPECT_LT(*most, 270);
  }
}

TEST(KeyedHash, WhatCollidesUnderOneKeyDoesNotUnderAnother) {
  // Ids chosen, without the key, to share the lowest twelve bits of their hashes.
  int chosen = 0;
  int collide = 0;
  const auto low = [](std::uint64_t id, std::uint64_t key) { return KeyedHash(id, key) & 0xFFFU; };
  for (std::uint64_t id = 0; chosen < 100; ++id) {
    if (low(id, 0) != 7) continue;
    ++chosen;
    collide += low(id, 99) == 7 ? 1 : 0;
  }
  EXPECT_LE(collide, 2);
}

}  // namespace
}  // namespace tracekeeper::continuity
