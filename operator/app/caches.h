#pragma once
// Caches are the operator's informers: one for each resource it watches, shared by all controllers.
// Each watches no more than is needed: by label, by name, metadata alone where that is enough.
//
// Threads:  stores are safe from any thread.
// Owner:    Wiring; the client outlives it.

#include "operator/api/tracing_policy.h"
#include "operator/app/options.h"
#include "operator/controllers/observed.h"
#include "src/kube/client.h"
#include "src/runtime/health.h"
#include "src/runtime/informer.h"
#include "src/runtime/manager.h"

namespace tracekeeper::app {

struct Caches {
  Caches(const kube::ObjectKey& tls_secret_key, kube::Client& client, const Clock& clock,
         const Logger& log);

  void AddTo(runtime::Manager& manager);
  void AddTo(runtime::HealthChecks& readyz);

  runtime::Informer<api::TracingPolicy> policies;
  runtime::Informer<kube::ObjectMeta> namespaces;
  runtime::Informer<controllers::ObservedNode> nodes;
  runtime::Informer<controllers::ObservedPod> pods;
  runtime::Informer<controllers::ObservedBudget> budgets;
  runtime::Informer<controllers::ObservedConfigMap> config_maps;
  runtime::Informer<controllers::ObservedWebhook> webhooks;
  runtime::Informer<kube::ObjectMeta> tls_secret;

  const runtime::IndexId pods_by_namespace;
  const runtime::IndexId budgets_by_namespace;
  const runtime::IndexId config_maps_by_policy;
};

}  // namespace tracekeeper::app
