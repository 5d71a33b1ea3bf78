#include "src/continuity/span_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace tracekeeper::continuity {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using RecordNumber = SpanTable::RecordNumber;

Span SpanOf(std::uint64_t id) {
  Span span;
  span.id = id;
  span.start = id * 1000;
  return span;
}

std::vector<Span> Read(const SpanTable& table, RecordNumber record, std::size_t count) {
  std::vector<Span> spans;
  table.Read(record, count, spans);
  return spans;
}

TEST(SpanTable, FindsNothingWhereNothingIs) {
  SpanTable table({});
  EXPECT_EQ(table.Find(1), SpanTable::kNoRecord);
  table.FindOrAdd({1, 1});
  EXPECT_EQ(table.Find(2), SpanTable::kNoRecord);
}

TEST(SpanTable, HoldsAllIdsWithOneLowerHalfInOneRecord) {
  SpanTable table({});
  const RecordNumber record = table.FindOrAdd({0, 5});
  EXPECT_EQ(table.FindOrAdd({7, 5}), record);
  EXPECT_EQ(table.traces(), 1U);
  EXPECT_EQ(table.TagFor(record, 0), 0);
  EXPECT_EQ(table.TagFor(record, 7), 1);
  EXPECT_EQ(table.TagFor(record, 9), 2);
  EXPECT_EQ(table.TagFor(record, 7), 1) << "a half has one tag";
  EXPECT_THAT(table.UpperHalves(record), ElementsAre(0, 7, 9));
}

TEST(SpanTable, TellsAsManyUpperHalvesApartAsATagHasRoomFor) {
  SpanTable table({});
  const RecordNumber record = table.FindOrAdd({100, 5});
  for (std::uint64_t more = 1; more < SpanTable::kMaxTags; ++more) {
    EXPECT_EQ(table.TagFor(record, 100 + more), more);
  }
  EXPECT_EQ(table.TagFor(record, 1), std::nullopt);
  EXPECT_EQ(table.TagFor(record, 163), 63) << "those that are known still are";
}

TEST(SpanTable, ANewTraceKnowsNothingOfTheOneWhoseRecordItHas) {
  SpanTable table({});
  const RecordNumber record = table.FindOrAdd({1, 5});
  table.TagFor(record, 2);
  table.Append(record, SpanOf(1), 0);
  table.at(record).phase = SpanTable::Phase::kShed;
  const std::uint8_t generation = table.at(record).generation;
  table.Remove(record);
  ASSERT_EQ(table.FindOrAdd({3, 6}), record);
  EXPECT_THAT(table.UpperHalves(record), ElementsAre(3));
  EXPECT_EQ(table.at(record).spans, 0U);
  EXPECT_EQ(table.at(record).phase, SpanTable::Phase::kOpen);
  EXPECT_NE(table.at(record).generation, generation);
}

TEST(SpanTable, WhereARecordFitsItsFirstSpanDoesToo) {
  for (std::size_t budget = 400; budget < 4000; budget += 8) {
    SpanTable table({.budget_bytes = budget});
    for (std::uint64_t low = 1;; ++low) {
      const RecordNumber record = table.FindOrAdd({1, low});
      if (record == SpanTable::kNoRecord) break;
      ASSERT_TRUE(table.Append(record, SpanOf(low), 0));
    }
    EXPECT_LE(table.bytes(), budget);
  }
}

TEST(SpanTable, WhatIsRemovedMakesRoomForAsMuch) {
  SpanTable table({.budget_bytes = 4096});
  const auto fill = [&table] {
    std::vector<RecordNumber> records;
    for (std::uint64_t low = 1;; ++low) {
      const RecordNumber record = table.FindOrAdd({1, low});
      if (record == SpanTable::kNoRecord) return records;
      for (std::uint64_t id = 0; id < low % 7 + 1; ++id) table.Append(record, SpanOf(id), 0);
      records.push_back(record);
    }
  };
  std::size_t filled = 0;
  for (int round = 0; round < 50; ++round) {
    const std::vector<RecordNumber> records = fill();
    if (round == 0) filled = records.size();
    EXPECT_EQ(records.size(), filled);
    for (const RecordNumber record : records) table.Remove(record);
    EXPECT_EQ(table.traces(), 0U);
    EXPECT_EQ(table.spans(), 0U);
  }
}

