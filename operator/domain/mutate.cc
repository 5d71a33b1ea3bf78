#include "operator/domain/mutate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "operator/domain/environment.h"
#include "operator/domain/injection_record.h"
#include "operator/domain/names.h"
#include "operator/domain/pod_patch.h"
#include "operator/domain/pod_view.h"
#include "operator/domain/quality_of_service.h"
#include "operator/domain/resource_attributes.h"
#include "operator/domain/security_defaults.h"
#include "operator/domain/self_check.h"
#include "operator/domain/skip_rules.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

// Kubernetes: all keys and values of a pod's annotations. Linux: one NAME=VALUE string of execve,
// with its NUL (MAX_ARG_STRLEN).
constexpr std::size_t kMaxAnnotationBytes = 256U << 10U;
constexpr std::size_t kMaxVariableBytes = (128U << 10U) - 1;

constexpr std::string_view kEnforceLabel = "pod-security.kubernetes.io/enforce";

/// Parsers keep their buffers between reviews: making them anew would cost more than the parsing.
struct Parsers {
  codec::JsonParser record;
  codec::JsonParser patch;
};

Parsers& ParsersOfThread() {
  thread_local Parsers parsers;
  return parsers;
}

Mutation Skip(Finding finding) {
  Mutation mutation;
  mutation.reason = finding.reason;
  mutation.findings.push_back(std::move(finding));
  return mutation;
}

/// One mutation of one pod, step by step; used once.
class Mutator {
 public:
  Mutator(const JsonValue& pod_json, const PodView& pod, const CompiledPolicy& policy,
          const MutateContext& context)
      : pod_json_(pod_json),
        pod_(pod),
        policy_(policy),
        injection_(policy.injection),
        context_(context) {}

  Mutation Run() {
    if (const auto finding = NeverInjected(pod_)) return Skip(*finding);
    if (const auto finding = NamespaceOptedOut(context_.namespace_labels)) return Skip(*finding);
    if (const JsonValue record = pod_.annotations_json[kInjectionAnnotation]) {
      return Reinject(record);
    }
    if (const auto finding = NameConflict(pod_, injection_.volume_names)) return Skip(*finding);
    if (const auto finding = PortConflict(pod_, injection_.ports)) return Skip(*finding);
    if (const auto finding = NoSelectedContainer(pod_, injection_)) return Skip(*finding);
    native_ = UsesNativeSidecar(injection_, context_.nodes);
    if (!native_) {
      if (const auto finding = EndsWithoutNativeSidecar(pod_)) return Skip(*finding);
    }
    return Inject();
  }

 private:
  Mutation Inject() {
    Report(Reason::kInjected, "");
    MutateContainers();
    ReportAbsentContainers();
    ReportPodRemarks();
    AddContainers();
    AddVolumes();
    record_.native = native_;
    AddAnnotations();
    return Finish();
  }

  /// The pod carries a record. If it is this injection's, only containers that came later are
  /// missing it; if it is another's, nothing is touched.
  Mutation Reinject(const JsonValue& record_text) {
    const auto parsed = ParsersOfThread().record.Parse(record_text.StringOr(""));
    const auto is_sidecar = [](const ContainerView& c) { return c.name == kSidecarContainer; };
    const auto sidecar = std::ranges::find_if(pod_.containers, is_sidecar);
    if (!parsed || sidecar == pod_.containers.end()) {
      return Skip({Reason::kSkippedOlderInjection, "its record has no sidecar beside it"});
    }
    if (FindLabel(pod_.annotations, kDigestAnnotation) != policy_.digest ||
        FindLabel(pod_.annotations, kPolicyAnnotation) != policy_.qualified_name) {
      return Skip({Reason::kSkippedOlderInjection,
                   std::string(FindLabel(pod_.annotations, kPolicyAnnotation))});
    }
    native_ = sidecar->init;
    covered_ = (*parsed)["in"];
    Report(Reason::kInjected, "containers that came later");
    MutateContainers();
    if (record_.in.empty()) return Unchanged();
    const std::string extended = ExtendRecord(*parsed, record_.in);
    std::string value;
    codec::AppendJsonString(value, extended);
    patch_.Add("/metadata/annotations/tracekeeper.dev~1injection", value);
    CheckAnnotations(extended.size());
    return Finish();
  }

