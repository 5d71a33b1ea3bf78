#pragma once
// Questions that only `doctor` asks of a cluster, each one or a few calls, and what answers mean.
//
// Threads:  one thread.
// Failure:  the Client's errors.

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "operator/domain/rights.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/kube/client.h"

namespace tracekeeper::cli {

/// "a, b, c and 7 more".
std::string Some(const std::vector<std::string>& names);

struct CustomResourceFacts {
  bool is_established = false;
  bool serves_version = false;             // v1alpha1
  std::vector<std::string> absent_fields;  // paths that this program knows and the CRD does not
};
CustomResourceFacts FactsOf(codec::JsonValue crd);

/// The verbs of `right` that `user` does not have. For a right of a namespace, `namespace_name` is
/// asked about.
Result<std::vector<std::string>> DeniedVerbs(kube::Client& client, const std::string& user,
                                             const domain::Right& right,
                                             const std::string& namespace_name,
                                             const StopToken& stop);

/// Namespaces with a VaultConnection; none where the kind is not installed.
Result<std::set<std::string>> NamespacesOfConnections(kube::Client& client, const StopToken& stop);

/// Leases of that name in other namespaces than `except`.
Result<std::vector<kube::ObjectKey>> LeasesNamed(kube::Client& client, const std::string& name,
                                                 const std::string& except, const StopToken& stop);

/// How many endpoints of a Service are ready, by its EndpointSlices.
Result<std::size_t> ReadyEndpoints(kube::Client& client, const std::string& namespace_name,
                                   const std::string& service, const StopToken& stop);

/// "node-1 (v1.27.3)" for each node whose kubelet is too old.
Result<std::vector<std::string>> NodesWithoutNativeSidecars(kube::Client& client,
                                                            const StopToken& stop);

}  // namespace tracekeeper::cli
