#include "src/net/body_memory.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::net {
namespace {

// The allocator is quick with less.
constexpr std::size_t kWorthKeeping = 16U << 10U;

}  // namespace

std::string BodyMemory::Take(std::size_t size) {
  if (most_ == 0 || size < kWorthKeeping) return {};
  const std::scoped_lock guard(mutex_);
  const auto found = std::find_if(kept_.rbegin(), kept_.rend(), [size](const std::string& memory) {
    return memory.capacity() >= size;
  });
  if (found == kept_.rend()) return {};
  std::string memory = std::move(*found);
  kept_.erase(std::next(found).base());
  bytes_ -= memory.capacity();
  return memory;
}

void BodyMemory::Give(std::string memory) {
  if (memory.capacity() < kWorthKeeping || memory.capacity() > most_) return;
  const std::scoped_lock guard(mutex_);
  bytes_ += memory.capacity();
  kept_.push_back(std::move(memory));
  while (bytes_ > most_) {
    bytes_ -= kept_.front().capacity();
    kept_.pop_front();
  }
}

}  // namespace tracekeeper::net