  static Mutation Unchanged() {
    Mutation mutation = Skip({Reason::kAlreadyInjected, ""});
    mutation.outcome = Outcome::kUnchanged;
    return mutation;
  }

  void MutateContainers() {
    identity_ = IdentityOf(pod_, context_.namespace_name, policy_.qualified_name);
    for (const ContainerView& container : pod_.containers) {
      // Beside a plain sidecar init containers run before anybody listens.
      if (container.init && !native_) continue;
      if (!IsSelected(container, injection_) || covered_[container.name]) continue;
      MutateContainer(container);
    }
  }

  void MutateContainer(const ContainerView& container) {
    ContainerRecord record{.name = container.name};
    EnvironmentPlan environment = PlanEnvironment(container, injection_, identity_);
    AddEnvironment(container, environment, record);
    AddAgentMount(container, environment, record);
    AddSecurityDefaults(container, record);
    std::ranges::move(environment.findings, std::back_inserter(findings_));
    record_.in.push_back(std::move(record));
  }

  void AddEnvironment(const ContainerView& container, EnvironmentPlan& plan,
                      ContainerRecord& record) {
    const std::string path = ContainerPath(container.init, container.index, "env");
    for (const EnvironmentGrowth& growth : plan.growths) {
      if (growth.name.size() + growth.value.size() + 1 > kMaxVariableBytes) {
        limit_ = fmt::format("container {}: {} would be {} bytes long", container.name, growth.name,
                             growth.value.size());
      }
      std::string value;
      codec::AppendJsonString(value, growth.value);
      const std::string place = fmt::format("{}/{}/value", path, growth.index);
      if (growth.original_size == EnvironmentGrowth::kNoValue) {
        patch_.Add(place, value);
      } else {
        patch_.Replace(place, value);
      }
      record.grew.emplace_back(growth.name, growth.original_size);
    }
    if (const auto origin = OriginOf(container.env);
        !origin.empty() && plan.first.size() + plan.rest.size() > 0) {
      record.was.push_back({"env", origin});
    }
    std::vector<std::string> front;
    std::vector<std::string> back;
    back.reserve(plan.first.size() + plan.rest.size());
    // A value that is already there and now refers to the pod's name needs it defined before.
    std::vector<std::string>& first = plan.growths.empty() ? back : front;
    for (EnvironmentEntry& entry : plan.first) {
      record.env.push_back(entry.name);
      first.push_back(std::move(entry.json));
    }
    for (EnvironmentEntry& entry : plan.rest) {
      record.env.push_back(entry.name);
      back.push_back(std::move(entry.json));
    }
    patch_.AddToList(path, container.env, front, Position::kFront);
    patch_.AddToList(path, container.env, back, Position::kBack);
  }

  void AddAgentMount(const ContainerView& container, const EnvironmentPlan& plan,
                     ContainerRecord& record) {
    if (plan.agents.empty()) return;
    for (const std::size_t agent : plan.agents) used_agents_.push_back(agent);
    const std::array<std::string, 1> mount = {fmt::format(
        R"({{"name":"{}","mountPath":"{}","readOnly":true}})", kAgentVolume, kAgentMountPath)};
    if (const auto origin = OriginOf(container.volume_mounts); !origin.empty()) {
      record.was.push_back({"volumeMounts", origin});
    }
    record.mounts.push_back(kAgentMountPath);
    patch_.AddToList(ContainerPath(container.init, container.index, "volumeMounts"),
                     container.volume_mounts, mount, Position::kBack);
  }

