#include "operator/controllers/pod_injector.h"

#include "operator/domain/mutate.h"
#include "operator/domain/select_policy.h"

namespace tracekeeper::controllers {

void InjectionMetrics::Count(const domain::CompiledPolicy* policy, domain::Outcome outcome,
                             domain::Reason reason) {
  Child(policy, outcome, reason).Increment();
}

void InjectionMetrics::Born(const domain::CompiledPolicy& policy) {
  Child(&policy, domain::Outcome::kInjected, domain::Reason::kInjected);
  Child(&policy, domain::Outcome::kRefused, domain::Reason::kSelfCheckRefused);
}

Counter& InjectionMetrics::Child(const domain::CompiledPolicy* policy, domain::Outcome outcome,
                                 domain::Reason reason) {
  Key key{policy != nullptr ? policy->qualified_name : std::string(), outcome, reason};
  const std::scoped_lock lock(mutex_);
  if (const auto found = children_.find(key); found != children_.end()) return *found->second;
  Counter& child = metrics_.MakeCounter(
      "tracekeeper_injections_total", "Pods reviewed, by what became of them and why",
      {{"policy", policy != nullptr ? policy->key.name : ""},
       {"policy_namespace", policy != nullptr ? policy->key.namespace_name : ""},
       {"outcome", std::string(domain::NameOf(outcome))},
       {"reason", std::string(domain::NameOf(reason))}});
  children_.emplace(std::move(key), &child);
  return child;
}

webhook::AdmissionResponse PodInjector::Review(const webhook::AdmissionRequest& request) {
  if (request.operation != "CREATE" || request.resource != "pods" || !request.subresource.empty()) {
    return {};
  }
  const auto snapshot = catalog_.snapshot();
  const auto namespace_meta = namespaces_.Find({"", std::string(request.namespace_name)});
  std::vector<domain::Label> namespace_labels;
  if (namespace_meta != nullptr) namespace_labels = domain::LabelsOf(namespace_meta->labels);
  const auto pod_labels = domain::LabelsOf(request.object["metadata"]["labels"]);

  const domain::CompiledPolicy* policy =
      domain::SelectPolicy(*snapshot, request.namespace_name, namespace_labels, pod_labels);
  if (policy == nullptr) {
    if (!request.dry_run) {
      metrics_.Count(nullptr, domain::Outcome::kSkipped, domain::Reason::kNoPolicy);
    }
    return {};
  }
  domain::Mutation mutation = domain::Mutate(request.object, *policy,
                                             {.namespace_name = request.namespace_name,
                                              .namespace_labels = namespace_labels,
                                              .nodes = catalog_.node_capability()});
  if (!request.dry_run) metrics_.Count(policy, mutation.outcome, mutation.reason);
  log_.Debug("Reviewed pod", {{"uid", request.uid},
                              {"namespace", request.namespace_name},
                              {"policy", policy->qualified_name},
                              {"outcome", domain::NameOf(mutation.outcome)},
                              {"reason", domain::NameOf(mutation.reason)}});
  webhook::AdmissionResponse response;
  response.warnings = mutation.Warnings();
  response.patch = std::move(mutation.patch);
  return response;
}

}  // namespace tracekeeper::controllers
