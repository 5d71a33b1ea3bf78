#pragma once
// ShedMemory remembers for a while which traces were shed, so that what comes later of such a trace
// goes too: half a trace is worse than none, because it reads as a broken one.
//
// Threads:  a value; one thread at a time.
// Limits:   kMaxTraces ids and kMemory of time, whichever ends first; the oldest is forgotten.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_set>

#include "src/base/clock.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::otlp {

class ShedMemory {
 public:
  static constexpr std::size_t kMaxTraces = 32768;  // 2.5 MiB in the worst case
  static constexpr Duration kMemory = std::chrono::seconds(60);

  /// True when it was not remembered already.
  bool Remember(const TraceId& trace, MonotonicTime now);
  [[nodiscard]] bool Contains(const TraceId& trace) const { return traces_.contains(trace); }
  /// Forgets what is older than kMemory.
  void Expire(MonotonicTime now);

  [[nodiscard]] bool empty() const { return traces_.empty(); }
  [[nodiscard]] std::size_t size() const { return traces_.size(); }
  /// Moves with every trace that is remembered anew: who looked at this generation need not again.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  struct Entry {
    TraceId trace;
    MonotonicTime since;
  };

  void ForgetOldest();

  std::unordered_set<TraceId, TraceIdHash> traces_;
  std::deque<Entry> by_age_;
  std::uint64_t generation_ = 0;
};

}  // namespace tracekeeper::otlp
