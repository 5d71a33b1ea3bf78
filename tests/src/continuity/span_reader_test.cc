#include "src/continuity/span_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace tracekeeper::continuity {
namespace {

using otlp::SpanFields;
using otlp::SpanKind;
using otlp::SpanStatus;

/// A reader that has seen much, and one that has seen nothing and so looks everything up.
class SpanReaderTest : public testing::Test {
 protected:
  void UseResource(const otlp::ResourceFields& resource, std::string_view scope) {
    resource_ = resource;
    scope_ = scope;
    reader_.OnResource(resource_);
    reader_.OnScope(scope_);
  }

  /// What both say; they say the same.
  ReadSpan Read(const SpanFields& fields) {
    SpanReader fresh(names_, shapes_);
    fresh.OnResource(resource_);
    fresh.OnScope(scope_);
    const ReadSpan want = fresh.Read(fields);
    const ReadSpan read = reader_.Read(fields);
    EXPECT_EQ(read.span, want.span) << fields.name;
    EXPECT_EQ(read.trace, want.trace);
    EXPECT_EQ(read.is_valid, want.is_valid);
    EXPECT_EQ(read.randomness, want.randomness);
    return read;
  }
  const Shape& ShapeOf(const SpanFields& fields) {
    return shapes_.Get(static_cast<ShapeId>(Read(fields).span.shape));
  }
  std::string_view Text(NameId id) { return names_.Text(id); }