TEST(SpanTable, ItsIndexIsNeverFull) {
  // Room for many records that hold no span: Find must still come to an end.
  SpanTable table({.budget_bytes = 64 << 10U});
  std::uint64_t low = 1;
  while (table.FindOrAdd({1, low}) != SpanTable::kNoRecord) ++low;
  EXPECT_EQ(table.Find(low), SpanTable::kNoRecord);
  EXPECT_NE(table.Find(low - 1), SpanTable::kNoRecord);
}

/// A table and a std::map that are told the same; kept to a few ids, so that slots collide.
class TableAndModel {
 public:
  explicit TableAndModel(std::uint64_t seed)
      : random_(seed), table_({.budget_bytes = 2048 + seed % 5 * 1000, .key = seed}) {}

  void Step() {
    const std::uint64_t low = random_() % 40;
    switch (random_() % 16) {
      case 0:
        return Change(low, [this](RecordNumber record, Trace&) { table_.Remove(record); }, true);
      case 1:
        return Change(low, [this](RecordNumber record, Trace& trace) {
          table_.Clear(record);
          trace = {.halves = {trace.halves.front()}, .spans = {}};
        });
      case 2:
        return Change(low, [this](RecordNumber record, Trace& trace) {
          if (trace.spans.empty()) return;
          const std::size_t count = random_() % trace.spans.size() + 1;
          table_.Truncate(record, count);
          trace.spans.resize(count);
        });
      default:
        return Append(low);
    }
  }

  void Check() const {
    std::size_t spans = 0;
    for (std::uint64_t low = 0; low < 40; ++low) {
      const auto trace = traces_.find(low);
      const RecordNumber record = table_.Find(low);
      ASSERT_EQ(record != SpanTable::kNoRecord, trace != traces_.end());
      if (trace == traces_.end()) continue;
      const std::vector<Span>& held = trace->second.spans;
      spans += held.size();
      EXPECT_EQ(table_.at(record).spans, held.size());
      EXPECT_THAT(Read(table_, record, held.size()), ElementsAreArray(held));
      const std::vector<Span> half(held.begin(),
                                   held.begin() + static_cast<std::ptrdiff_t>(held.size() / 2));
      EXPECT_THAT(Read(table_, record, half.size()), ElementsAreArray(half));
      EXPECT_THAT(table_.UpperHalves(record), ElementsAreArray(trace->second.halves));
    }
    EXPECT_EQ(table_.traces(), traces_.size());
    EXPECT_EQ(table_.spans(), spans);
    EXPECT_LE(table_.bytes(), table_.budget_bytes());
  }

  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  struct Trace {
    std::vector<std::uint64_t> halves;
    std::vector<Span> spans;
  };

  template <typename Action>
  void Change(std::uint64_t low, Action action, bool is_removal = false) {
    const auto trace = traces_.find(low);
    if (trace == traces_.end()) return;
    action(table_.Find(low), trace->second);
    if (is_removal) traces_.erase(trace);
  }

  void Append(std::uint64_t low) {
    const std::uint64_t high = random_() % 5;
    const RecordNumber record = table_.FindOrAdd({high, low});
    if (record == SpanTable::kNoRecord) {
      EXPECT_FALSE(traces_.contains(low));
      ++refused_;
      return;
    }
    Trace& trace = traces_[low];
    if (trace.halves.empty()) trace.halves.push_back(high);
    const auto half = std::ranges::find(trace.halves, high);
    const auto tag = static_cast<std::uint8_t>(half - trace.halves.begin());
    if (half == trace.halves.end()) trace.halves.push_back(high);
    EXPECT_EQ(table_.TagFor(record, high), tag);
    Span span = SpanOf(random_());
    const bool has_room = table_.Append(record, span, tag);
    span.is_cut = tag;
    if (has_room) {
      trace.spans.push_back(span);
    } else {
      ++refused_;
    }
  }

  std::mt19937_64 random_;
  SpanTable table_;
  std::map<std::uint64_t, Trace> traces_;
  std::size_t refused_ = 0;
};

TEST(SpanTableProperty, HoldsWhatAMapWouldHoldInsideItsBudget) {
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TableAndModel both(seed);
    for (int step = 0; step < 1500; ++step) {
      both.Step();
      if (step % 10 == 0) both.Check();
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
    refused += both.refused();
  }
  EXPECT_GT(refused, 1000U) << "was often full";
}

}  // namespace
}  // namespace tracekeeper::continuity
