#pragma once
// GrowingArray keeps what it is given for good, at a place that never moves, so that one thread can
// append while others read what they know the number of.
//
// Threads:  Append by one thread at a time; operator[] from any that got the number in a way that
//           orders memory (a queue, a join, size()); size() from any.
// Owner:    the values live as long as this does.
// Cost:     reading is two loads. Memory grows by kChunk values; a pointer for each chunk of the
//           limit is there from the start.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace tracekeeper::continuity {

template <typename Value>
class GrowingArray {
 public:
  static constexpr std::size_t kChunk = 1024;

  /// Of at most `limit` values.
  explicit GrowingArray(std::size_t limit) : chunks_((limit + kChunk - 1) / kChunk) {}

  /// The number of `value`. There must be room for it.
  std::size_t Append(Value value) {
    const std::size_t number = size_.load(std::memory_order_relaxed);
    std::unique_ptr<Value[]>& chunk = chunks_.at(number / kChunk);
    if (!chunk) chunk = std::make_unique<Value[]>(kChunk);
    chunk[number % kChunk] = std::move(value);
    size_.store(number + 1, std::memory_order_release);
    return number;
  }

  [[nodiscard]] const Value& operator[](std::size_t number) const {
    return chunks_[number / kChunk][number % kChunk];
  }
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  std::vector<std::unique_ptr<Value[]>> chunks_;  // never resized
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace tracekeeper::continuity
