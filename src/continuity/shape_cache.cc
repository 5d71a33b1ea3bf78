#include "src/continuity/shape_cache.h"

#include <random>

namespace tracekeeper::continuity {

ShapeCache::ShapeCache()
    : seed_(std::uint64_t{std::random_device()()} << 32U | std::random_device()()),
      places_(std::make_unique<Place[]>(size_)) {}

void ShapeCache::Keep(const ShapeKey& key, std::uint64_t sizes, Place& place, ShapeId shape) {
  if (++kept_ > size_ && size_ < kMostPlaces) {
    // Most of what is forgotten here comes again, and this happens a few times only.
    size_ *= 2;
    kept_ = 0;
    places_ = std::make_unique<Place[]>(size_);
    return;
  }
  place.numbers = key.numbers;
  place.sizes = sizes;
  place.shape = shape;
  char* to = place.texts.data();
  for (const std::string_view text : key.texts) {
    if (text.empty()) continue;
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  }
}

}  // namespace tracekeeper::continuity
