#include "src/continuity/trace_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tracekeeper::continuity {
namespace {

using otlp::SpanKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Spans of one trace, added one by one.
class Trace {
 public:
  Trace& Add(std::uint64_t id, std::uint64_t parent, SpanKind kind, std::string_view service,
             Microseconds start = 10) {
    Shape shape;
    shape.service = names_.Intern(service);
    shape.kind = kind;
    Span span;
    span.id = id;
    span.parent = parent;
    span.start = start;
    span.duration = 5;
    span.shape = shapes_.Intern(shape);
    spans_.push_back(span);
    return *this;
  }
  /// How the span that was added last differs from what it would be.
  Trace& With(std::string_view instance, SpanFacts facts = {}) {
    Shape shape = shapes_.Get(static_cast<ShapeId>(spans_.back().shape));
    shape.instance = names_.Intern(instance);
    shape.facts = facts;
    spans_.back().shape = shapes_.Intern(shape);
    return *this;
  }
  Trace& Cut() {
    spans_.back().is_cut = 1;
    return *this;
  }

  const TraceTree& Build() {
    tree_.Build({1, 2}, spans_);
    return tree_;
  }
  void Shuffle(unsigned seed) {
    std::mt19937 random(seed);
    std::ranges::shuffle(spans_, random);
  }

 private:
  Names names_;
  ShapeTable shapes_;
  std::vector<Span> spans_;
  TraceTree tree_{shapes_, names_};
};

std::vector<LinkKind> LinksOf(const TraceTree& tree) {
  std::vector<LinkKind> links;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) links.push_back(tree.link(i).kind);
  return links;
}

TEST(TraceTree, TellsLinksApart) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kServer, "web")
      .Add(2, 1, SpanKind::kClient, "web")
      .Add(3, 2, SpanKind::kServer, "cart")
      .Add(4, 9, SpanKind::kInternal, "cart");
  const TraceTree& tree = trace.Build();
  EXPECT_THAT(LinksOf(tree), testing::ElementsAre(LinkKind::kRoot, LinkKind::kLocal,
                                                  LinkKind::kRemote, LinkKind::kAbsent));
  EXPECT_EQ(tree.pieces(), 2U);
}

TEST(TraceTree, LeavesRepeatsOut) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kServer, "web").Add(1, 0, SpanKind::kServer, "web");
  EXPECT_EQ(trace.Build().repeats(), 1U);
  EXPECT_THAT(trace.Build().spans(), SizeIs(1));
  EXPECT_THAT(trace.Build().collisions(), IsEmpty());
}

TEST(TraceTree, JoinsTheHalvesOfACallThatShareAnId) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kClient, "web")
      .Add(1, 0, SpanKind::kServer, "cart", 11)
      .Add(1, 0, SpanKind::kUnspecified, "proxy", 12)
      .Add(2, 1, SpanKind::kInternal, "cart", 13);
  const TraceTree& tree = trace.Build();
  EXPECT_THAT(LinksOf(tree), testing::ElementsAre(LinkKind::kRoot, LinkKind::kRemote,
                                                  LinkKind::kNone, LinkKind::kLocal));
  EXPECT_EQ(tree.link(3).parent, 1U) << "work of the callee hangs below its half";
  EXPECT_THAT(tree.collisions(), IsEmpty());
  EXPECT_EQ(tree.pieces(), 1U);
}

TEST(TraceTree, FindsCollisions) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kServer, "web").Add(1, 0, SpanKind::kServer, "web", 20);
  EXPECT_THAT(trace.Build().collisions(), testing::ElementsAre(0U));
}

TEST(TraceTree, WorkOfTheProcessSharesNoIdWithACall) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kClient, "web").Add(1, 0, SpanKind::kInternal, "cart", 11);
  EXPECT_THAT(trace.Build().collisions(), testing::ElementsAre(0U));
}

constexpr SpanFacts kParentIsLocal{.flags_known = true, .parent_known = true};
constexpr SpanFacts kParentIsRemote{
    .flags_known = true, .parent_known = true, .parent_remote = true};

/// A parent of the service "web" on "web-1", and its child.
struct LinkCase {
  const char* name;
  SpanKind parent;
  SpanKind child;
  const char* service;
  const char* instance;
  SpanFacts facts;
  LinkKind link;
};

