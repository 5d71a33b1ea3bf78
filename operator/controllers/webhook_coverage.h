#pragma once
// WebhookCoverageLedger is what the policy controller and the webhook configuration's controller
// tell each other: in which namespaces a policy's ConfigMap is written (so pods may be injected
// there), and which namespaces the API server sends us pods of. Order: docs/adr/0004.
//
// Threads:  all methods are safe from any thread; callbacks run outside the lock.
// Owner:    wiring; both controllers hold a reference.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/plan_webhook.h"
#include "src/base/clock.h"
#include "src/kube/meta.h"

namespace tracekeeper::controllers {

class WebhookCoverageLedger {
 public:
  /// An update of the webhook configuration is in force on one API server this long after its
  /// answer; seen up to 9 ms.
  static constexpr Duration kPropagation = std::chrono::milliseconds(10);

  /// Called when a namespace joined or left what is prepared.
  void OnPrepared(std::function<void()> notify) { on_prepared_ = std::move(notify); }

  /// The policy's ConfigMap is in place in exactly these namespaces.
  void SetPrepared(const kube::ObjectKey& policy, std::vector<std::string> namespaces);
  void Forget(const kube::ObjectKey& policy);
  /// What the configuration in the cluster covers already: a new leader must not take it away
  /// before it has looked at every policy.
  void KeepCovered(const std::vector<std::string>& namespaces);
  /// `coverage` without the namespaces that are not prepared by any policy.
  [[nodiscard]] domain::WebhookCoverage Prepared(domain::WebhookCoverage coverage) const;

  /// `coverage` was applied. The policies that were waiting for it, or lost a namespace by it.
  std::vector<kube::ObjectKey> SetApplied(const domain::WebhookCoverage& coverage, Instant now);
  /// Those of `namespaces` whose pods the API server does not send us yet.
  [[nodiscard]] std::vector<std::string> Uncovered(const std::vector<std::string>& namespaces,
                                                   Instant now) const;
  /// When the last of `namespaces` that are applied but not yet in force will be; absent when there
  /// is none to wait for.
  [[nodiscard]] std::optional<Duration> SettlesIn(const std::vector<std::string>& namespaces,
                                                  Instant now) const;

 private:
  mutable std::mutex mutex_;
  std::map<kube::ObjectKey, std::set<std::string>> prepared_;
  std::set<std::string> kept_;
  std::map<std::string, Instant, std::less<>> covered_since_;
  std::function<void()> on_prepared_;
};

}  // namespace tracekeeper::controllers
