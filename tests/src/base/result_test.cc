#include "src/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace tracekeeper {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail(ErrorKind::kInvalid, "{} is odd", number);
  return number / 2;
}

Result<int> Quarter(int number) {
  const int half = TRY(Half(number));
  return Half(half);
}

Status OnlyEven(int number) {
  TRY(Half(number));
  return {};
}

Result<int> Eighth(int number) { return TRY(Half(TRY(Half(TRY(Half(number)))))); }

Result<std::unique_ptr<int>> Boxed(int number) { return std::make_unique<int>(TRY(Half(number))); }

TEST(Try, YieldsTheValueOrLeavesWithTheError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "3 is odd");
  EXPECT_EQ(Quarter(6).error().kind, ErrorKind::kInvalid);
}

TEST(Try, WorksForStatusAndForMoveOnlyValues) {
  EXPECT_TRUE(OnlyEven(2));
  EXPECT_FALSE(OnlyEven(3));
  EXPECT_EQ(**Boxed(4), 2);
}

TEST(Try, Nests) {
  EXPECT_EQ(*Eighth(16), 2);
  EXPECT_EQ(Eighth(12).error().message, "3 is odd");
}

TEST(Error, GainsContextInFront) {
  Error error{ErrorKind::kNotFound, "no such file", std::nullopt};
  error = std::move(error).Within("read kubeconfig");
  EXPECT_EQ(error.message, "read kubeconfig: no such file");
}

}  // namespace
}  // namespace tracekeeper
