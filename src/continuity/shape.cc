#include "src/continuity/shape.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {
namespace {

constexpr std::size_t kKinds = 6;
constexpr std::size_t kFacts = 15;
/// That say nothing but kind and facts.
constexpr std::size_t kBareShapes = kKinds << kFacts;
constexpr std::size_t kMostShapes = (kMaxShapes - kBareShapes) / 5 * 4;

}  // namespace

std::string_view NameOf(Protocol protocol) {
  constexpr std::array<std::string_view, 3> kNames = {"http", "rpc", "messaging"};
  return kNames[static_cast<std::size_t>(protocol)];
}

ShapeTable::ShapeTable(std::size_t limit)
    : limit_(std::clamp<std::size_t>(limit, 1, kMostShapes)),
      key_(std::uint64_t{std::random_device()()} << 32U | std::random_device()()),
      shapes_(limit_ + limit_ / 4 + kBareShapes) {
  Intern({});
}

ShapeId ShapeTable::Intern(const Shape& shape) {
  if (const auto id = InternBelow(shape, limit_)) return *id;
  overflowed_.fetch_add(1, std::memory_order_relaxed);
  Shape less{.service = shape.service,
             .policy = shape.policy,
             .name = kOtherName,
             .kind = shape.kind,
             .facts = shape.facts};
  if (const auto id = InternBelow(less, limit_ + limit_ / 4)) return *id;
  less.service = kOtherName;
  less.policy = 0;
  return InternBelow(less, limit_ + limit_ / 4 + kBareShapes).value_or(0);
}

std::optional<ShapeId> ShapeTable::InternBelow(const Shape& shape, std::size_t limit) {
  const std::uint64_t hash = HashOf(shape);
  const auto found = index_.Find(hash, [&](ShapeId id) { return shapes_[id] == shape; });
  if (found || shapes_.size() >= limit) return found;
  const auto id = static_cast<ShapeId>(shapes_.Append(shape));
  index_.Add(hash, id);
  return id;
}

std::uint64_t ShapeTable::HashOf(const Shape& shape) const {
  std::uint64_t hash = static_cast<std::uint64_t>(shape.kind);
  const auto mix = [&](std::uint64_t value) { hash = KeyedHash(hash ^ value, key_); };
  mix(std::uint64_t{shape.service} << 32U | shape.instance);
  mix(std::uint64_t{shape.scope} << 32U | shape.name);
  mix(std::uint64_t{shape.peer} << 32U | shape.address);
  mix(std::uint64_t{shape.operation} << 32U | shape.policy);
  static_assert(sizeof(SpanFacts) == kFacts, "truths and nothing between them");
  std::array<std::uint64_t, 2> facts{};
  std::memcpy(facts.data(), &shape.facts, sizeof shape.facts);
  mix(facts[0] << 1U ^ facts[1] << 4U);
  mix(shape.threshold.value_or(~std::uint64_t{0}));
  return hash;
}

}  // namespace tracekeeper::continuity
