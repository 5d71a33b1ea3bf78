#pragma once
// Control is the operator's control loops with what they share: caches, the compiled policies, the
// two ledgers, and which change makes which loop look again.
//
// Threads:  made by wiring; afterwards each loop runs on its own workers.
// Owner:    Wiring. Members are in order of use: each uses only those above it.

#include <memory>
#include <string_view>

#include "operator/app/caches.h"
#include "operator/app/options.h"
#include "operator/app/sidecar_reader.h"
#include "operator/controllers/certificate_controller.h"
#include "operator/controllers/credential_ledger.h"
#include "operator/controllers/pod_injector.h"
#include "operator/controllers/policy_pods.h"
#include "operator/controllers/renewal_controller.h"
#include "operator/controllers/rights_check.h"
#include "operator/controllers/sidecar_controller.h"
#include "operator/controllers/sidecar_ledger.h"
#include "operator/controllers/tracing_policy_controller.h"
#include "operator/controllers/webhook_controller.h"
#include "src/kube/events.h"
#include "src/runtime/controller.h"
#include "src/runtime/health.h"
#include "src/runtime/manager.h"

namespace tracekeeper::app {

/// What every part of the program is given.
struct Surroundings {
  const Clock& clock;
  Metrics& metrics;
  const Logger& log;
};

struct ControlClients {
  kube::Client& everyday;
  kube::Client& secrets;  // calls whose bodies hold private keys
};

class Control {
 public:
  Control(const Options& options, const std::string& server_version,
          const controllers::WebhookNames& names, ControlClients clients,
          const Surroundings& surroundings);

  void AddTo(runtime::Manager& manager);
  void AddTo(runtime::HealthChecks& readyz, runtime::HealthChecks& livez);

  [[nodiscard]] Caches& caches() { return caches_; }
  [[nodiscard]] kube::EventRecorder& events() { return events_; }
  /// What VaultControl rotates for.
  [[nodiscard]] const controllers::PolicyPods& policy_pods() const { return policy_pods_; }
  [[nodiscard]] controllers::CredentialLedger& credential_ledger() { return credential_ledger_; }
  /// Null where sidecars are never asked.
  [[nodiscard]] controllers::SidecarReader* sidecar_reader() {
    return sidecar_ledger_.reads() ? &sidecar_reader_ : nullptr;
  }
  /// Answers the pod webhook.
  [[nodiscard]] controllers::PodInjector& injector() { return injector_; }
  /// Before this, an empty catalog would read as "no policy".
  [[nodiscard]] bool may_answer() const { return catalog_.is_built(); }
  /// What the webhook's server shows.
  [[nodiscard]] const std::shared_ptr<crypto::ServerTlsSource>& tls() const { return tls_; }

 private:
  template <typename Target>
  runtime::Controller MakeLoop(std::string_view name, unsigned workers, Target& target,
                               const Surroundings& surroundings);
  Result<runtime::Requeue> RebuildCatalog();
  void ConnectCaches();
  void ConnectPods();
  void ConnectRenewal();
  void ConnectLedgers();
  void EnqueueWebhook();
  void EnqueuePolicies();
  void EnqueuePoliciesOf(const controllers::ObservedPod& pod, runtime::WorkQueue& queue);

  const kube::ObjectKey tls_secret_;
  Caches caches_;
  kube::EventRecorder events_;
  runtime::CallbackRunnable events_part_;
  controllers::RightsCheck rights_check_;

  controllers::PolicyCatalog catalog_;
  const controllers::PolicyPods policy_pods_;
  controllers::WebhookCoverageLedger coverage_;
  controllers::SidecarLedger sidecar_ledger_;
  controllers::CredentialLedger credential_ledger_;
  controllers::WebhookTrust trust_;
  const std::shared_ptr<crypto::ServerTlsSource> tls_;
  controllers::ConfigMaps config_maps_;
  controllers::InjectionMetrics injection_metrics_;
  controllers::PodInjector injector_;

  controllers::CertificateLoader certificate_loader_;
  controllers::CertificateController certificate_;
  controllers::WebhookController webhook_;
  // The first of a leader's work: a second installation ends here, before it writes anything.
  runtime::CallbackRunnable only_installation_;
  controllers::TracingPolicyController policies_;
  controllers::RenewalController renewal_;
  HttpSidecarReader sidecar_reader_;
  controllers::SidecarController sidecars_;

  runtime::Controller catalog_loop_;
  runtime::Controller loader_loop_;
  runtime::Controller certificate_loop_;
  runtime::Controller webhook_loop_;
  runtime::Controller policy_loop_;
  runtime::Controller renewal_loop_;
  runtime::Controller sidecar_loop_;
};

}  // namespace tracekeeper::app
