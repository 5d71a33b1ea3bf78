#pragma once
// What the controllers keep of the objects they watch: the few fields that decide something, so
// that a cache of 10,000 pods stays small. Each has a projection function for its informer.
//
// Threads:  values; shared as shared_ptr<const T> by the stores.
// Failure:  an object without a name is kDecode, and the store leaves it out.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/drift.h"
#include "operator/domain/label_selector.h"
#include "operator/domain/renewable_workload.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"
#include "src/runtime/pod_store.h"

namespace tracekeeper::controllers {

/// A pod, and how it stands with injection.
class ObservedPod {
 public:
  [[nodiscard]] std::string_view namespace_name() const { return pod_.namespace_name(); }
  [[nodiscard]] std::string_view name() const { return pod_.name(); }
  /// Views into this pod.
  [[nodiscard]] std::vector<domain::Label> Labels() const;
  [[nodiscard]] domain::PodProjection Injection() const;
  [[nodiscard]] kube::ObjectKey key() const { return pod_.key(); }
  [[nodiscard]] const runtime::Uid& uid() const { return pod_.uid(); }
  /// As the API has it; empty where it is none that the API makes.
  [[nodiscard]] std::string UidText() const;
  [[nodiscard]] bool is_ready() const { return pod_.ready(); }
  [[nodiscard]] bool is_ending() const { return pod_.being_deleted(); }
  [[nodiscard]] bool is_running() const { return pod_.phase() == runtime::PodPhase::kRunning; }
  [[nodiscard]] Instant created() const { return pod_.creation_time(); }
  [[nodiscard]] domain::PodOwner owner() const { return {pod_.owner_kind(), pod_.owner_name()}; }
  [[nodiscard]] std::string OwnerUidText() const;
  /// The annotation of domain/credential_marks.h, which its template gave it.
  [[nodiscard]] std::string_view CredentialMarks() const;
  /// Empty until the pod has one.
  [[nodiscard]] const std::string& address() const { return address_; }

  /// Equal in everything that can change how its workload's renewal stands.
  [[nodiscard]] bool RenewsAs(const ObservedPod& other) const;
  /// Equal in everything that can change a policy's counts.
  [[nodiscard]] bool CountsAs(const ObservedPod& other) const;

 private:
  friend class ObservedPodProjection;

  runtime::Pod pod_;
  // As the pod's JSON had it; its texts are empty here and come from `pod_`, which interns them.
  domain::PodProjection injection_;
  std::string address_;       // fits into the string itself, as IPv4
  bool is_injected_ = false;  // annotations alone are only a claim
};

/// Makes ObservedPods: strings that repeat between pods are kept once.
class ObservedPodProjection {
 public:
  ObservedPodProjection();
  Result<ObservedPod> operator()(codec::JsonValue pod) const;

 private:
  runtime::PodProjection projection_;
};

/// A node: whether its kubelet knows native sidecars is read from the version.
struct ObservedNode {
  kube::ObjectMeta meta;
  std::string kubelet_version;

  static Result<ObservedNode> From(const codec::JsonValue& node);
};

/// A ConfigMap that we wrote for a policy.
struct ObservedConfigMap {
  kube::ObjectMeta meta;
  std::string content_digest;  // SHA-256 of what the sidecar reads: an edit by hand shows

  static Result<ObservedConfigMap> From(const codec::JsonValue& config_map);
  [[nodiscard]] std::string_view policy_uid() const;
};

/// The operator's own webhook configuration.
struct ObservedWebhook {
  kube::ObjectMeta meta;
  std::vector<std::string> namespaces;  // that it covers, in either entry
  std::string service_namespace;        // of the Service it calls; empty when it calls a URL

  static Result<ObservedWebhook> From(const codec::JsonValue& configuration);
};

inline constexpr kube::Resource kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets",
                                                      "PodDisruptionBudget"};

/// A PodDisruptionBudget: over which pods it is, and what it allows now.
struct ObservedBudget {
  kube::ObjectKey key;
  std::optional<domain::LabelSelector> selector;  // unset: over no pod
  std::int64_t disruptions_allowed = 0;
  bool is_current = false;  // the status is about the newest generation

  [[nodiscard]] const std::string& namespace_name() const { return key.namespace_name; }
  [[nodiscard]] const std::string& name() const { return key.name; }

  static Result<ObservedBudget> From(const codec::JsonValue& budget);
};

/// A replica of the operator itself.
struct ObservedReplica {
  kube::ObjectMeta meta;
  std::string address;  // the pod's; empty until it has one
  bool is_ready = false;

  static Result<ObservedReplica> From(const codec::JsonValue& pod);
};

/// Metadata alone: for namespaces, and for a Secret whose content is read when it changed.
Result<kube::ObjectMeta> ObservedMeta(const codec::JsonValue& object);

}  // namespace tracekeeper::controllers
