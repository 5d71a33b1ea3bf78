#pragma once
// Names are the texts of spans, each kept once and known by a number from then on: services,
// instances, scopes, span names, addresses. 0 is the empty text.
//
// Peers choose the texts, so there are limits: a long text is cut, and a new one for which there is
// no room left becomes "other". What was known before stays known.
//
// Numbers depend on the order of arrival, so nothing that must come out the same in every order may
// compare them for less or more: compare Text().
//
// Threads:  Intern by one thread at a time, while others read; Text from any thread that got the
//           number from it in a way that orders memory (a queue, a join); size and overflowed from
//           any.
// Owner:    texts live as long as this does and never move.
// Cost:     about 30 bytes a name, beside its text.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/continuity/growing_array.h"
#include "src/continuity/number_index.h"

namespace tracekeeper::continuity {

using NameId = std::uint32_t;
/// "other": stands for all names that there was no room for.
inline constexpr NameId kOtherName = 1;

struct NameLimits {
  std::size_t names = 1'000'000;
  std::size_t bytes = std::size_t{64} << 20U;  // of all texts together
  std::size_t text = 1024;  // a longer one is cut to this many bytes, or a few less
};

class Names {
 public:
  explicit Names(const NameLimits& limits = {});
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  NameId Intern(std::string_view text);
  [[nodiscard]] std::string_view Text(NameId id) const { return texts_[id]; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  /// How often Intern answered kOtherName for want of room.
  [[nodiscard]] std::uint64_t overflowed() const {
    return overflowed_.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] std::uint64_t HashOf(std::string_view text) const;
  std::string_view Keep(std::string_view text);

  const NameLimits limits_;
  const std::uint64_t key_;
  GrowingArray<std::string_view> texts_;
  NumberIndex index_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // the texts' bytes
  std::size_t free_ = 0;                         // of the last one
  std::size_t bytes_ = 0;
  std::atomic<std::uint64_t> overflowed_ = 0;
};

}  // namespace tracekeeper::continuity
