#include "src/otlp/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using test_support::FoundSpan;
using test_support::IdOf;
using test_support::LogsRequest;
using test_support::MetricsRequest;
using test_support::SpanIdsOf;
using test_support::SpansOf;
using test_support::TestSpan;
using test_support::TracesRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<TestSpan> Spans(std::uint64_t first, std::size_t count) {
  std::vector<TestSpan> spans;
  spans.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    spans.push_back({.trace_id = IdOf(first + i, 16), .span_id = IdOf(first + i, 8)});
  }
  return spans;
}

struct CountCase {
  const char* name;
  Signal signal;
  std::string request;
  std::size_t items;
};

class Counted : public ::testing::TestWithParam<CountCase> {};

TEST_P(Counted, IsWhatIsInside) {
  const auto count = CountItems(GetParam().signal, GetParam().request);
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(*count, GetParam().items);
}

INSTANTIATE_TEST_SUITE_P(
    All, Counted,
    ::testing::Values(CountCase{"Nothing", Signal::kTraces, "", 0},
                      CountCase{"NoSpan", Signal::kTraces, TracesRequest("a", {}), 0},
                      CountCase{"Spans", Signal::kTraces, TracesRequest("a", Spans(1, 3)), 3},
                      CountCase{"TwoResources", Signal::kTraces,
                                TracesRequest("a", Spans(1, 3)) + TracesRequest("b", Spans(9, 2)),
                                5},
                      CountCase{"LogRecords", Signal::kLogs, LogsRequest({"", IdOf(1, 16)}), 2},
                      CountCase{"DataPoints", Signal::kMetrics, MetricsRequest({1, 0, 4}), 5}),
    [](const auto& test) { return test.param.name; });

struct DamageCase {
  const char* name;
  std::string request;
};

class Damaged : public ::testing::TestWithParam<DamageCase> {};

TEST_P(Damaged, IsRefusedWithASentence) {
  const auto count = CountItems(Signal::kTraces, GetParam().request);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().kind, ErrorKind::kDecode);
  EXPECT_THAT(count.error().message, HasSubstr("these bytes are no OTLP traces"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Damaged,
    ::testing::Values(DamageCase{"Text", "not protobuf at all"},
                      DamageCase{"CutOff", TracesRequest("a", Spans(1, 2)).substr(0, 60)},
                      DamageCase{"JunkBehind", TracesRequest("a", Spans(1, 1)) + "\x0a\x7f"},
                      DamageCase{"SpanOfJunk", std::string("\x0a\x06\x12\x04\x12\x02\xff\xff", 8)},
                      DamageCase{"SpanOfFieldZeroInTwoBytes",
                                 std::string("\x0a\x07\x12\x05\x12\x03\x80\x00\x01", 9)}),
    [](const auto& test) { return test.param.name; });

TEST(MergedRequests, AreOneBehindTheOther) {
  const std::string merged = TracesRequest("a", Spans(1, 2)) + TracesRequest("b", Spans(5, 1));
  EXPECT_THAT(SpanIdsOf(merged), ElementsAre(IdOf(1, 8), IdOf(2, 8), IdOf(5, 8)));
}

TEST(Items, ShowWhatDecidesAboutThem) {
  std::vector<ItemFields> seen;
  const std::string request =
      TracesRequest("a", {{.trace_id = IdOf(7, 16), .tracestate = "ot=th:8"},
                          {.trace_id = "short"},
                          {.trace_id = std::string(16, '\0')}});
  ASSERT_TRUE(
      ForEachItem(Signal::kTraces, request, [&](const ItemFields& item) { seen.push_back(item); }));
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_EQ(seen[0].trace_id->low, 7U);
  EXPECT_EQ(seen[0].tracestate, "ot=th:8");
  EXPECT_FALSE(seen[1].trace_id);
  EXPECT_FALSE(seen[2].trace_id) << "an id of zeros is none";
}

TEST(FilteredRequest, IsTheSameWhereAllIsKept) {
  const auto result = FilterRequest(Signal::kTraces, TracesRequest("a", Spans(1, 3)),
                                    [](const ItemFields&) { return ItemDecision{}; });
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->request) << "nothing to copy";
  EXPECT_EQ(result->kept, 3U);
  EXPECT_EQ(result->dropped, 0U);
}

