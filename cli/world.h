#pragma once
// World is what `explain` knows: policies, pods, namespaces and nodes, from a live cluster or from
// files. Explaining is then a pure function of it.
//
// Threads:  the main thread. Views into `pods` live as long as the World.
// Failure:  what could not be read but is not needed becomes a note that is printed beside the
//           answer; what is needed is an Error.

#include <istream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "operator/domain/compile_policy.h"
#include "operator/domain/node_capability.h"
#include "operator/domain/policy_snapshot.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/document.h"

namespace tracekeeper::cli {

/// A policy, and what became of it when it was compiled.
struct KnownPolicy {
  api::TracingPolicy policy;
  domain::PolicyPointer compiled;  // null: `error` says why
  std::string error;
  std::vector<domain::Finding> findings;
};

struct World {
  std::string operator_namespace;
  std::vector<KnownPolicy> policies;
  std::vector<kube::Document> pods;
  std::map<std::string, kube::StringMap> namespaces;  // labels by name
  domain::NodeCapability nodes;
  /// Namespaces that the webhook configuration lists; unset: not known (files, or no right).
  std::optional<std::vector<std::string>> covered_namespaces;
  std::vector<std::string> notes;

  [[nodiscard]] domain::PolicySnapshot Snapshot() const;
  [[nodiscard]] const KnownPolicy* FindPolicy(const kube::ObjectKey& key) const;
  [[nodiscard]] const kube::Document* FindPod(const kube::ObjectKey& key) const;
};

/// Compiles `policy` as the operator would, into `world`.
void AddPolicy(World& world, api::TracingPolicy policy);

/// Pods, TracingPolicies, Namespaces and Nodes from files ("-": standard input). Objects without a
/// namespace get `default_namespace`; other kinds are passed over with a note.
Result<World> ReadWorld(const std::vector<std::string>& files, std::string operator_namespace,
                        const std::string& default_namespace, std::istream& standard_input);

/// What must be there: the pod, or the policy with the pods of its namespace.
struct WorldQuestion {
  std::optional<kube::ObjectKey> pod = {};
  std::optional<kube::ObjectKey> policy = {};
};
/// From the cluster: that, and all policies, namespace labels, node versions, webhook coverage.
Result<World> AskWorld(kube::Client& client, std::string operator_namespace,
                       const WorldQuestion& question, const StopToken& stop);

}  // namespace tracekeeper::cli