const LinkCase kLinkCases[] = {
    {"AsTheFlagsSayRemote", SpanKind::kInternal, SpanKind::kInternal, "web", "web-1",
     kParentIsRemote, LinkKind::kRemote},
    {"AsTheFlagsSayLocal", SpanKind::kClient, SpanKind::kServer, "cart", "cart-1", kParentIsLocal,
     LinkKind::kLocal},
    {"ServedBelowACall",
     SpanKind::kClient,
     SpanKind::kServer,
     "web",
     "web-1",
     {},
     LinkKind::kRemote},
    {"ReceivedBelowAMessage",
     SpanKind::kProducer,
     SpanKind::kConsumer,
     "web",
     "web-1",
     {},
     LinkKind::kRemote},
    {"OfAnotherService",
     SpanKind::kInternal,
     SpanKind::kInternal,
     "cart",
     "web-1",
     {},
     LinkKind::kRemote},
    {"OfAnotherInstance",
     SpanKind::kInternal,
     SpanKind::kInternal,
     "web",
     "web-2",
     {},
     LinkKind::kRemote},
    {"OfAnUnknownInstance",
     SpanKind::kInternal,
     SpanKind::kInternal,
     "web",
     "",
     {},
     LinkKind::kLocal},
    {"ServedBelowAServer",
     SpanKind::kServer,
     SpanKind::kServer,
     "web",
     "web-1",
     {},
     LinkKind::kLocal},
};

class LinkTest : public ::testing::TestWithParam<LinkCase> {};

TEST_P(LinkTest, IsRemoteByTheFirstRuleThatApplies) {
  Trace trace;
  trace.Add(1, 0, GetParam().parent, "web").With("web-1");
  trace.Add(2, 1, GetParam().child, GetParam().service, 11)
      .With(GetParam().instance, GetParam().facts);
  EXPECT_EQ(trace.Build().link(1).kind, GetParam().link);
}

INSTANTIATE_TEST_SUITE_P(All, LinkTest, ::testing::ValuesIn(kLinkCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(TraceTree, TheChildrenOfOneAbsentParentAreOnePiece) {
  Trace trace;
  trace.Add(1, 9, SpanKind::kInternal, "web")
      .Add(2, 9, SpanKind::kInternal, "web")
      .Add(3, 8, SpanKind::kInternal, "web");
  EXPECT_EQ(trace.Build().pieces(), 2U);
}

TEST(TraceTree, ASpanUnderTheShortFormRepeatsNoneUnderTheLong) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kServer, "web").Add(1, 0, SpanKind::kServer, "web").Cut();
  EXPECT_EQ(trace.Build().repeats(), 0U);
}

TEST(TraceTree, ACutSpanBelowACutOneIsLinkedLikeAnyOther) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kServer, "web").Cut().Add(2, 1, SpanKind::kInternal, "web").Cut();
  EXPECT_EQ(trace.Build().link(1).kind, LinkKind::kLocal);
}

TEST(TraceTree, TakesASpanThatIsItsOwnParentForARoot) {
  Trace trace;
  trace.Add(1, 1, SpanKind::kInternal, "web");
  EXPECT_EQ(trace.Build().link(0).kind, LinkKind::kRoot);
}

TEST(TraceTree, BearsACircleOfParents) {
  Trace trace;
  trace.Add(1, 2, SpanKind::kInternal, "web").Add(2, 1, SpanKind::kInternal, "web");
  EXPECT_EQ(trace.Build().pieces(), 1U);
}

TEST(TraceTree, KnowsACutSpanBelowOneOfTheLongerTrace) {
  Trace trace;
  trace.Add(1, 0, SpanKind::kClient, "web").Add(2, 1, SpanKind::kServer, "cart").Cut();
  const TraceTree& tree = trace.Build();
  EXPECT_EQ(tree.link(1).kind, LinkKind::kTruncated);
  EXPECT_EQ(tree.IdAsSent(1), (otlp::TraceId{0, 2}));
  EXPECT_EQ(tree.pieces(), 2U);
}

TEST(TraceTreeProperty, DoesNotDependOnTheOrderOfSpans) {
  Trace trace;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    const auto kind = static_cast<SpanKind>(i % 6);
    trace.Add(i % 12 + 1, i * 7 % 15, kind, i % 3 == 0 ? "web" : "cart", 10 + i % 4);
  }
  const std::vector<LinkKind> expected = LinksOf(trace.Build());
  const std::vector<Span> spans(trace.Build().spans().begin(), trace.Build().spans().end());
  for (unsigned seed = 0; seed < 20; ++seed) {
    trace.Shuffle(seed);
    EXPECT_EQ(LinksOf(trace.Build()), expected);
    EXPECT_TRUE(std::ranges::equal(trace.Build().spans(), spans));
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
