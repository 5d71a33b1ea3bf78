#pragma once
// ControllerWorld is what a controller sees in a unit test: a fake API server, stores that the test
// fills, a clock that stands still. Reconcile is called directly; there are no threads.
//
// Threads:  one.

#include <gtest/gtest.h>

#include "operator/controllers/observed.h"
#include "operator/controllers/policy_catalog.h"
#include "operator/controllers/policy_pods.h"
#include "src/kube/client.h"
#include "src/runtime/controller.h"
#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::controllers {

inline constexpr std::string_view kOwnNamespace = "tracekeeper-system";

class ControllerWorld : public testing::Test {
 protected:
  ControllerWorld();

  /// What a worker would pass in, now.
  runtime::ReconcileContext Context();

  /// Puts an object on the server and into the cache.
  void AddNamespace(std::string_view name, std::string_view labels_json = "{}");
  void AddPod(std::string_view namespace_name, std::string_view name, std::string_view extra_json,
              std::string_view init_containers_json = "[]");
  /// A pod with the sidecar in it, labelled app=checkout, by shop/checkout at `digest`.
  void AddInjectedPod(std::string_view name, std::string_view digest);
  /// `spec_json` is the policy's spec; generation is 1.
  void AddPolicy(const kube::ObjectKey& key, std::string_view spec_json,
                 std::string_view extra_metadata = "");
  /// Takes the server's objects of that kind into the cache, as an informer would.
  void SyncPolicies();
  void SyncConfigMaps();
  void SyncNodes();
  void SyncWebhooks();
  void SyncPods();
  void SyncBudgets();

  [[nodiscard]] std::string LogText() const;
  /// The object as JSON, or an empty string.
  [[nodiscard]] std::string Stored(const kube::Resource& resource,
                                   const kube::ObjectKey& key) const;

  test_support::ManualClock clock_;
  test_support::FakeApiServer server_{clock_};
  telemetry::PrometheusMetrics metrics_;
  kube::Client client_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines_.emplace_back(line); }};
  Logger logger_{log_};

  runtime::Store<api::TracingPolicy> policies_;
  runtime::Store<kube::ObjectMeta> namespaces_;
  runtime::Store<ObservedNode> nodes_;
  runtime::Store<ObservedPod> pods_;
  runtime::Store<ObservedBudget> budgets_;
  runtime::Store<ObservedConfigMap> config_maps_;
  runtime::Store<ObservedWebhook> webhooks_;
  const runtime::IndexId pods_by_namespace_;
  const runtime::IndexId budgets_by_namespace_;
  const runtime::IndexId config_maps_by_policy_;
  PolicyCatalog catalog_;
  const PolicyPods policy_pods_{namespaces_, pods_, pods_by_namespace_, catalog_};

 private:
  template <typename T>
  void Sync(runtime::Store<T>& store, const kube::Resource& resource);
};

}  // namespace tracekeeper::controllers
