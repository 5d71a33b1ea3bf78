#include "src/crypto/locked_memory.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <utility>

namespace tracekeeper::crypto {
namespace {

// What the kernel answers is one fact of the process, wherever the secret belongs.
std::atomic<std::uint64_t> lock_refusals{0};

std::size_t WholePages(std::size_t size) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

LockedMemory::LockedMemory(std::size_t size) : size_(size) {
  if (size == 0) return;
  const std::size_t length = WholePages(size);
  void* const pages =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  ::madvise(pages, length, MADV_DONTDUMP);
  if (::mlock(pages, length) != 0) lock_refusals.fetch_add(1, std::memory_order_relaxed);
  data_ = static_cast<char*>(pages);
}

LockedMemory::~LockedMemory() { Release(); }

LockedMemory::LockedMemory(LockedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

LockedMemory& LockedMemory::operator=(LockedMemory&& other) noexcept {
  if (this == &other) return *this;
  Release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void LockedMemory::Release() {
  if (data_ == nullptr) return;
  OPENSSL_cleanse(data_, size_);
  ::munmap(data_, WholePages(size_));  // unlocks too
}

std::uint64_t LockRefusals() { return lock_refusals.load(std::memory_order_relaxed); }

}  // namespace tracekeeper::crypto
