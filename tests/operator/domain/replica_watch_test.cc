#include "operator/domain/replica_watch.h"

#include <gtest/gtest.h>

namespace tracekeeper::domain {
namespace {

const Instant kNow{std::chrono::seconds(1'900'000'000)};

void MissOften(ReplicaWatch& watch, std::string_view uid) {
  for (std::uint32_t i = 0; i < ReplicaWatch::kMisses; ++i) watch.Missed(uid);
}

TEST(ReplicaWatch, AReplicaThatAnsweredAndFallsSilentIsLost) {
  ReplicaWatch watch;
  watch.Answered("a");
  for (std::uint32_t i = 1; i < ReplicaWatch::kMisses; ++i) watch.Missed("a");
  EXPECT_FALSE(watch.IsLost("a", kNow));
  watch.Missed("a");
  EXPECT_TRUE(watch.IsLost("a", kNow));
}

TEST(ReplicaWatch, OneAnswerInBetweenIsEnough) {
  ReplicaWatch watch;
  watch.Answered("a");
  for (std::uint32_t i = 1; i < ReplicaWatch::kMisses; ++i) watch.Missed("a");
  watch.Answered("a");
  watch.Missed("a");
  EXPECT_FALSE(watch.IsLost("a", kNow));
}

TEST(ReplicaWatch, AReplicaThatNeverAnsweredIsNotLost) {
  ReplicaWatch watch;
  MissOften(watch, "a");
  EXPECT_FALSE(watch.IsLost("a", kNow)) << "a network policy between replicas would look so";
}

TEST(ReplicaWatch, ReplacesOneAndPauses) {
  ReplicaWatch watch;
  watch.Answered("a");
  watch.Answered("b");
  MissOften(watch, "a");
  MissOften(watch, "b");
  watch.Replaced("a", kNow);
  EXPECT_FALSE(watch.IsLost("a", kNow + ReplicaWatch::kPause)) << "it is on its way out";
  EXPECT_FALSE(watch.IsLost("b", kNow));
  EXPECT_TRUE(watch.IsLost("b", kNow + ReplicaWatch::kPause));
}

TEST(ReplicaWatch, ForgetsReplicasThatAreGone) {
  ReplicaWatch watch;
  watch.Answered("a");
  watch.KeepOnly([](const std::string& uid) { return uid != "a"; });
  MissOften(watch, "a");
  EXPECT_FALSE(watch.IsLost("a", kNow));
}

}  // namespace
}  // namespace tracekeeper::domain
