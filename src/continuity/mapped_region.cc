#include "src/continuity/mapped_region.h"

#include <sys/mman.h>

#include <new>

namespace tracekeeper::continuity {

MappedRegion::MappedRegion(std::size_t bytes) : bytes_(bytes) {
  void* const region = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) throw std::bad_alloc();
  madvise(region, bytes, MADV_HUGEPAGE);  // random access: a third of the speed without
  begin_ = static_cast<std::byte*>(region);
}

MappedRegion::~MappedRegion() { munmap(begin_, bytes_); }

}  // namespace tracekeeper::continuity