  void AddSecurityDefaults(const ContainerView& container, ContainerRecord& record) {
    if (injection_.security == SecurityDefaults::kNone) return;
    SecurityPlan plan = PlanSecurityDefaults(pod_, container);
    for (const SecurityField& field : plan.fields) {
      patch_.Add(ContainerPath(container.init, container.index, field.path), field.json);
    }
    std::ranges::move(plan.was, std::back_inserter(record.was));
    if (plan.kept.empty()) return;
    Report(Reason::kSecurityKeptUserValue,
           fmt::format("container {}: {}", container.name, fmt::join(plan.kept, ", ")));
  }

  void ReportAbsentContainers() {
    for (const std::string& name : injection_.containers) {
      const auto same = [&](const ContainerView& c) { return c.name == name; };
      if (std::ranges::any_of(pod_.containers, same)) continue;
      Report(Reason::kContainerNotFound, name);
    }
  }

  void ReportPodRemarks() {
    if (!native_) Report(Reason::kSidecarAsPlainContainer, "");
    const QosClass before = QosClassOf(pod_);
    const QosClass after = QosClassWith(before, pod_, injection_.sidecar_resources);
    if (before != after) {
      Report(Reason::kQosChanged, fmt::format("{} to {}", NameOf(before), NameOf(after)));
    }
    if (!injection_.wants_proxy) return;
    const std::string_view level = FindLabel(context_.namespace_labels, kEnforceLabel);
    const bool refuses = level == "baseline" || level == "restricted";
    Report(injection_.wants_redirect && refuses ? Reason::kRedirectRefusedByPodSecurity
                                                : Reason::kProxyNotActive,
           "");
  }

  [[nodiscard]] std::string SidecarJson() const {
    std::string json = injection_.sidecar_head_json;
    json.push_back(',');
    json.append(VariableJson("TRACEKEEPER_SERVICE_NAME", identity_.service_name));
    json.push_back(',');
    json.append(VariableJson("TRACEKEEPER_RESOURCE_ATTRIBUTES", identity_.joined));
    json.push_back(']');
    AppendResources(json, injection_.sidecar_resources_json);
    json.append(native_ ? injection_.sidecar_native_tail_json : injection_.sidecar_plain_tail_json);
    return json;
  }

  /// A pod with resources as a whole may have none to spare: containers without any share them, and
  /// claims of ours could sum up to more than the API server lets the pod have.
  void AppendResources(std::string& json, std::string_view resources) const {
    if (IsVacant(pod_.resources)) json.append(R"(,"resources":)").append(resources);
  }

  [[nodiscard]] std::string AgentJson(const Agent& agent) const {
    std::string json = agent.container_json;
    AppendResources(json, agent.resources_json);
    json.push_back('}');
    return json;
  }

  [[nodiscard]] bool UsesAgent(std::size_t agent) const {
    return std::ranges::count(used_agents_, agent) > 0;
  }

  /// The sidecar before all init containers, so that these can send spans too; agents next.
  void AddContainers() {
    std::vector<std::string> init;
    if (native_) {
      init.push_back(SidecarJson());
      record_.init_containers.push_back(kSidecarContainer);
    }
    for (std::size_t i = 0; i < injection_.agents.size(); ++i) {
      if (!UsesAgent(i)) continue;
      init.push_back(AgentJson(injection_.agents[i]));
      record_.init_containers.push_back(injection_.agents[i].container_name);
    }
    if (const auto origin = OriginOf(pod_.init_containers_json); !origin.empty() && !init.empty()) {
      record_.was.push_back({"spec.initContainers", origin});
    }
    patch_.AddToList("/spec/initContainers", pod_.init_containers_json, init, Position::kFront);
    if (native_) return;
    patch_.Add("/spec/containers/-", SidecarJson());
    record_.containers.push_back(kSidecarContainer);
  }

  void AddVolumes() {
    std::vector<std::string> volumes = injection_.volumes_json;
    record_.volumes.assign(injection_.volume_names.begin(), injection_.volume_names.end());
    if (!used_agents_.empty()) {
      volumes.push_back(injection_.agent_volume_json);
      record_.volumes.push_back(kAgentVolume);
    }
    if (const auto origin = OriginOf(pod_.volumes); !origin.empty()) {
      record_.was.push_back({"spec.volumes", origin});
    }
    patch_.AddToList("/spec/volumes", pod_.volumes, volumes, Position::kBack);
  }

