#include "cli/cluster.h"

#include <CLI/CLI.hpp>

#include "src/base/metrics.h"
#include "src/base/version.h"

namespace tracekeeper::cli {

void AddClusterFlags(CLI::App& command, ClusterOptions& options) {
  command
      .add_option("--kubeconfig", options.kubeconfig,
                  "Kubeconfig; without it $KUBECONFIG, the pod's service account, ~/.kube/config")
      ->type_name("FILE");
  command.add_option("--context", options.context, "Context of the kubeconfig")->type_name("NAME");
  command
      .add_option("--operator-namespace", options.operator_namespace,
                  "Where the operator runs: policies there may select other namespaces")
      ->capture_default_str()
      ->type_name("NAME");
}

Result<std::unique_ptr<Cluster>> Cluster::Make(const ClusterOptions& options) {
  const kube::Config config = TRY(
      kube::LoadConfig(kube::ConfigSearch::FromEnvironment(options.kubeconfig, options.context)));
  std::unique_ptr<Cluster> cluster(new Cluster());
  kube::Client::Options client;
  client.component = "tracekeeper-cli";
  client.version = std::string(kVersion);
  // A person waits: better a sentence soon than patience.
  client.deadline = std::chrono::seconds(15);
  client.max_repeats = 1;
  cluster->connection_ =
      TRY(kube::Connection::Make(config, std::move(client), kube::UnaryAdapter::kBeast,
                                 cluster->clock_, NoMetrics(), Logger(cluster->log_)));
  return cluster;
}

}  // namespace tracekeeper::cli