  Names names_;
  ShapeTable shapes_;
  SpanReader reader_{names_, shapes_};
  otlp::ResourceFields resource_;
  std::string_view scope_;
};

constexpr std::string_view kTrace = "0123456789abcdef";
const std::array<otlp::LinkFields, 1> kLinks = {{{kTrace, "87654321"}}};
const std::array<otlp::LinkFields, 1> kWrongLinks = {{{"short", "87654321"}}};

SpanFields Usual() {
  SpanFields fields{.trace_id = kTrace,
                    .span_id = "12345678",
                    .parent_span_id = "abcdefgh",
                    .name = "GET /cart/{id}",
                    .flags = 0x301,
                    .kind = SpanKind::kServer,
                    .start_nanoseconds = 1'000'000,
                    .end_nanoseconds = 2'000'000};
  fields.peer.address = "cart.shop.svc";
  fields.peer.http_method = "GET";
  fields.user_agent = "python-requests/2.34.2";
  return fields;
}

using Change = std::function<void(SpanFields&)>;

/// Each changes one field, and with it what the span's shape is.
const std::vector<Change>& Changes() {
  static const std::vector<Change> changes = {
      [](SpanFields& s) { s.name = "GET /cart/{ie}"; },
      [](SpanFields& s) { s.name = "GET /carT/{id}"; },
      [](SpanFields& s) { s.name = "GET /cart/{id}/"; },
      [](SpanFields& s) { s.name = {}; },
      [](SpanFields& s) { s.peer.service = "cart"; },
      [](SpanFields& s) { s.peer.address = "cart.shop.svd"; },
      [](SpanFields& s) { s.peer.address = {}; },
      [](SpanFields& s) { s.peer.http_method = "PUT"; },
      [](SpanFields& s) { s.peer.http_method = "GE"; },
      [](SpanFields& s) { s.peer.rpc_service = "GET"; },
      [](SpanFields& s) { s.peer.rpc_method = "GET"; },
      [](SpanFields& s) { s.peer.is_rpc = true; },
      [](SpanFields& s) { s.peer.is_database = true; },
      [](SpanFields& s) { s.peer.is_messaging = true; },
      [](SpanFields& s) { s.kind = SpanKind::kClient; },
      [](SpanFields& s) { s.kind = SpanKind::kConsumer; },
      [](SpanFields& s) { s.flags = 0; },
      [](SpanFields& s) { s.flags = 0x101; },
      [](SpanFields& s) { s.flags = 0x300; },
      [](SpanFields& s) { s.flags = 0x303; },
      [](SpanFields& s) { s.status = SpanStatus::kError; },
      [](SpanFields& s) { s.user_agent = "kube-probe/1.30"; },
      [](SpanFields& s) { s.links = kLinks; },
      [](SpanFields& s) { s.tracestate = "ot=th:8"; },
      [](SpanFields& s) { s.tracestate = "ot=th:c"; },
      [](SpanFields& s) { s.tracestate = "ot=th:0"; },
      [](SpanFields& s) { s.tracestate = "ot=rv:6e6d1a75832a2f"; },
      [](SpanFields& s) { s.parent_span_id = {}; },
  };
  return changes;
}

TEST_F(SpanReaderTest, TellsSpansApartThatDifferInOneField) {
  UseResource({.service = "shop", .instance = "a"}, "http");
  std::vector<std::uint64_t> shapes = {Read(Usual()).span.shape};
  for (const Change& change : Changes()) {
    SpanFields fields = Usual();
    change(fields);
    shapes.push_back(Read(fields).span.shape);
    EXPECT_EQ(Read(fields).span.shape, shapes.back());
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(shapes[i], shapes[j]) << i << " and " << j;
  }
}

TEST_F(SpanReaderTest, TellsResourcesAndScopesApart) {
  const std::array<otlp::ResourceFields, 6> resources = {{{.service = "shop"},
                                                          {.service = "cart"},
                                                          {.service = "shop", .instance = "a"},
                                                          {.service = "shop", .instance = "b"},
                                                          {.service = "shop", .policy = "p/q"},
                                                          {.service = "shop", .is_job = true}}};
  std::vector<std::uint64_t> shapes;
  for (const std::string_view scope : {"http", "grpc"}) {
    for (const otlp::ResourceFields& resource : resources) {
      UseResource(resource, scope);
      shapes.push_back(Read(Usual()).span.shape);
    }
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(shapes[i], shapes[j]) << i << " and " << j;
  }
}

TEST_F(SpanReaderTest, IsNotTakenInByWordsThatStandInAnotherPlace) {
  UseResource({.service = "shop"}, "http");
  SpanFields fields = Usual();
  fields.peer = {.service = "ab", .address = "cdef"};
  const auto one = Read(fields).span.shape;
  fields.peer = {.service = "abcd", .address = "ef"};
  EXPECT_NE(Read(fields).span.shape, one);
  fields.peer = {.rpc_service = "x/y"};
  const Shape service = ShapeOf(fields);
  fields.peer = {.rpc_service = "x", .rpc_method = "y"};
  EXPECT_EQ(Text(service.operation), "x/y/");
  EXPECT_EQ(Text(ShapeOf(fields).operation), "x/y");
}

TEST_F(SpanReaderTest, ASpanWhoseResourceNamesNoPolicyHasThatOfItsPod) {
  auto pods = std::make_shared<PodPolicies>();
  pods->Add({.uid = "u1", .namespace_name = "shop", .name = "cart-0"}, "shop/checkout");
  pods->Add({.uid = "u2", .namespace_name = "shop", .name = "cart-1"}, "shop/all");
  const auto policy_of = [&](const otlp::ResourceFields& resource) {
    UseResource(resource, "http");
    return Text(shapes_.Get(static_cast<ShapeId>(reader_.Read(Usual()).span.shape)).policy);
  };
  EXPECT_EQ(policy_of({.service = "cart", .pod_uid = "u1"}), "") << "no pod is known yet";
  reader_.UsePods(pods);
  EXPECT_EQ(policy_of({.service = "cart", .pod_uid = "u1"}), "shop/checkout");
  EXPECT_EQ(policy_of({.service = "cart", .pod_name = "cart-1", .pod_namespace = "shop"}),
            "shop/all");
  EXPECT_EQ(policy_of({.service = "cart", .pod_uid = "u1", .policy = "a/b"}), "a/b");
  EXPECT_EQ(
      policy_of(
          {.service = "cart", .pod_uid = "u3", .pod_name = "cart-1", .pod_namespace = "shop"}),
      "")
      << "a uid says it better than a name, which others had before";
  EXPECT_EQ(policy_of({.service = "cart", .pod_name = "cart-1"}), "");
  EXPECT_EQ(policy_of({.service = "cart", .pod_name = "cart-1", .pod_namespace = "other"}), "");
}

TEST_F(SpanReaderTest, ReadsWhatASpanIs) {
  UseResource({.service = "shop", .pod_uid = "u1", .policy = "ns/p", .is_job = true}, "http");
  SpanFields fields = Usual();
  fields.tracestate = "ot=th:8;rv:6e6d1a75832a2f";
  fields.status = SpanStatus::kError;
  fields.exception_message = "context CANCELLED by caller";
  fields.links = kWrongLinks;
  const Shape& shape = ShapeOf(fields);
  EXPECT_EQ(Text(shape.instance), "shop/u1");
  EXPECT_EQ(Text(shape.policy), "ns/p");
  EXPECT_EQ(Text(shape.scope), "http");
  EXPECT_EQ(Text(shape.name), "GET /cart/{id}");
  EXPECT_EQ(Text(shape.operation), "GET");
  EXPECT_EQ(shape.threshold, std::uint64_t{8} << 52U);
  EXPECT_TRUE(shape.facts.job && shape.facts.error && shape.facts.cancelled);
  EXPECT_TRUE(shape.facts.has_ot && shape.facts.parent_known && shape.facts.parent_remote);
  EXPECT_FALSE(shape.facts.has_link) << "its trace id is none";
  EXPECT_EQ(Read(fields).randomness, 0x6e6d1a75832a2fU);
  EXPECT_EQ(Read(fields).trace.high, 0x3031323334353637U);
  EXPECT_EQ(Read(fields).span.id, 0x3132333435363738U);
}

TEST_F(SpanReaderTest, KnowsPollsAndProbes) {
  UseResource({.service = "shop"}, "kafka");
  const auto facts_of = [&](SpanKind kind, std::string_view name, std::string_view operation,
                            std::string_view user_agent) {
    SpanFields fields = Usual();
    fields.kind = kind;
    fields.name = name;
    fields.peer.messaging_operation = operation;
    fields.user_agent = user_agent;
    return ShapeOf(fields).facts;
  };
  EXPECT_TRUE(facts_of(SpanKind::kConsumer, "orders poll", "", "").poll);
  EXPECT_TRUE(facts_of(SpanKind::kConsumer, "orders", "receive", "").poll);
  EXPECT_FALSE(facts_of(SpanKind::kConsumer, "orders poll", "process", "").poll);
  EXPECT_FALSE(facts_of(SpanKind::kServer, "orders poll", "", "").poll);
  for (const std::string_view probe :
       {"kube-probe/1.30", "health", "GoogleHC/1.0 (HEALTH check)", "a long text with Health",
        "1234567 health", "12345678health"}) {
    EXPECT_TRUE(facts_of(SpanKind::kServer, "x", "", probe).probe) << probe;
  }
  for (const std::string_view agent : {"", "heal", "healt", "kube-prob", "xkube-probe/1.30",
                                       "the heat of the others", "Mozilla/5.0 (he, al, th)"}) {
    EXPECT_FALSE(facts_of(SpanKind::kServer, "x", "", agent).probe) << agent;
  }
}

TEST_F(SpanReaderTest, GivesInvalidSpansANumberOfTheirOwn) {
  UseResource({.service = "shop"}, "http");
  const std::string zeros(16, '\0');
  const auto is_valid = [&](std::string_view trace, std::string_view id, std::string_view parent) {
    SpanFields fields = Usual();
    fields.trace_id = trace;
    fields.span_id = id;
    fields.parent_span_id = parent;
    const ReadSpan read = Read(fields);
    if (!read.is_valid) {
      EXPECT_EQ(read.trace.high, 0U);
      EXPECT_NE(read.trace.low, 0U);
    }
    return read.is_valid;
  };
  EXPECT_TRUE(is_valid(kTrace, "12345678", ""));
  EXPECT_FALSE(is_valid(zeros, "12345678", ""));
  EXPECT_FALSE(is_valid("", "12345678", ""));
  EXPECT_FALSE(is_valid(kTrace, "1234567", ""));
  EXPECT_FALSE(is_valid(kTrace, std::string_view(zeros).substr(8), ""));
  EXPECT_FALSE(is_valid(kTrace, "12345678", "1234"));
}

TEST_F(SpanReaderTest, DoesNotKnowInstancesThereIsNoRoomFor) {
  Names few({.names = 2});
  SpanReader reader(few, shapes_);
  reader.OnResource({.service = "shop", .instance = "a"});
  const Shape known = shapes_.Get(static_cast<ShapeId>(reader.Read(Usual()).span.shape));
  EXPECT_EQ(few.Text(known.instance), "shop/a");
  EXPECT_EQ(known.name, kOtherName);
  reader.OnResource({.service = "shop", .instance = "b"});
  EXPECT_EQ(shapes_.Get(static_cast<ShapeId>(reader.Read(Usual()).span.shape)).instance, 0U);
}

/// Shapes by chance, more of them than the cache has places, and texts that do not fit in it.
TEST_F(SpanReaderTest, SaysTheSameOfAnySpanAsWithoutItsCache) {
  std::mt19937 random(3);
  std::vector<std::string> names;
  names.reserve(6000);
  for (int i = 0; i < 6000; ++i) {
    names.push_back(fmt::format("GET /{}/{}", i, std::string(i % 500 == 0 ? 250 : i % 40, 'x')));
  }
  const std::vector<std::string> services = {"shop", "cart", "pay"};
  for (int round = 0; round < 30'000; ++round) {
    if (round % 50 == 0) UseResource({.service = services[random() % services.size()]}, "http");
    SpanFields fields = Usual();
    const std::size_t among = random() % 4 == 0 ? names.size() : 40;
    fields.name = names[random() % among];
    for (std::size_t left = random() % 4; left > 0; --left) {
      const Change& change = Changes()[random() % Changes().size()];
      const std::string_view name = fields.name;
      change(fields);
      fields.name = random() % 8 == 0 ? fields.name : name;
    }
    Read(fields);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
