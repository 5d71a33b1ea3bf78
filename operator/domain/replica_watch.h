#pragma once
// ReplicaWatch decides when another replica of the operator counts as lost: it answered before, and
// has not answered several times in a row. Kubernetes itself takes up to a minute to notice a node
// without power, and until then API servers send half of all pods to a webhook that is not there.
//
// A replica that never answered is left alone: then it is the network between replicas that does
// not carry our question, not the replica that is gone.
//
// Threads:  one; a value without clock or I/O.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"

namespace tracekeeper::domain {

class ReplicaWatch {
 public:
  /// Questions in a row without an answer.
  static constexpr std::uint32_t kMisses = 4;
  /// One replacement at a time, and time for it to show.
  static constexpr Duration kPause = std::chrono::minutes(1);

  void Answered(std::string_view uid);
  void Missed(std::string_view uid);
  /// Whether to replace it now. Say Replaced() when that was done.
  [[nodiscard]] bool IsLost(std::string_view uid, Instant now) const;
  void Replaced(std::string_view uid, Instant now);
  /// Forgets all but these.
  template <typename Contains>
  void KeepOnly(const Contains& contains) {
    std::erase_if(misses_, [&](const auto& entry) { return !contains(entry.first); });
  }

 private:
  std::map<std::string, std::uint32_t, std::less<>> misses_;  // of those that answered once
  std::optional<Instant> replaced_;
};

}  // namespace tracekeeper::domain
