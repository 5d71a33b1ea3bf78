#include "src/otlp/batch_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using test_support::IdOf;
using test_support::LogsRequest;
using test_support::MetricsRequest;
using test_support::SpanIdsOf;
using test_support::TracesRequest;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using Admission = BatchQueue::Admission;

constexpr MonotonicTime kStart{std::chrono::hours(1)};
constexpr Duration kAge = std::chrono::milliseconds(200);

/// One span of `trace`, which with its padding makes a request of about a kilobyte.
std::string Span(std::uint64_t trace, std::uint64_t span, std::size_t padding = 800) {
  return TracesRequest("a", {{.trace_id = IdOf(trace, 16),
                              .span_id = IdOf(span, 8),
                              .padding = std::string(padding, 'p')}});
}

class BatchQueueTest : public ::testing::Test {
 protected:
  Admission Add(Signal signal, const std::string& request, MonotonicTime now = kStart) {
    const std::size_t items = *CountItems(signal, request);
    received_[IndexOf(signal)] += items;
    const Admission admission = queue_.Add(signal, request, items, now);
    if (admission == Admission::kNoRoom) received_[IndexOf(signal)] -= items;
    return admission;
  }
  Admission AddSpan(std::uint64_t trace, std::uint64_t span, MonotonicTime now = kStart) {
    return Add(Signal::kTraces, Span(trace, span), now);
  }
  /// Takes all that is due, and what it holds as span ids.
  std::vector<std::string> TakeSpans(MonotonicTime now) {
    std::vector<std::string> ids;
    while (auto batch = queue_.Take(now)) {
      for (std::string& id : SpanIdsOf(batch->request)) ids.push_back(std::move(id));
      sent_[IndexOf(batch->signal)] += batch->items;
      queue_.Settle(batch->signal, batch->request.size(), batch->items);
    }
    return ids;
  }
  std::uint64_t Dropped(Signal signal, DropReason reason) {
    return counters_.dropped[IndexOf(signal)].Get(reason);
  }
  void ExpectNothingVanished() {
    for (const Signal signal : kSignals) {
      EXPECT_EQ(received_[IndexOf(signal)], sent_[IndexOf(signal)] + queue_.items(signal) +
                                                Dropped(signal, DropReason::kQueueFull))
          << NameOf(signal);
    }
  }

  RelayCounters counters_;
  PerSignal<std::uint64_t> received_{};
  PerSignal<std::uint64_t> sent_{};
  BatchQueue queue_{
      {.budget = 10'000, .batch = {.request = {.items = 100, .bytes = 2'000}, .age = kAge}},
      counters_};
};

TEST_F(BatchQueueTest, GathersRequestsUntilTheBatchIsOldEnough) {
  AddSpan(1, 1);
  AddSpan(2, 2, kStart + kAge / 2);
  EXPECT_EQ(queue_.NextDue(), kStart + kAge) << "the oldest item decides";
  EXPECT_FALSE(queue_.Take(kStart + kAge - std::chrono::nanoseconds(1)));
  const auto batch = queue_.Take(kStart + kAge);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->items, 2U);
  EXPECT_THAT(SpanIdsOf(batch->request), ElementsAre(IdOf(1, 8), IdOf(2, 8)));
  EXPECT_FALSE(queue_.NextDue());
}

TEST_F(BatchQueueTest, SealsABatchThatIsFull) {
  AddSpan(1, 1);
  AddSpan(2, 2);
  AddSpan(3, 3);  // does not fit with the other two
  EXPECT_EQ(queue_.sealed(), 1U);
  EXPECT_THAT(TakeSpans(kStart), ElementsAre(IdOf(1, 8), IdOf(2, 8)));
  EXPECT_THAT(TakeSpans(kStart + kAge), ElementsAre(IdOf(3, 8)));
}

TEST_F(BatchQueueTest, SealsABatchOfEnoughItems) {
  queue_.Configure({.budget = 10'000, .batch = {.request = {.items = 2, .bytes = 5'000}}});
  for (std::uint64_t i = 1; i <= 5; ++i) AddSpan(i, i);
  EXPECT_EQ(queue_.sealed(), 2U);
}

