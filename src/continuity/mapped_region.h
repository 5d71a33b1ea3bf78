#pragma once
// MappedRegion is memory of its own for what is large and read in no order: zeroed pages, huge ones
// where the kernel has them, that take memory when they are first written.
//
// Threads:  as its user says.
// Owner:    gives the pages back at its end.
// Failure:  std::bad_alloc where there is no room in the address space.

#include <cstddef>

namespace tracekeeper::continuity {

class MappedRegion {
 public:
  explicit MappedRegion(std::size_t bytes);
  ~MappedRegion();
  MappedRegion(const MappedRegion&) = delete;
  MappedRegion& operator=(const MappedRegion&) = delete;

  [[nodiscard]] std::byte* begin() const { return begin_; }
  [[nodiscard]] std::byte* end() const { return begin_ + bytes_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* begin_;
  std::size_t bytes_;
};

/// Asks for the cache lines of so many bytes, which will be written.
inline void PrefetchForWrite(const void* begin, std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  const char* const first = static_cast<const char*>(begin);
  for (std::size_t at = 0; at < bytes; at += kCacheLine) __builtin_prefetch(first + at, 1);
  __builtin_prefetch(first + bytes - 1, 1);
}

}  // namespace tracekeeper::continuity
