#pragma once
// CompilePolicy turns a TracingPolicy into what the admission path and the pods' namespaces need:
// a CompiledPolicy, and the content of the sidecar's ConfigMap.
//
// Threads:  pure.
// Failure:  kInvalid with one sentence where the policy asks for something that cannot be; the
//           controller shows it in the condition Ready and keeps the last good compilation.

#include <cstdint>
#include <string>
#include <vector>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/reasons.h"
#include "src/base/result.h"
#include "src/config/sidecar_config.h"

namespace tracekeeper::api {
struct TracingPolicy;
}

namespace tracekeeper::domain {

/// What the operator says for all policies.
struct CompileOptions {
  std::string operator_namespace = "tracekeeper-system";
  std::string sidecar_image;
  config::SidecarPorts ports;
  std::uint16_t status_port = config::kSidecarStatusPort;
  SidecarResources default_resources{"10m", "500m", "32Mi", "128Mi"};
  /// The sidecar's numeric user: Pod Security "restricted" wants one that is not 0.
  std::int64_t sidecar_user = 65532;
};

inline constexpr std::string_view kCaCertificateKey = "ca.pem";

/// Written into every namespace that the policy selects pods in.
struct ConfigMapContent {
  std::string name;
  std::string key;   // config.yaml
  std::string text;  // the sidecar's configuration
  std::string digest;
  /// Certificates that the policy gives as text; empty: no key kCaCertificateKey.
  std::string ca_certificate;

  bool operator==(const ConfigMapContent&) const = default;
};

struct PolicyCompilation {
  PolicyPointer policy;
  ConfigMapContent config_map;
  /// What the policy says but does not get, for conditions and `explain policy`.
  std::vector<Finding> findings;
};

Result<PolicyCompilation> CompilePolicy(const api::TracingPolicy& policy,
                                        const CompileOptions& options);

/// "tracekeeper-checkout-1f0c2b9a": readable, at most 253 characters, and different for each policy
/// of the cluster, so that a fleet policy and a local one of the same name can share a namespace.
std::string ConfigMapNameFor(const kube::ObjectKey& policy);

/// The ConfigMap as server-side apply wants it, for `namespace_name`, labelled with its policy.
std::string ConfigMapJson(const ConfigMapContent& content, const CompiledPolicy& policy,
                          std::string_view namespace_name);

}  // namespace tracekeeper::domain
