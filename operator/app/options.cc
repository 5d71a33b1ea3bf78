#include "operator/app/options.h"

#include <CLI/CLI.hpp>

#include "src/base/version.h"

namespace tracekeeper::app {
namespace {

constexpr const char* kDescription =
    "tracekeeper-operator reconciles TracingPolicies and injects the propagation sidecar into the "
    "pods they select.";

constexpr const char* kExamples = R"(
Examples:
  In a cluster, as the chart starts it:
    tracekeeper-operator --namespace tracekeeper-system \
      --sidecar-image registry.example.com/tracekeeper-sidecar:0.1.0

  On a laptop against a test cluster; the API server must reach the URL:
    tracekeeper-operator --kubeconfig ~/.kube/test --leader-election=false \
      --webhook-url https://10.0.0.5:9443 --sidecar-image tracekeeper-sidecar:dev

Ports (all can be moved; one that is taken stops the start with a sentence):
  9443 webhook (HTTPS), 8080 metrics, 8081 /healthz and /readyz
  with --analyzer, while it leads: 4317 and 4318 OTLP over gRPC and HTTP, 8085 /api/v1

Exit codes: 0 stopped as asked, 1 failed or lost its leadership, 2 wrong flags.)";

constexpr auto kMinimumLifetime = std::chrono::seconds(10);

void AddConnectionFlags(CLI::App& app, Options& options) {
  app.add_option("--kubeconfig", options.kubeconfig,
                 "Kubeconfig file; without it $KUBECONFIG, the pod's service account, then "
                 "~/.kube/config")
      ->type_name("FILE");
  app.add_option("--context", options.context, "Context of the kubeconfig")->type_name("NAME");
  app.add_option("--namespace", options.namespace_name,
                 "The operator's own namespace: its policies may select other namespaces")
      ->envname("POD_NAMESPACE")
      ->capture_default_str();
  app.add_option("--identity", options.identity,
                 "Name in the leader lease; default: host name and a random part")
      ->envname("POD_NAME");
  app.add_option(
         "--replica-selector", options.replica_selector,
         "Labels of the operator's own pods, as KEY=VALUE,...: a replica that was there and "
         "does not answer any more is evicted, so that no pod waits for it; empty: off")
      ->type_name("LABELS");
  app.add_option("--leader-election", options.leader_election,
                 "Write only while holding the lease; false is for a single replica")
      ->capture_default_str();
  app.add_option("--workers", options.workers, "Reconciles at a time, each controller")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
}

void AddServingFlags(CLI::App& app, Options& options, std::string& lifetime) {
  const auto port = CLI::Range(1, 65535);
  app.add_option("--bind-address", options.bind_address, "Address of all servers")
      ->capture_default_str();
  app.add_option("--webhook-port", options.webhook_port, "HTTPS port of the pod webhook")
      ->check(port)
      ->capture_default_str();
  app.add_option("--metrics-port", options.metrics_port, "Port of /metrics")
      ->check(port)
      ->capture_default_str();
  app.add_option("--health-port", options.health_port, "Port of /healthz and /readyz")
      ->check(port)
      ->capture_default_str();
  app.add_option(
         "--webhook-service", options.webhook_service,
         "Service (in the operator's namespace) by which the API server reaches the webhook")
      ->capture_default_str();
  app.add_option("--webhook-url", options.webhook_url,
                 "https://HOST:PORT of the webhook instead of a Service, for an operator outside "
                 "the cluster");
  app.add_option("--owner-cluster-role", options.owner_cluster_role,
                 "ClusterRole that owns the webhook configuration, which goes when it goes; empty: "
                 "none")
      ->capture_default_str();
  app.add_option("--certificate-lifetime", lifetime,
                 "Life of the webhook's certificate; replaced after two thirds of it")
      ->type_name("DURATION")
      ->default_str("2160h");
}

void AddSidecarFlags(CLI::App& app, Options& options) {
  app.add_option("--sidecar-image", options.sidecar_image, "Image of the injected sidecar")
      ->envname("TRACEKEEPER_SIDECAR_IMAGE");
  app.add_option(
         "--read-sidecars", options.read_sidecars,
         "Ask sidecars which configuration they use, for the condition ConfigurationInSync; "
         "false where a NetworkPolicy keeps the operator from pods")
      ->capture_default_str();
  app.add_flag("--nudge-pods", options.nudge_pods,
               "Annotate pods whose sidecar is behind, so that its configuration comes within a "
               "second and not within a minute; needs the right to patch pods");
}

// Same form as in the CRD: hours, minutes, seconds in this order, such as 1h30m.
std::optional<Duration> ParseLifetime(const std::string& text) {
  std::int64_t seconds = 0;
  std::int64_t number = 0;
  bool has_digits = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9' && number < 1'000'000) {
      number = number * 10 + (c - '0');
      has_digits = true;
      continue;
    }
    const std::int64_t unit = c == 'h' ? 3600 : c == 'm' ? 60 : c == 's' ? 1 : 0;
    if (unit == 0 || !has_digits) return std::nullopt;
    seconds += number * unit;
    number = 0;
    has_digits = false;
  }
  if (has_digits || seconds == 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

void AddRightsFlag(CLI::App& app, Options& options) {
  const auto parse = [&options](const std::string& text) {
    const auto period = ParseLifetime(text);
    if (!period) {
      throw CLI::ValidationError("--rights-check-period",
                                 "\"" + text + "\" is no duration: write 10m or 30s");
    }
    options.rights_check_period = *period;
  };
  app.add_option("--secret-namespaces", options.secret_namespaces,
                 "Namespaces whose Secrets the operator may work with, with commas between them: "
                 "those of VaultConnections, and of policies with credentials")
      ->type_name("NAMESPACES")
      ->delimiter(',');
  app.add_option_function<std::string>(
         "--rights-check-period", parse,
         "How often the operator asks whether it has its rights, and logs those that are missing")
      ->type_name("DURATION")
      ->default_str("10m");
}

// Empty when all fits together, else the sentence for the user.
std::string Check(const Options& options) {
  if (options.sidecar_image.empty()) {
    return "--sidecar-image is empty: name the image that is injected, such as "
           "registry.example.com/tracekeeper-sidecar:0.1.0";
  }
  if (options.nudge_pods && !options.read_sidecars) {
    return "--nudge-pods needs --read-sidecars=true: only sidecars that say that they are behind "
           "are "
           "nudged";
  }
  if (!options.webhook_url.empty() && !options.webhook_url.starts_with("https://")) {
    return "--webhook-url must start with https://: API servers call webhooks over TLS only";
  }
  if (options.certificate_lifetime < kMinimumLifetime) {
    return "--certificate-lifetime must be at least 10s, so that API servers can follow a rotation";
  }
  if (options.webhook_port == options.metrics_port || options.webhook_port == options.health_port ||
      options.metrics_port == options.health_port) {
    return "--webhook-port, --metrics-port and --health-port must differ";
  }
  const std::pair<const char*, std::uint16_t> ports[] = {{"--webhook-port", options.webhook_port},
                                                         {"--metrics-port", options.metrics_port},
                                                         {"--health-port", options.health_port}};
  return CheckAnalyzer(options.analyzer, ports);
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  constexpr int kUsageError = 2;
  Options options;
  std::string lifetime = "2160h";
  std::string level = "info";

  CLI::App app(kDescription, "tracekeeper-operator");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string(kVersion));
  AddConnectionFlags(app, options);
  AddServingFlags(app, options, lifetime);
  AddSidecarFlags(app, options);
  AddRightsFlag(app, options);
  AddAnalyzerFlags(app, options.analyzer);
  app.add_option("--log-level", level, "debug, info, warn or error")->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  const auto parsed_level = ParseLogLevel(level);
  const auto parsed_lifetime = ParseLifetime(lifetime);
  if (parsed_level) options.log_level = *parsed_level;
  if (parsed_lifetime) options.certificate_lifetime = *parsed_lifetime;
  const std::string problem = !parsed_level      ? parsed_level.error().message
                              : !parsed_lifetime ? "--certificate-lifetime \"" + lifetime +
                                                       "\" is no duration: write 2160h or 1h30m"
                                                 : Check(options);
  if (problem.empty()) return options;
  std::cerr << "tracekeeper-operator: " << problem << "\nRun with --help for more.\n";
  return kUsageError;
}

}  // namespace tracekeeper::app