  void AddAnnotations() {
    if (const auto origin = OriginOf(pod_.annotations_json); !origin.empty()) {
      record_.was.push_back({"metadata.annotations", origin});
    }
    const std::string record = record_.ToJson();
    const std::array<std::pair<std::string_view, std::string_view>, 4> ours = {{
        {kPolicyAnnotation, policy_.qualified_name},
        {kGenerationAnnotation, policy_.generation_text},
        {kDigestAnnotation, policy_.digest},
        {kInjectionAnnotation, record},
    }};
    std::size_t added = 0;
    for (const auto& [key, value] : ours) added += key.size() + value.size();
    CheckAnnotations(added);
    if (IsVacant(pod_.annotations_json)) {
      codec::JsonWriter json;
      json.BeginObject();
      for (const auto& [key, value] : ours) json.Member(key, value);
      json.EndObject();
      patch_.Add("/metadata/annotations", json.text());
      return;
    }
    for (const auto& [key, value] : ours) {
      const std::string_view name = key.substr(key.find('/') + 1);
      std::string text;
      codec::AppendJsonString(text, value);
      patch_.Add(fmt::format("/metadata/annotations/tracekeeper.dev~1{}", name), text);
    }
  }

  void CheckAnnotations(std::size_t added) {
    std::size_t total = added;
    for (const auto& [key, value] : pod_.annotations) total += key.size() + value.size();
    if (total > kMaxAnnotationBytes) {
      limit_ = fmt::format("annotations would be {} bytes in all", total);
    }
  }

  Mutation Finish() {
    if (!limit_.empty()) return Skip({Reason::kSkippedTooLarge, limit_});
    Mutation mutation;
    mutation.patch = patch_.Take();
    Parsers& parsers = ParsersOfThread();
    if (auto problem = CheckPatch(pod_json_, pod_, mutation.patch, parsers.patch)) {
      Mutation refused = Skip({Reason::kSelfCheckRefused, *std::move(problem)});
      refused.outcome = Outcome::kRefused;
      return refused;
    }
    mutation.outcome = Outcome::kInjected;
    mutation.reason = Reason::kInjected;
    mutation.findings = std::move(findings_);
    return mutation;
  }

  void Report(Reason reason, std::string detail) {
    findings_.push_back({reason, std::move(detail)});
  }

  const JsonValue& pod_json_;
  const PodView& pod_;
  const CompiledPolicy& policy_;
  const InjectionPlan& injection_;
  const MutateContext& context_;
  bool native_ = true;
  JsonValue covered_;  // containers of an earlier pass, by name
  PodIdentity identity_;
  PodPatch patch_;
  InjectionRecord record_;
  std::vector<std::size_t> used_agents_;
  std::vector<Finding> findings_;
  std::string limit_;  // which limit would be passed; empty: none
};

}  // namespace

std::vector<std::string> Mutation::Warnings() const {
  std::vector<std::string> warnings;
  for (const Finding& finding : findings) {
    if (!IsWarning(finding.reason)) continue;
    std::string text = fmt::format("tracekeeper: {}", SentenceOf(finding.reason));
    if (!finding.detail.empty()) text.append(" (").append(finding.detail).append(")");
    warnings.push_back(std::move(text));
  }
  return warnings;
}

Mutation Mutate(const JsonValue& pod, const CompiledPolicy& policy, const MutateContext& context) {
  const auto view = ViewPod(pod);
  if (!view) return Skip({Reason::kSkippedInvalidPod, "no metadata, spec or containers"});
  return Mutator(pod, *view, policy, context).Run();
}

std::optional<Reason> StaticSkipReason(const JsonValue& pod) {
  const auto view = ViewPod(pod);
  if (!view) return Reason::kSkippedInvalidPod;
  const auto finding = NeverInjected(*view);
  if (!finding) return std::nullopt;
  return finding->reason;
}

}  // namespace tracekeeper::domain
