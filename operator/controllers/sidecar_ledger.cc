#include "operator/controllers/sidecar_ledger.h"

namespace tracekeeper::controllers {

void SidecarLedger::Set(const kube::ObjectKey& policy, domain::SidecarSync sync) {
  {
    const std::scoped_lock lock(mutex_);
    const auto [known, is_new] = syncs_.try_emplace(policy);
    if (!is_new && known->second == sync) return;
    known->second = std::move(sync);
  }
  if (notify_) notify_(policy);
}

void SidecarLedger::Forget(const kube::ObjectKey& policy) {
  const std::scoped_lock lock(mutex_);
  syncs_.erase(policy);
}

std::optional<domain::SidecarSync> SidecarLedger::Find(const kube::ObjectKey& policy) const {
  const std::scoped_lock lock(mutex_);
  const auto found = syncs_.find(policy);
  if (found == syncs_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tracekeeper::controllers
