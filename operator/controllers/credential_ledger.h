#pragma once
// CredentialLedger is where what is known of credentials meets the status of their policy: the
// rotation controller writes it, the policy's controller reads it.
//
// Threads:  safe from any thread. OnChanged() is called before the first Set, its function on the
//           thread that sets.
// Owner:    wiring.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "operator/domain/rotation_report.h"
#include "src/kube/meta.h"

namespace tracekeeper::controllers {

class CredentialLedger {
 public:
  /// By the credential's name.
  using Reports = std::map<std::string, domain::CredentialReport>;

  void OnChanged(std::function<void(const kube::ObjectKey& policy)> notify) {
    notify_ = std::move(notify);
  }

  void Set(const kube::ObjectKey& policy, const std::string& credential,
           domain::CredentialReport report);
  void Forget(const kube::ObjectKey& policy, const std::string& credential);
  [[nodiscard]] Reports Find(const kube::ObjectKey& policy) const;

 private:
  std::function<void(const kube::ObjectKey&)> notify_;
  mutable std::mutex mutex_;
  std::unordered_map<kube::ObjectKey, Reports> reports_;
};

}  // namespace tracekeeper::controllers
