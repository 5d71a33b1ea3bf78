#include "src/continuity/names.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "src/continuity/shape.h"

namespace tracekeeper::continuity {
namespace {

TEST(Names, AreKeptOnceAndKnownByTheirNumber) {
  Names names;
  const NameId cart = names.Intern("cart");
  const NameId shop = names.Intern("shop");
  EXPECT_NE(cart, shop);
  EXPECT_EQ(names.Intern("cart"), cart);
  EXPECT_EQ(names.Text(cart), "cart");
  EXPECT_EQ(names.Intern(""), 0U);
  EXPECT_EQ(names.Text(0), "");
  EXPECT_EQ(names.Intern("other"), kOtherName);
  EXPECT_EQ(names.overflowed(), 0U);
}

TEST(Names, BeyondTheirNumberAreOther) {
  Names names({.names = 3});
  for (const char* text : {"a", "b", "c"}) EXPECT_EQ(names.Text(names.Intern(text)), text);
  EXPECT_EQ(names.Intern("d"), kOtherName);
  EXPECT_EQ(names.Intern("e"), kOtherName);
  EXPECT_EQ(names.overflowed(), 2U);
  EXPECT_EQ(names.Text(names.Intern("b")), "b") << "what was known stays known";
  EXPECT_EQ(names.Intern(""), 0U);
}

TEST(Names, BeyondTheirBytesAreOther) {
  Names names({.bytes = 10});
  const NameId eight = names.Intern("12345678");
  EXPECT_EQ(names.Intern("123"), kOtherName);
  EXPECT_EQ(names.Text(names.Intern("12")), "12") << "there is room for two bytes still";
  EXPECT_EQ(names.Intern("x"), kOtherName);
  EXPECT_EQ(names.Intern("12345678"), eight);
}

TEST(Names, AreCutWhereTheyAreTooLong) {
  Names names({.text = 8});
  const NameId cut = names.Intern("123456789");
  EXPECT_EQ(names.Text(cut), "12345678");
  EXPECT_EQ(names.Intern("12345678xyz"), cut);
  EXPECT_EQ(names.Text(names.Intern("1234567\xC3\xA9")), "1234567") << "no half of a letter stays";
  EXPECT_EQ(names.Text(names.Intern("\x80\x80\x80\x80\x80\x80\x80\x80\x80")).size(), 5U)
      << "bytes that are no text are cut too";
}

TEST(Names, AreKeptApartAcrossBlocks) {
  Names names;
  std::vector<NameId> ids;
  ids.reserve(20'000);
  for (int i = 0; i < 20'000; ++i) {
    ids.push_back(names.Intern(fmt::format("{:{}}", i, i % 300 + 1)));
  }
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_EQ(names.Text(ids[static_cast<std::size_t>(i)]), fmt::format("{:{}}", i, i % 300 + 1));
  }
}

TEST(ShapeTable, BeyondItsLimitKeepsServiceKindAndFacts) {
  ShapeTable shapes(3);  // one of them says nothing
  const Shape first{.service = 5, .name = 7, .kind = otlp::SpanKind::kServer};
  const ShapeId id = shapes.Intern(first);
  shapes.Intern({.service = 5, .name = 8, .kind = otlp::SpanKind::kServer});
  Shape more{.service = 5,
             .instance = 9,
             .policy = 4,
             .scope = 3,
             .name = 10,
             .address = 11,
             .kind = otlp::SpanKind::kClient,
             .threshold = 12};
  more.facts.error = true;
  const Shape& bare = shapes.Get(shapes.Intern(more));
  EXPECT_EQ(bare.service, kOtherName) << "a quarter of three is no room for another";
  EXPECT_EQ(shapes.overflowed(), 1U);
  EXPECT_EQ(shapes.Intern(first), id) << "what was known stays known";

  ShapeTable larger(4);
  for (NameId name = 0; name < 3; ++name) larger.Intern({.service = 5, .name = 20 + name});
  const Shape& less = larger.Get(larger.Intern(more));
  Shape want{.service = 5, .policy = 4, .name = kOtherName, .kind = more.kind, .facts = more.facts};
  EXPECT_EQ(less, want);
  more.name = 99;
  EXPECT_EQ(&larger.Get(larger.Intern(more)), &less);
  more.service = 6;
  want = {.name = kOtherName, .kind = more.kind, .facts = more.facts};
  want.service = kOtherName;
  EXPECT_EQ(larger.Get(larger.Intern(more)), want);
}

TEST(ShapeTable, DoesNotGrowWithoutEnd) {
  ShapeTable shapes(1000);
  for (NameId i = 0; i < 100'000; ++i) {
    Shape shape{.service = i % 5000, .name = i, .kind = otlp::SpanKind::kClient};
    shape.threshold = i;
    const Shape& kept = shapes.Get(shapes.Intern(shape));
    EXPECT_EQ(kept.kind, otlp::SpanKind::kClient);
    EXPECT_TRUE(kept.service == shape.service || kept.service == kOtherName);
  }
  EXPECT_LE(shapes.size(), 1251U) << "one of them is of no service that is known";
}

/// One thread appends and hands out numbers, as the reader of telemetry does; others read.
TEST(NamesAndShapes, AreReadWhileTheyGrow) {
  constexpr std::uint32_t kCount = 20'000;
  Names names;
  ShapeTable shapes;
  std::vector<ShapeId> queue(kCount);
  std::atomic<std::uint32_t> handed = 0;
  const auto read = [&] {
    for (std::uint32_t i = 0; i < kCount; ++i) {
      while (handed.load(std::memory_order_acquire) <= i) std::this_thread::yield();
      const Shape& shape = shapes.Get(queue[i]);
      ASSERT_EQ(names.Text(shape.name), fmt::format("name-{}", i));
      ASSERT_GT(names.size(), shape.name);
      ASSERT_GT(shapes.size(), queue[i]);
    }
  };
  std::array<std::jthread, 3> readers;
  for (std::jthread& reader : readers) reader = std::jthread(read);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    queue[i] = shapes.Intern({.name = names.Intern(fmt::format("name-{}", i))});
    handed.store(i + 1, std::memory_order_release);
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
