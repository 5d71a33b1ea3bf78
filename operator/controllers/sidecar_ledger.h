#pragma once
// SidecarLedger is where what sidecars say of their configuration meets the status of their policy:
// the sidecar controller writes it, the policy's controller reads it.
//
// Threads:  safe from any thread. OnChanged() is called before the first Set, its function on the
//           thread that sets.
// Owner:    wiring.

#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "operator/domain/sidecar_sync.h"
#include "src/kube/meta.h"

namespace tracekeeper::controllers {

class SidecarLedger {
 public:
  /// `reads`: false where sidecars are never asked.
  explicit SidecarLedger(bool reads = true) : reads_(reads) {}

  void OnChanged(std::function<void(const kube::ObjectKey& policy)> notify) {
    notify_ = std::move(notify);
  }

  void Set(const kube::ObjectKey& policy, domain::SidecarSync sync);
  void Forget(const kube::ObjectKey& policy);
  /// Unset: not asked yet.
  [[nodiscard]] std::optional<domain::SidecarSync> Find(const kube::ObjectKey& policy) const;
  [[nodiscard]] bool reads() const { return reads_; }

 private:
  const bool reads_;
  std::function<void(const kube::ObjectKey&)> notify_;
  mutable std::mutex mutex_;
  std::unordered_map<kube::ObjectKey, domain::SidecarSync> syncs_;
};

}  // namespace tracekeeper::controllers
