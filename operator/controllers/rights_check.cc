#include "operator/controllers/rights_check.h"

#include <algorithm>

#include "src/kube/discovery.h"

namespace tracekeeper::controllers {

RightsCheck::RightsCheck(Options options, kube::Client& client, const Clock& clock,
                         Metrics& metrics, Logger log)
    : options_(std::move(options)),
      client_(client),
      clock_(clock),
      missing_(metrics.MakeGauge("tracekeeper_operator_missing_rights",
                                 "Rights that the operator needs and does not have", {})),
      log_(std::move(log)) {}

Status RightsCheck::Start() {
  thread_ = std::jthread([this](const StopToken& stop) { Run(stop); });
  return {};
}

void RightsCheck::Stop() {
  thread_.request_stop();
  thread_.join();
}

std::vector<std::string> RightsCheck::NamespacesOf(const domain::Right& right) const {
  switch (right.scope) {
    case domain::RightScope::kCluster:
      return {""};
    case domain::RightScope::kOwnNamespace:
      return {options_.namespace_name};
    case domain::RightScope::kSecretNamespace:
      return options_.secret_namespaces;
  }
  return {};
}

Status RightsCheck::AddMissing(const domain::Right& right, const std::string& namespace_name,
                               std::vector<std::string>& missing, const StopToken& stop) {
  const bool is_own_role =
      right.resource == "clusterroles" && right.name == domain::kOperatorClusterRole;
  const auto [resource, subresource] = domain::PartsOf(right);
  for (const std::string_view verb : domain::VerbsOf(right)) {
    const auto answer =
        TRY(kube::MayI(client_,
                       {.verb = std::string(verb),
                        .group = std::string(right.group),
                        .resource = std::string(resource),
                        .subresource = std::string(subresource),
                        .namespace_name = namespace_name,
                        .name = is_own_role ? options_.cluster_role : std::string(right.name)},
                       stop));
    if (answer.allowed) continue;
    std::string sentence = domain::Describe(right, verb);
    if (right.scope == domain::RightScope::kSecretNamespace) {
      sentence += " in namespace " + namespace_name;
    }
    missing.push_back(std::move(sentence));
  }
  return {};
}

Result<std::vector<std::string>> RightsCheck::FindMissing(const StopToken& stop) {
  std::vector<std::string> missing;
  for (const domain::Right& right : domain::OperatorRights()) {
    const bool is_own_role =
        right.resource == "clusterroles" && right.name == domain::kOperatorClusterRole;
    if (is_own_role && options_.cluster_role.empty()) continue;
    if (!right.value.empty() && !options_.values.contains(right.value)) continue;
    for (const std::string& namespace_name : NamespacesOf(right)) {
      TRY(AddMissing(right, namespace_name, missing, stop));
    }
  }
  return missing;
}

void RightsCheck::Run(const StopToken& stop) {
  std::set<std::string> known;
  while (!stop.stop_requested()) {
    const auto found = FindMissing(stop);
    if (!found) {
      log_.Debug("Could not ask for our rights", {{"error", found.error().message}});
      clock_.SleepFor(kAgain, stop);
      continue;
    }
    const std::set<std::string> missing(found->begin(), found->end());
    for (const std::string& right : missing) {
      if (known.contains(right)) continue;
      log_.Error(
          "The operator lacks a right: install the RBAC objects of the chart tracekeeper of "
          "this release",
          {{"right", right}});
    }
    for (const std::string& right : known) {
      if (!missing.contains(right)) log_.Info("The operator has a right again", {{"right", right}});
    }
    missing_.Set(static_cast<double>(missing.size()));
    known = missing;
    clock_.SleepFor(options_.period, stop);
  }
}

}  // namespace tracekeeper::controllers
