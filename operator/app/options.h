#pragma once
// Options of tracekeeper-operator: what the command line says, checked before anything starts.
//
// Threads:  a value, made once in main.
// Failure:  ParseOptions prints help or a sentence and says with which code to exit.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operator/app/analyzer_options.h"
#include "src/base/clock.h"
#include "src/base/log.h"

namespace tracekeeper::app {

struct Options {
  std::string kubeconfig;  // empty: $KUBECONFIG, in-cluster, ~/.kube/config, in this order
  std::string context;
  std::string namespace_name = "tracekeeper-system";
  std::string identity;  // empty: host name and a random part
  /// Labels of the operator's own pods, "app=a,part=b": replicas look after each other. Empty: off.
  std::string replica_selector;

  std::string bind_address = "::";
  std::uint16_t webhook_port = 9443;
  std::uint16_t metrics_port = 8080;
  std::uint16_t health_port = 8081;
  /// Where the API server reaches the webhook: by Service (in a cluster) or by URL (outside one).
  std::string webhook_service = "tracekeeper-webhook";
  std::string webhook_url;
  /// Owner of the webhook configuration: it goes when the chart goes. Empty: no owner.
  std::string owner_cluster_role = "tracekeeper-operator";
  Duration certificate_lifetime = std::chrono::hours(24 * 90);

  std::string sidecar_image;
  bool read_sidecars = true;
  bool nudge_pods = false;
  /// Namespaces whose Secrets the operator may work with: the chart's rbac.secretAccess.
  std::vector<std::string> secret_namespaces;
  Duration rights_check_period = std::chrono::minutes(10);
  bool leader_election = true;
  unsigned workers = 2;
  AnalyzerOptions analyzer;
  LogLevel log_level = LogLevel::kInfo;
};

/// The options, or the code to exit with (help was asked for, or a flag is wrong).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace tracekeeper::app
