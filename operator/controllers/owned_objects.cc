#include "operator/controllers/owned_objects.h"

#include <charconv>

#include "operator/api/tracing_policy.h"
#include "operator/domain/names.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kPolicyLabel = "tracekeeper.dev/policy";

}  // namespace

kube::ObjectMeta MetaOf(const domain::CredentialPlan& plan, const kube::ObjectKey& key) {
  kube::ObjectMeta meta;
  meta.key = key;
  meta.labels = {{std::string(domain::kManagedByLabel), std::string(domain::kManagedByValue)},
                 {std::string(kPolicyLabel), plan.policy.name},
                 {std::string(domain::kCredentialLabel), plan.identity.credential}};
  meta.owner_references = {{.api_version = api::kTracingPolicies.ApiVersion(),
                            .kind = std::string(api::kTracingPolicyKind),
                            .name = plan.policy.name,
                            .uid = plan.identity.uid,
                            .controller = true}};
  return meta;
}

bool IsOf(const kube::ObjectMeta& meta, const domain::CredentialPlan& plan) {
  const auto says = [&](std::string_view label, std::string_view value) {
    const auto found = meta.labels.find(label);
    return found != meta.labels.end() && found->second == value;
  };
  return says(domain::kManagedByLabel, domain::kManagedByValue) &&
         says(kPolicyLabel, plan.policy.name) &&
         says(domain::kCredentialLabel, plan.identity.credential);
}

std::int64_t NumberIn(const kube::ObjectMeta& meta, std::string_view annotation) {
  const auto found = meta.annotations.find(annotation);
  std::int64_t number = 0;
  if (found == meta.annotations.end()) return number;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

std::int64_t SequenceOf(const kube::ObjectMeta& meta) {
  return NumberIn(meta, domain::kSequenceAnnotation);
}

}  // namespace tracekeeper::controllers
