#include "src/continuity/structure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

namespace tracekeeper::continuity {
namespace {

using enum otlp::SpanKind;

constexpr otlp::TraceId kTrace{7, 100};

struct Case {
  const char* name;
  std::vector<SpanRow> rows;
  /// Says what is not zero, beside rows, spans and traces.
  std::function<void(Structure&)> want;
};

SpanRow Span(std::uint64_t id, std::uint64_t parent, otlp::SpanKind kind = kInternal,
             std::uint32_t service = 1) {
  return {.trace = kTrace,
          .id = id,
          .parent = parent,
          .start = 10,
          .end = 20,
          .service = service,
          .kind = kind};
}

SpanRow At(SpanRow span, std::uint64_t start, std::uint64_t end) {
  span.start = start;
  span.end = end;
  return span;
}

/// One root and nothing else to say.
void OneWhole(Structure& want, otlp::SpanKind root) {
  want.roots = want.fragments = want.complete = 1;
  want.root_kinds[static_cast<std::size_t>(root)] = 1;
}

std::vector<Case> WholeTraces() {
  return {
      {"OneSpan",
       {Span(1, 0, kServer)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.single_span = 1;
       }},
      {"ARepeatedRow",
       {Span(1, 0, kServer), Span(1, 0, kServer)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.single_span = want.repeats = want.spans = 1;
       }},
      {"ACallBetweenServices",
       {Span(1, 0, kServer), Span(2, 1, kClient), Span(3, 2, kServer, 2)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.edges_cross_service = want.out_spans = 1;
       }},
      {"ACallThatNobodyAnswered",
       {Span(1, 0, kServer), Span(2, 1, kProducer)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.out_spans = want.out_leaf = 1;
       }},
  };
}

std::vector<Case> BrokenTraces() {
  return {
      {"TwoOrphansOfOneAbsentParent",
       {Span(1, 0, kServer), Span(2, 9, kServer), Span(3, 9, kClient), Span(4, 3)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.complete = 0;
         want.orphans = want.fragments = 2;
         want.missing_parents = want.out_spans = 1;
         want.orphan_kinds[static_cast<std::size_t>(kServer)] = 1;
         want.orphan_kinds[static_cast<std::size_t>(kClient)] = 1;
       }},
      {"AnAbsentRootOfAJaegerClient",
       {Span(1, 100)},
       [](Structure& want) {
         want.single_span = want.rootless = want.orphans = want.fragments = 1;
         want.missing_parents = want.missing_root_ids = 1;
         want.orphan_kinds[static_cast<std::size_t>(kInternal)] = 1;
       }},
      {"TwoRoots",
       {Span(1, 0), Span(2, 0)},
       [](Structure& want) {
         want.roots = want.fragments = 2;
         want.multiroot = 1;
         want.root_kinds[static_cast<std::size_t>(kInternal)] = 2;
       }},
      {"AnIdSharedByBothSidesOfACall",
       {Span(1, 0, kServer), Span(2, 1, kClient), Span(2, 1, kServer, 2), Span(3, 2, kInternal, 2)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.id_shared_rpc = want.out_spans = 1;
         want.edges_cross_service = 1;  // the SERVER half below the caller's span
       }},
      {"AnIdOfTwoSpans",
       {Span(1, 0, kServer), Span(2, 1), At(Span(2, 1), 11, 12)},
       [](Structure& want) {
         OneWhole(want, kServer);
         want.id_collision = 1;
       }},
      {"ChildrenOutOfTime",
       {At(Span(1, 0), 10, 20), At(Span(2, 1), 5, 15), At(Span(3, 1), 21, 22),
        At(Span(4, 1), 15, 21)},
       [](Structure& want) {
         OneWhole(want, kInternal);
         want.t_before = want.t_after = 1;
         want.t_over = 2;
       }},
  };
}

class StructureOf : public testing::TestWithParam<Case> {};

TEST_P(StructureOf, IsCounted) {
  std::vector<SpanRow> rows = GetParam().rows;
  Structure want{.rows = rows.size(), .spans = rows.size(), .traces = 1};
  GetParam().want(want);
  EXPECT_EQ(CountStructure(rows), want);
}

constexpr auto kNameOfCase = [](const auto& row) { return std::string(row.param.name); };
INSTANTIATE_TEST_SUITE_P(Whole, StructureOf, testing::ValuesIn(WholeTraces()), kNameOfCase);
INSTANTIATE_TEST_SUITE_P(Broken, StructureOf, testing::ValuesIn(BrokenTraces()), kNameOfCase);

TEST(Structure, OfNothingIsNothing) { EXPECT_EQ(CountStructure({}), Structure()); }

TEST(Structure, CountsIdsOf64BitsByTrace) {
  SpanRow row = Span(1, 0);
  row.trace.high = 0;
  std::vector<SpanRow> rows = {row, Span(1, 0)};
  const Structure counts = CountStructure(rows);
  EXPECT_EQ(counts.traces, 2U);
  EXPECT_EQ(counts.ids_64bit, 1U);
}

TEST(StructureProperty, DoesNotDependOnTheOrderOfRowsNorOnRedelivery) {
  std::mt19937_64 random(5);
  std::vector<SpanRow> rows;
  for (int i = 0; i < 3000; ++i) {
    SpanRow row = Span(random() % 40 + 1, random() % 50, static_cast<otlp::SpanKind>(random() % 6),
                       static_cast<std::uint32_t>(random() % 4));
    row.trace = {random() % 2, random() % 60};
    rows.push_back(At(row, random() % 30, random() % 30));
  }
  std::vector<SpanRow> copy = rows;
  Structure want = CountStructure(copy);
  for (std::ptrdiff_t round = 0; round < 20; ++round) {
    copy = rows;
    copy.insert(copy.end(), rows.begin(), rows.begin() + 100 * round);
    std::ranges::shuffle(copy, random);
    Structure got = CountStructure(copy);
    EXPECT_EQ(got.rows, copy.size());
    EXPECT_EQ(got.rows, got.spans + got.repeats);
    got.rows = want.rows;
    got.repeats = want.repeats;
    ASSERT_EQ(got, want) << "round " << round;
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
