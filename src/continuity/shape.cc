#include "src/continuity/shape.h"

#include <array>
#include <bit>

namespace tracekeeper::continuity {

std::string_view NameOf(Protocol protocol) {
  constexpr std::array<std::string_view, 3> kNames = {"http", "rpc", "messaging"};
  return kNames[static_cast<std::size_t>(protocol)];
}

ShapeId ShapeTable::Intern(const Shape& shape) {
  const auto found = ids_.find(shape);
  if (found != ids_.end()) return found->second;
  if (shapes_.size() == kMaxShapes) return 0;
  const auto id = static_cast<ShapeId>(shapes_.size());
  shapes_.push_back(shape);
  ids_.emplace(shape, id);
  return id;
}

std::size_t ShapeTable::Hash::operator()(const Shape& shape) const {
  std::uint64_t hash = static_cast<std::uint64_t>(shape.kind);
  const auto mix = [&hash](std::uint64_t value) {
    hash = (std::rotl(hash, 23) ^ value) * 0x9E3779B97F4A7C15U;
  };
  mix(std::uint64_t{shape.service} << 32U | shape.instance);
  mix(std::uint64_t{shape.scope} << 32U | shape.name);
  mix(std::uint64_t{shape.peer} << 32U | shape.address);
  mix(std::uint64_t{shape.operation} << 32U | shape.policy);
  mix(std::uint64_t{shape.facts.error} << 1U | std::uint64_t{shape.facts.sampled});
  mix(shape.threshold.value_or(0));
  return hash ^ hash >> 29U;
}

}  // namespace tracekeeper::continuity
