#include "operator/controllers/credential_ledger.h"

#include <utility>

namespace tracekeeper::controllers {

void CredentialLedger::Set(const kube::ObjectKey& policy, const std::string& credential,
                           domain::CredentialReport report) {
  {
    const std::scoped_lock lock(mutex_);
    auto& reports = reports_[policy];
    const auto found = reports.find(credential);
    if (found != reports.end() && found->second == report) return;
    reports.insert_or_assign(credential, std::move(report));
  }
  if (notify_) notify_(policy);
}

void CredentialLedger::Forget(const kube::ObjectKey& policy, const std::string& credential) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = reports_.find(policy);
    if (found == reports_.end() || found->second.erase(credential) == 0) return;
    if (found->second.empty()) reports_.erase(found);
  }
  if (notify_) notify_(policy);
}

CredentialLedger::Reports CredentialLedger::Find(const kube::ObjectKey& policy) const {
  const std::scoped_lock lock(mutex_);
  const auto found = reports_.find(policy);
  return found == reports_.end() ? Reports() : found->second;
}

}  // namespace tracekeeper::controllers
