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
  /// Once one API server uses the webhook configuration, the others are given this long.
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

  /// `coverage` is in force. The policies that were waiting for it, or lost a namespace by it.
  std::vector<kube::ObjectKey> SetApplied(const domain::WebhookCoverage& coverage, Instant now);
  /// The API server cannot call the webhook, in a sentence: no namespace is covered until
  /// SetApplied. The policies that this concerns; none when it was known.
  std::vector<kube::ObjectKey> SetTrouble(std::string sentence);
  [[nodiscard]] std::string trouble() const;
  /// False on a new leader until it has looked: then what a status says of coverage still stands.
  [[nodiscard]] bool is_known() const;
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
  std::string trouble_;
  bool is_known_ = false;
  std::function<void()> on_prepared_;
};

}  // namespace tracekeeper::controllers