TEST_F(BatchQueueTest, KeepsSignalsApart) {
  AddSpan(1, 1);
  Add(Signal::kLogs, LogsRequest({""}));
  Add(Signal::kMetrics, MetricsRequest({2}));
  const MonotonicTime due = kStart + kAge;
  std::vector<Signal> signals;
  while (auto batch = queue_.Take(due)) signals.push_back(batch->signal);
  EXPECT_THAT(signals, UnorderedElementsAre(Signal::kTraces, Signal::kMetrics, Signal::kLogs));
}

TEST_F(BatchQueueTest, CutsARequestThatIsLargerThanABatch) {
  std::vector<test_support::TestSpan> spans;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    spans.push_back(
        {.trace_id = IdOf(i, 16), .span_id = IdOf(i, 8), .padding = std::string(800, 'p')});
  }
  Add(Signal::kTraces, TracesRequest("a", spans));
  EXPECT_GE(queue_.sealed(), 2U);
  EXPECT_THAT(TakeSpans(kStart + kAge),
              ElementsAre(IdOf(1, 8), IdOf(2, 8), IdOf(3, 8), IdOf(4, 8), IdOf(5, 8), IdOf(6, 8)));
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, CountsBytesUntilTheyAreSettled) {
  AddSpan(1, 1);
  const std::size_t size = Span(1, 1).size();
  EXPECT_EQ(queue_.bytes(), size);
  const auto batch = queue_.Take(kStart + kAge);
  ASSERT_TRUE(batch);
  EXPECT_EQ(queue_.bytes(), size) << "in flight is not gone";
  queue_.Settle(batch->signal, batch->request.size(), batch->items);
  EXPECT_EQ(queue_.bytes(), 0U);
  EXPECT_EQ(queue_.items(Signal::kTraces), 0U);
}

TEST_F(BatchQueueTest, ShedsTheOldestTracesWholeWhenFull) {
  // Each batch holds two spans; trace 1 has one in the first batch and one much later.
  AddSpan(1, 1);
  for (std::uint64_t i = 2; i <= 8; ++i) AddSpan(i, i);
  AddSpan(1, 9);
  EXPECT_EQ(Dropped(Signal::kTraces, DropReason::kQueueFull), 0U);
  for (std::uint64_t i = 10; i <= 12; ++i) EXPECT_EQ(AddSpan(i, i), Admission::kTaken);
  EXPECT_LE(queue_.bytes(), queue_.budget());
  EXPECT_GT(counters_.shed_traces, 0U);

  const auto left = TakeSpans(kStart + kAge);
  EXPECT_THAT(left, ::testing::Not(::testing::Contains(IdOf(1, 8))));
  EXPECT_THAT(left, ::testing::Not(::testing::Contains(IdOf(9, 8))))
      << "the later half of a shed trace goes too";
  EXPECT_THAT(left, ::testing::Contains(IdOf(12, 8)));
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, DropsWhatComesLaterOfAShedTrace) {
  for (std::uint64_t i = 1; i <= 12; ++i) AddSpan(i, i);
  const auto shed = Dropped(Signal::kTraces, DropReason::kQueueFull);
  ASSERT_GT(shed, 0U);
  AddSpan(1, 100);
  EXPECT_EQ(Dropped(Signal::kTraces, DropReason::kQueueFull), shed + 1);
  Add(Signal::kLogs, LogsRequest({IdOf(1, 16), ""}));
  EXPECT_EQ(Dropped(Signal::kLogs, DropReason::kQueueFull), 1U)
      << "its log records too, and no others";
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, TakesATraceAgainWhenItIsForgotten) {
  for (std::uint64_t i = 1; i <= 12; ++i) AddSpan(i, i);
  TakeSpans(kStart + kAge);
  AddSpan(1, 100, kStart + ShedMemory::kMemory);
  EXPECT_THAT(TakeSpans(kStart + ShedMemory::kMemory + kAge), ElementsAre(IdOf(100, 8)));
}

