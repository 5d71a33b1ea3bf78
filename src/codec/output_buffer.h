#pragma once
// OutputBuffer is room for bytes that are about to be written by a C library: it grows without
// filling what is written next anyway, and keeps its memory for the next use.
//
// Threads:  one at a time.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace tracekeeper::codec {

class OutputBuffer {
 public:
  /// Forgets the content and makes room for at least `capacity` bytes.
  void Reset(std::size_t capacity) {
    size_ = 0;
    if (capacity > capacity_) Allocate(capacity);
  }

  /// Doubles the room, up to `most`.
  void Grow(std::size_t most) {
    const std::unique_ptr<char[]> old = std::move(bytes_);
    Allocate(std::min(most, 2 * capacity_));
    std::memcpy(bytes_.get(), old.get(), size_);
  }

  void Release() { *this = {}; }

  [[nodiscard]] char* free() const { return bytes_.get() + size_; }
  [[nodiscard]] std::size_t free_size() const { return capacity_ - size_; }
  void Commit(std::size_t size) { size_ += size; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  void Allocate(std::size_t capacity) {
    bytes_ = std::make_unique_for_overwrite<char[]>(capacity);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tracekeeper::codec
