#include "operator/domain/replica_watch.h"

namespace tracekeeper::domain {

void ReplicaWatch::Answered(std::string_view uid) { misses_[std::string(uid)] = 0; }

void ReplicaWatch::Missed(std::string_view uid) {
  const auto found = misses_.find(uid);
  if (found != misses_.end()) ++found->second;
}

bool ReplicaWatch::IsLost(std::string_view uid, Instant now) const {
  if (replaced_ && now < *replaced_ + kPause) return false;
  const auto found = misses_.find(uid);
  return found != misses_.end() && found->second >= kMisses;
}

void ReplicaWatch::Replaced(std::string_view uid, Instant now) {
  replaced_ = now;
  const auto found = misses_.find(uid);
  if (found != misses_.end()) misses_.erase(found);
}

}  // namespace tracekeeper::domain
