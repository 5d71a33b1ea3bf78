#pragma once
// OutputBuffer is room for bytes that are about to be written by a C library: it grows without
// filling what is written next anyway, and keeps its memory for the next use.
//
// Threads:  one at a time.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

namespace tracekeeper::codec {

class OutputBuffer {
 public:
  /// Forgets the content and makes room for at least `capacity` bytes.
  void Reset(std::size_t capacity) {
    size_ = 0;
    if (capacity <= capacity_) return;
    Release();  // before, so that there are never two
    Resize(capacity);
  }

  /// Doubles the room, up to `most`.
  void Grow(std::size_t most) { Resize(std::min(most, 2 * capacity_)); }

  void Release() { *this = {}; }

  [[nodiscard]] char* free() const { return bytes_.get() + size_; }
  [[nodiscard]] std::size_t free_size() const { return capacity_ - size_; }
  void Commit(std::size_t size) { size_ += size; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  /// The C library moves large blocks by remapping their pages: nothing is copied, nor there twice.
  void Resize(std::size_t capacity) {
    char* const old = bytes_.release();
    void* const resized = std::realloc(old, capacity);
    bytes_.reset(resized != nullptr ? static_cast<char*>(resized) : old);
    if (resized == nullptr) throw std::bad_alloc();
    capacity_ = capacity;
  }

  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tracekeeper::codec
