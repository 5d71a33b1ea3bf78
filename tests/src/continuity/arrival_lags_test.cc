#include "src/continuity/arrival_lags.h"

#include <gtest/gtest.h>

namespace tracekeeper::continuity {
namespace {

/// As many, from `first` up to `last`, one after another.
void AddBetween(ArrivalLags& lags, NameId instance, std::int32_t first, std::int32_t last,
                std::uint32_t count = 2000) {
  const auto width = static_cast<std::uint32_t>(last - first) + 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    lags.Add({instance, first + static_cast<std::int32_t>(i % width)});
  }
}

TEST(ArrivalLags, SayNothingOfAnInstanceThatIsHardlyKnown) {
  ArrivalLags lags;
  EXPECT_EQ(lags.Spread(), 0U);
  AddBetween(lags, 1, 0, 50, ArrivalLags::kEnough - 1);
  EXPECT_EQ(lags.Spread(), 0U);
}

TEST(ArrivalLags, AreAsFarApartAsThoseOfTheMostUnevenInstance) {
  ArrivalLags lags;
  AddBetween(lags, 1, 3, 8);
  AddBetween(lags, 2, 10, 59);
  EXPECT_EQ(lags.Spread(), 49U);
  lags.Clear();
  EXPECT_EQ(lags.Spread(), 0U);
}

TEST(ArrivalLags, AClockThatIsWrongChangesNothing) {
  for (const std::int32_t wrong : {-5000, -30, 0, 30, 5000}) {
    ArrivalLags lags;
    AddBetween(lags, 1, wrong, wrong + 50);
    EXPECT_EQ(lags.Spread(), 50U) << wrong;
  }
}

TEST(ArrivalLags, OneInAThousandMayBeLaterAndOneInAHundredSooner) {
  ArrivalLags lags;
  AddBetween(lags, 1, 0, 9, 10'000);
  for (int i = 0; i < 9; ++i) lags.Add({1, 500});
  for (int i = 0; i < 90; ++i) lags.Add({1, -400});
  EXPECT_EQ(lags.Spread(), 9U);
  for (int i = 0; i < 20; ++i) lags.Add({1, 500});
  EXPECT_EQ(lags.Spread(), 500U);
}

TEST(ArrivalLags, LargeSpreadsAndManyInstancesTakeNoMoreRoom) {
  ArrivalLags lags;
  AddBetween(lags, 1, 0, 0);
  AddBetween(lags, 1, 1'000'000, 1'000'000);
  EXPECT_EQ(lags.Spread(), static_cast<Tick>(ArrivalLags::kMostTicks));
  lags.Clear();
  for (NameId instance = 0; instance < ArrivalLags::kMostInstances; ++instance) {
    lags.Add({instance, 0});
  }
  AddBetween(lags, ArrivalLags::kMostInstances, 0, 80);
  EXPECT_EQ(lags.Spread(), 0U) << "one more than is looked at";
}

}  // namespace
}  // namespace tracekeeper::continuity
