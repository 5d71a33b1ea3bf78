#pragma once
// ClusterPolicies gives an analyzer what the TracingPolicies of a cluster mean for it, for as long
// as it runs: the rules of each policy, and which policy a pod was injected by.
//
//   API server -> informers (policies, pods) -> ContinuityFeed -> AnalysisServer
//
// Threads:  Make, Start and Stop from the owner's thread; it has three of its own.
// Owner:    Wiring; clock and log outlive it, the analysis of Start its Stop.
// Failure:  Make where no cluster can be named (kubeconfig, its files). From then on none: what
//           cannot be read is said in the log and tried again, and the analyzer judges with what
//           it has. Rules do not wait for pods, which it need not be allowed to read.

#include <memory>
#include <string>

#include "src/analysis/analysis_server.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"

namespace tracekeeper::analyzer {

class ClusterPolicies {
 public:
  struct Options {
    std::string kubeconfig;      // empty: $KUBECONFIG, in-cluster, ~/.kube/config, in this order
    std::string context;         // of the kubeconfig; empty: the current one
    std::string namespace_name;  // policies and pods of this one only; empty: of all
  };
  static Result<std::unique_ptr<ClusterPolicies>> Make(const Options& options, const Clock& clock,
                                                       Log& log);
  ~ClusterPolicies();
  ClusterPolicies(const ClusterPolicies&) = delete;
  ClusterPolicies& operator=(const ClusterPolicies&) = delete;

  /// Once. Returns at once, whether or not the API server answers.
  Status Start(analysis::AnalysisServer& analysis);
  /// Returns when the analysis is told nothing more.
  void Stop();

 private:
  struct Parts;
  explicit ClusterPolicies(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  bool is_running_ = false;
};

}  // namespace tracekeeper::analyzer
