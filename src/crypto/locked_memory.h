#pragma once
// LockedMemory is memory for secret bytes: in pages of its own, which the kernel does not swap and
// leaves out of core dumps, and which are wiped before they are given back.
//
// A page is what the kernel can lock, so each secret costs one at least: hold secrets while they
// are used, not in great numbers.
//
// Threads:  a value; one thread at a time.
// Failure:  no memory is std::bad_alloc, as everywhere. Where the kernel refuses to lock
//           (RLIMIT_MEMLOCK) the memory is used unlocked, and LockRefusals() counts it: wiring
//           says so once.

#include <cstddef>
#include <cstdint>

namespace tracekeeper::crypto {

class LockedMemory {
 public:
  LockedMemory() = default;
  /// `size` bytes of zero.
  explicit LockedMemory(std::size_t size);
  ~LockedMemory();

  LockedMemory(LockedMemory&& other) noexcept;
  LockedMemory& operator=(LockedMemory&& other) noexcept;
  LockedMemory(const LockedMemory&) = delete;
  LockedMemory& operator=(const LockedMemory&) = delete;

  [[nodiscard]] char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void Release();

  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// How often in this process the kernel has refused to lock, since it started.
[[nodiscard]] std::uint64_t LockRefusals();

}  // namespace tracekeeper::crypto
