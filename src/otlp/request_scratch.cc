#include "src/otlp/request_scratch.h"

namespace tracekeeper::otlp {

ScratchPool::Loan ScratchPool::Borrow() {
  {
    const std::scoped_lock guard(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<RequestScratch> scratch = std::move(free_.back());  // its memory is warm
      free_.pop_back();
      return {*this, std::move(scratch)};
    }
  }
  return {*this, std::make_unique<RequestScratch>()};
}

void ScratchPool::GiveBack(std::unique_ptr<RequestScratch> scratch) {
  scratch->Trim(kept_bytes_);
  const std::scoped_lock guard(mutex_);
  free_.push_back(std::move(scratch));
}

}  // namespace tracekeeper::otlp