TEST(FilteredRequest, KeepsResourceScopeAndOrderOfWhatStays) {
  const std::string request = TracesRequest("a", Spans(1, 3)) + TracesRequest("b", Spans(4, 2));
  const auto result = FilterRequest(Signal::kTraces, request, [](const ItemFields& item) {
    return ItemDecision{.keep = item.trace_id->low % 2 == 1};
  });
  ASSERT_TRUE(result && result->request);
  EXPECT_EQ(result->kept, 3U);
  EXPECT_EQ(result->dropped, 2U);
  const std::vector<FoundSpan> found = SpansOf(*result->request);
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[1].service, "a");
  EXPECT_EQ(found[2].service, "b");
  EXPECT_EQ(found[2].scope, "test");
  EXPECT_EQ(found[2].span.span_id, IdOf(5, 8));
}

TEST(FilteredRequest, IsEmptyWhereNothingStays) {
  const auto result = FilterRequest(Signal::kTraces, TracesRequest("a", Spans(1, 2)),
                                    [](const ItemFields&) { return ItemDecision{.keep = false}; });
  ASSERT_TRUE(result && result->request);
  EXPECT_THAT(*result->request, IsEmpty());
}

TEST(FilteredRequest, ChangesTracestateAndNothingElse) {
  const std::string request = TracesRequest("a", {{.tracestate = "x=1", .name = "POST /"}});
  const auto result = FilterRequest(Signal::kTraces, request, [](const ItemFields&) {
    return ItemDecision{.keep = true, .tracestate = "ot=th:8,x=1"};
  });
  ASSERT_TRUE(result && result->request);
  const std::vector<FoundSpan> found = SpansOf(*result->request);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].span.tracestate, "ot=th:8,x=1");
  EXPECT_EQ(found[0].span.name, "POST /");
  EXPECT_EQ(found[0].span.span_id, TestSpan().span_id);
}

/// A request of a few resources with spans of many sizes.
std::string RandomRequest(std::mt19937& random, std::uint64_t& next_id) {
  std::string request;
  for (unsigned resource = random() % 4 + 1; resource > 0; --resource) {
    std::vector<TestSpan> spans;
    for (unsigned span = random() % 20; span > 0; --span) {
      const std::uint64_t id = next_id++;
      spans.push_back({.trace_id = IdOf(id, 16),
                       .span_id = IdOf(id, 8),
                       .padding = std::string(random() % 300, 'p')});
    }
    request += TracesRequest("service-" + std::to_string(resource), spans);
  }
  return request;
}

TEST(SplitProperty, PiecesHoldEverySpanOnceInOrderWithinTheLimits) {
  std::mt19937 random(7);
  for (int run = 0; run < 300; ++run) {
    std::uint64_t next_id = 1;
    const std::string request = RandomRequest(random, next_id);
    const RequestLimits limits{.items = random() % 12 + 1, .bytes = random() % 2000 + 200};
    const auto pieces = SplitRequest(Signal::kTraces, request, limits);
    ASSERT_TRUE(pieces);
    std::vector<std::string> ids;
    for (const RequestPiece& piece : *pieces) {
      EXPECT_EQ(*CountItems(Signal::kTraces, piece.request), piece.items);
      EXPECT_GT(piece.items, 0U);
      EXPECT_LE(piece.items, limits.items);
      if (piece.items > 1) {
        EXPECT_LE(piece.request.size(), limits.bytes);
      }
      for (const std::string& id : SpanIdsOf(piece.request)) ids.push_back(id);
    }
    EXPECT_EQ(ids, SpanIdsOf(request));
  }
}

TEST(SplitProperty, PiecesMergedAreTheRequestAgain) {
  std::mt19937 random(11);
  for (int run = 0; run < 100; ++run) {
    std::uint64_t next_id = 1;
    const std::string request = RandomRequest(random, next_id);
    const auto pieces = SplitRequest(Signal::kTraces, request, {.items = 3, .bytes = 1U << 20U});
    ASSERT_TRUE(pieces);
    std::string merged;
    for (const RequestPiece& piece : *pieces) merged += piece.request;
    const auto want = SpansOf(request);
    const auto got = SpansOf(merged);
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].span.span_id, want[i].span.span_id);
      EXPECT_EQ(got[i].service, want[i].service);
    }
  }
}

TEST(Split, KeepsAMetricWholeHoweverManyPointsItHas) {
  const auto pieces =
      SplitRequest(Signal::kMetrics, MetricsRequest({50, 1, 1}), {.items = 10, .bytes = 1U << 20U});
  ASSERT_TRUE(pieces);
  ASSERT_THAT(*pieces, SizeIs(2));
  EXPECT_EQ((*pieces)[0].items, 50U);
  EXPECT_EQ((*pieces)[1].items, 2U);
}

}  // namespace
}  // namespace tracekeeper::otlp
