#include "cli/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "cli/doctor_questions.h"
#include "operator/domain/plan_webhook.h"
#include "src/codec/base64.h"
#include "src/crypto/certificate.h"
#include "src/kube/discovery.h"

namespace tracekeeper::cli {
namespace {

using enum Check::State;

constexpr int kOldestMinor = 30;

}  // namespace

std::string_view NameOf(Check::State state) {
  switch (state) {
    case kOk:
      return "ok";
    case kRemark:
      return "remark";
    case kMissing:
      return "missing";
    case kUnknown:
      return "unknown";
  }
  return "unknown";
}

void Doctor::Add(Check::State state, std::string subject, std::string sentence,
                 std::string advice) {
  checks_.push_back({state, std::move(subject), std::move(sentence), std::move(advice)});
}

std::vector<Check> Doctor::Examine(const StopToken& stop) {
  stop_ = stop;
  checks_.clear();
  if (!CheckServer()) return std::move(checks_);
  CheckOwnRights();
  const bool has_policies = CheckCustomResource();
  auto world = AskWorld(client_, options_.operator_namespace, {}, stop_);
  if (world) world_ = *std::move(world);
  CheckLeader();
  CheckOtherOperators();
  CheckOperatorRights();
  if (has_policies) {
    CheckWebhook();
    CheckPolicies();
    CheckPodSecurity();
  }
  CheckNodes();
  return std::move(checks_);
}

bool Doctor::CheckServer() {
  const auto version = kube::GetServerVersion(client_, stop_);
  if (!version) {
    Add(kMissing, "API server",
        fmt::format("{} could not be asked: {}", options_.server, version.error().message),
        "Check --kubeconfig and --context, the network, and that your credential is valid "
        "(kubectl version uses the same).");
    return false;
  }
  Add(kOk, "API server", fmt::format("{} answers.", options_.server));
  if (version->major > 1 || version->minor >= kOldestMinor) {
    Add(kOk, "Kubernetes version", version->git_version + ".");
  } else {
    Add(kMissing, "Kubernetes version",
        fmt::format("{}; Tracekeeper needs v1.{} or later.", version->git_version, kOldestMinor),
        "Upgrade the cluster: older API servers lack webhook match conditions.");
  }
  return true;
}

bool Doctor::CheckCustomResource() {
  const std::string name = fmt::format("{}.{}", api::kTracingPolicies.plural, api::kGroup);
  const auto crd = client_.Get(kube::kCustomResourceDefinitions, {"", name}, stop_);
  if (!crd && crd.error().kind == ErrorKind::kNotFound) {
    Add(kMissing, "CRD", fmt::format("{} is not installed.", name),
        "Install it: kubectl apply --server-side -f crds/, or the chart tracekeeper-crds.");
    return false;
  }
  if (!crd) {
    Add(kUnknown, "CRD", crd.error().message,
        "Run this as someone who may read CustomResourceDefinitions.");
    return true;
  }
  const CustomResourceFacts facts = FactsOf(crd->root());
  if (!facts.is_established || !facts.serves_version) {
    Add(kMissing, "CRD",
        fmt::format("{} is {}.", name,
                    facts.serves_version ? "not established"
                                         : fmt::format("without version {}", api::kVersion)),
        "Install the CRDs of this release again: kubectl apply --server-side -f crds/.");
    return false;
  }
  if (!facts.absent_fields.empty()) {
    Add(kMissing, "CRD",
        fmt::format("{} is older than this program: the API server would drop {}.", name,
                    Some(facts.absent_fields)),
        "Install the CRDs of this release: kubectl apply --server-side -f crds/.");
    return true;
  }
  Add(kOk, "CRD", fmt::format("{} is installed and knows every field.", name));
  return true;
}

void Doctor::CheckWebhook() {
  const std::string name(domain::kWebhookConfigurationName);
  const auto found = client_.Get(kube::kMutatingWebhookConfigurations, {"", name}, stop_);
  if (!found && found.error().kind == ErrorKind::kNotFound) {
    if (world_.policies.empty()) {
      Add(kOk, "Webhook", "none, and none is needed: there is no TracingPolicy yet.");
    } else {
      Add(kMissing, "Webhook",
          fmt::format("MutatingWebhookConfiguration {} is not there, so no pod is injected.", name),
          "The operator makes it: see Operator and Operator's rights above.");
    }
    return;
  }
  if (!found) {
    Add(kUnknown, "Webhook", found.error().message,
        "Run this as someone who may read MutatingWebhookConfigurations.");
    return;
  }
  CheckWebhookCall(found->root());
  CheckCoverage();
}

void Doctor::CheckWebhookCall(codec::JsonValue configuration) {
  std::set<std::pair<std::string, std::string>> services;
  for (const codec::JsonValue webhook : configuration["webhooks"].Elements()) {
    CheckWebhookCertificate(webhook);
    const codec::JsonValue service = webhook["clientConfig"]["service"];
    if (service) {
      services.emplace(service["namespace"].StringOr(""), service["name"].StringOr(""));
    } else {
      Add(kRemark, "Webhook",
          fmt::format("the API server calls it at {}.",
                      webhook["clientConfig"]["url"].StringOr("an unknown address")),
          "That is for an operator outside the cluster; inside one it is called by Service.");
    }
  }
  for (const auto& [namespace_name, service] : services) CheckEndpoints(namespace_name, service);
}

void Doctor::CheckWebhookCertificate(codec::JsonValue webhook) {
  const std::string name(webhook["name"].StringOr(""));
  const auto pem = codec::DecodeBase64(webhook["clientConfig"]["caBundle"].StringOr(""));
  if (!pem || pem->empty()) {
    Add(kMissing, "Webhook", fmt::format("{} has no CA bundle: every call fails.", name),
        "The operator writes it; restart the operator if it stays so.");
    return;
  }
  const auto authorities = crypto::ParseCertificates(*pem);
  if (!authorities) {
    Add(kMissing, "Webhook",
        fmt::format("the CA bundle of {} cannot be read: {}", name, authorities.error().message),
        "The operator writes it again when it is restarted.");
    return;
  }
  const bool is_valid = std::any_of(
      authorities->begin(), authorities->end(),
      [&](const crypto::CertificateInfo& authority) { return clock_.Now() < authority.not_after; });
  if (!is_valid) {
    Add(kMissing, "Webhook", fmt::format("every certificate of {}'s CA bundle has expired.", name),
        "The operator renews it long before: is it running, and are the clocks right?");
    return;
  }
  Add(kOk, "Webhook", fmt::format("{} has a valid CA bundle.", name));
}

void Doctor::CheckEndpoints(const std::string& namespace_name, const std::string& service) {
  const auto ready = ReadyEndpoints(client_, namespace_name, service, stop_);
  if (!ready) {
    Add(kUnknown, "Webhook's Service", ready.error().message,
        "Run this as someone who may list EndpointSlices in that namespace.");
  } else if (*ready == 0) {
    Add(kMissing, "Webhook's Service",
        fmt::format("{}/{} has no ready endpoint: pods of Required policies are refused, those of "
                    "BestEffort policies start without the sidecar.",
                    namespace_name, service),
        fmt::format("See why the operator's pods are not ready: kubectl get pods,endpointslices -n "
                    "{}; kubectl describe pods -n {}.",
                    namespace_name, namespace_name));
  } else {
    Add(kOk, "Webhook's Service",
        fmt::format("{}/{} has {} ready endpoints.", namespace_name, service, *ready));
  }
}

void Doctor::CheckCoverage() {
  if (!world_.covered_namespaces || world_.namespaces.empty()) {
    Add(kUnknown, "Namespaces", "whether the webhook covers those with a policy is not known.",
        "Run this as someone who may list namespaces and read the webhook configuration.");
    return;
  }
  // Labels stay in one place while views of them are compared.
  std::vector<std::vector<domain::Label>> labels;
  labels.reserve(world_.namespaces.size());
  std::vector<domain::NamespaceView> views;
  for (const auto& [name, map] : world_.namespaces) {
    labels.push_back(domain::LabelsOf(map));
    views.push_back({name, labels.back()});
  }
  const domain::WebhookCoverage wanted =
      domain::PlanCoverage(world_.Snapshot(), views, options_.operator_namespace);
  std::vector<std::string> uncovered;
  for (const auto* list : {&wanted.best_effort, &wanted.required}) {
    for (const std::string& name : *list) {
      const auto& covered = *world_.covered_namespaces;
      if (std::find(covered.begin(), covered.end(), name) == covered.end()) {
        uncovered.push_back(name);
      }
    }
  }
  const std::size_t count = wanted.best_effort.size() + wanted.required.size();
  if (uncovered.empty()) {
    Add(kOk, "Namespaces", fmt::format("the webhook covers all {} with a policy.", count));
  } else {
    Add(kMissing, "Namespaces",
        fmt::format("the webhook does not cover {}, although a policy selects pods there.",
                    Some(uncovered)),
        "The operator does this within seconds: see Operator and Operator's rights above.");
  }
}

void Doctor::CheckNodes() {
  const auto old = NodesWithoutNativeSidecars(client_, stop_);
  if (!old) {
    Add(kUnknown, "Nodes", old.error().message, "Run this as someone who may list nodes.");
  } else if (old->empty()) {
    Add(kOk, "Nodes", "every node can run native sidecars.");
  } else {
    Add(kRemark, "Nodes", fmt::format("{} cannot run native sidecars.", Some(*old)),
        "Until all nodes are at v1.29 or later the sidecar is a plain container, and pods of Jobs "
        "are skipped.");
  }
}

void Doctor::CheckPolicies() {
  std::vector<std::string> well;
  for (const KnownPolicy& known : world_.policies) {
    const std::string name = known.policy.metadata.key.ToString();
    const kube::Condition* ready = kube::FindCondition(known.policy.status.conditions, "Ready");
    if (!known.compiled) {
      Add(kMissing, "Policy " + name, known.error, "Correct it and apply it again.");
    } else if (ready == nullptr) {
      Add(kMissing, "Policy " + name, "the operator has not looked at it yet.",
          "See Operator above.");
    } else if (ready->status != kube::ConditionStatus::kTrue) {
      Add(kMissing, "Policy " + name, fmt::format("it is not ready: {}", ready->message),
          fmt::format("tracekeeper explain policy {}", name));
    } else {
      well.push_back(name);
    }
  }
  for (const std::string& note : world_.notes) Add(kUnknown, "Cluster", note);
  if (!well.empty()) Add(kOk, "Policies", fmt::format("{} ready: {}.", well.size(), Some(well)));
}

}  // namespace tracekeeper::cli