TEST_F(BatchQueueTest, RefusesWhatHasNoRoomWhereNothingMayBeShed) {
  const std::string metrics = MetricsRequest({40});
  while (Add(Signal::kMetrics, metrics) == Admission::kTaken) {
  }
  EXPECT_EQ(Dropped(Signal::kMetrics, DropReason::kQueueFull), 0U);
  EXPECT_LE(queue_.bytes(), queue_.budget());
  EXPECT_EQ(AddSpan(1, 1), Admission::kNoRoom) << "metrics are not shed for spans";
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, LeavesSpansTheirShareWhenLogsFlood) {
  for (std::uint64_t i = 1; i <= 8; ++i) AddSpan(i, i);
  const std::string logs = LogsRequest(std::vector<std::string>(20));
  while (Add(Signal::kLogs, logs) == Admission::kTaken) {
  }
  EXPECT_GT(queue_.items(Signal::kTraces), 0U);
  EXPECT_GT(queue_.items(Signal::kLogs), 0U);
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, RefusesARequestLargerThanTheBudget) {
  EXPECT_EQ(Add(Signal::kTraces, Span(1, 1, 20'000)), Admission::kNoRoom);
  EXPECT_EQ(queue_.bytes(), 0U);
}

TEST_F(BatchQueueTest, NeverShedsWhatIsInFlight) {
  AddSpan(1, 1);
  const auto flying = queue_.Take(kStart + kAge);
  ASSERT_TRUE(flying);
  for (std::uint64_t i = 2; i <= 30; ++i) AddSpan(i, i);
  EXPECT_EQ(flying->items, 1U);
  queue_.Settle(flying->signal, flying->request.size(), flying->items);
  sent_[IndexOf(Signal::kTraces)] += 1;
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, LeavesShedTracesOutOfABatchThatWaitsForItsNextAttempt) {
  AddSpan(1, 1);
  AddSpan(2, 2);
  auto flying = queue_.Take(kStart + kAge);
  ASSERT_TRUE(flying);
  EXPECT_FALSE(queue_.LeaveOutShed(*flying)) << "nothing was shed yet";
  AddSpan(1, 3);
  for (std::uint64_t i = 10; i <= 30; ++i) AddSpan(i, i);
  EXPECT_TRUE(queue_.LeaveOutShed(*flying));
  EXPECT_THAT(SpanIdsOf(flying->request), ElementsAre(IdOf(2, 8)));
  queue_.Settle(flying->signal, flying->request.size(), flying->items);
  sent_[IndexOf(Signal::kTraces)] += flying->items;
  ExpectNothingVanished();
}

TEST_F(BatchQueueTest, HalvesABatchDownToSingleRecords) {
  for (std::uint64_t i = 1; i <= 2; ++i) AddSpan(i, i);
  auto batch = queue_.Take(kStart + kAge);
  ASSERT_TRUE(batch);
  const auto halves = queue_.Halve(*batch);
  ASSERT_EQ(halves.size(), 2U);
  EXPECT_THAT(SpanIdsOf(halves[0].request), ElementsAre(IdOf(1, 8)));
  EXPECT_TRUE(queue_.Halve(halves[0]).empty());
  for (const Batch& half : halves) queue_.Settle(half.signal, half.request.size(), half.items);
  EXPECT_EQ(queue_.bytes(), 0U);
}

TEST(BatchQueueProperty, KeepsWithinItsBudgetAndAccountsForEverySpan) {
  std::mt19937 random(17);
  for (int run = 0; run < 30; ++run) {
    RelayCounters counters;
    const std::size_t budget = 20'000 + random() % 20'000;
    BatchQueue queue({.budget = budget, .batch = {.request = {.items = 10, .bytes = 3'000}}},
                     counters);
    MonotonicTime now = kStart;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::vector<Batch> flying;
    for (std::uint64_t step = 0; step < 400; ++step) {
      now += std::chrono::milliseconds(random() % 50);
      if (random() % 10 < 8) {
        const std::string request = Span(random() % 60, step, random() % 900);
        if (queue.Add(Signal::kTraces, request, 1, now) == Admission::kTaken) ++received;
      } else if (auto batch = queue.Take(now)) {
        flying.push_back(*std::move(batch));
      }
      if (!flying.empty() && random() % 2 == 0) {
        const Batch batch = std::move(flying.back());
        flying.pop_back();
        sent += batch.items;
        queue.Settle(batch.signal, batch.request.size(), batch.items);
      }
      ASSERT_LE(queue.bytes(), budget);
      ASSERT_EQ(received,
                sent + queue.items(Signal::kTraces) +
                    counters.dropped[IndexOf(Signal::kTraces)].Get(DropReason::kQueueFull));
    }
  }
}

}  // namespace
}  // namespace tracekeeper::otlp
