#include "src/continuity/names.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10U;

/// Not within a character of UTF-8.
std::string_view Cut(std::string_view text, std::size_t longest) {
  constexpr std::size_t kMostContinued = 3;
  if (text.size() <= longest) return text;
  std::size_t size = longest;
  const auto is_continued = [&] {
    return (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80;
  };
  while (size > 0 && longest - size < kMostContinued && is_continued()) --size;
  return text.substr(0, size);
}

}  // namespace

Names::Names(const NameLimits& limits)
    : limits_(limits),
      key_(std::uint64_t{std::random_device()()} << 32U | std::random_device()()),
      // The two that are there from the start do not count.
      texts_(limits.names + 2) {
  for (const std::string_view text : {"", "other"}) {
    index_.Add(HashOf(text), static_cast<NameId>(texts_.Append(text)));
  }
}

NameId Names::Intern(std::string_view text) {
  if (text.empty()) return 0;
  text = Cut(text, limits_.text);
  const std::uint64_t hash = HashOf(text);
  const auto found = index_.Find(hash, [&](NameId id) { return texts_[id] == text; });
  if (found) return *found;
  if (texts_.size() == limits_.names + 2 || text.size() > limits_.bytes - bytes_) {
    overflowed_.fetch_add(1, std::memory_order_relaxed);
    return kOtherName;
  }
  bytes_ += text.size();
  const auto id = static_cast<NameId>(texts_.Append(Keep(text)));
  index_.Add(hash, id);
  return id;
}

std::uint64_t Names::HashOf(std::string_view text) const {
  std::uint64_t hash = text.size();
  for (std::size_t at = 0; at < text.size(); at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min(sizeof word, text.size() - at));
    hash = KeyedHash(hash ^ word, key_);
  }
  return hash;
}

std::string_view Names::Keep(std::string_view text) {
  if (text.size() > free_) {
    free_ = std::max(kBlock, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(free_));
    // Its places are taken from behind.
  }
  free_ -= text.size();
  char* const place = blocks_.back().get() + free_;
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

}  // namespace tracekeeper::continuity
