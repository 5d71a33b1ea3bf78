#include "src/otlp/shed_memory.h"

namespace tracekeeper::otlp {

bool ShedMemory::Remember(const TraceId& trace, MonotonicTime now) {
  if (!traces_.insert(trace).second) return false;
  by_age_.push_back({trace, now});
  ++generation_;
  if (by_age_.size() > kMaxTraces) ForgetOldest();
  return true;
}

void ShedMemory::Expire(MonotonicTime now) {
  while (!by_age_.empty() && now - by_age_.front().since >= kMemory) ForgetOldest();
}

void ShedMemory::ForgetOldest() {
  traces_.erase(by_age_.front().trace);
  by_age_.pop_front();
}

}  // namespace tracekeeper::otlp
