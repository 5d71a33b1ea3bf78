#include "analyzer/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <utility>

#include "analyzer/text_file.h"
#include "src/base/version.h"
#include "src/codec/decode.h"
#include "src/codec/json_value.h"
#include "src/codec/yaml.h"

namespace tracekeeper::analyzer {
namespace {

constexpr const char* kDescription =
    "Tracekeeper's analyzer: takes spans and log records as OTLP, judges of every hop whether it "
    "kept\nits trace context, and tells it as metrics and as JSON.";

constexpr const char* kFooter =
    "Ports (all can be moved; one that is taken stops the start with a sentence):\n"
    "  4317 OTLP over gRPC, 4318 OTLP over HTTP (protobuf and JSON, plain, gzip, deflate, zstd)\n"
    "  9464 /metrics (OpenMetrics with exemplars where asked for), /healthz, /readyz\n"
    "  8085 /api/v1/edges, breaks, traces/ID, gate, health; openapi.json describes them\n"
    "\n"
    "The file of --config holds the same options in YAML: otlpGrpcPort, otlpHttpPort, "
    "metricsPort,\n"
    "apiPort, address, shards, memoryMiB, queueMiB, maxEdges, maxServices, maxPolicies,\n"
    "settleSeconds, joinSeconds, repairSeconds, warmUpSeconds, learningSeconds, drainSeconds,\n"
    "pollSeconds, logLevel, policies, kubernetes, kubeconfig, context, namespace,\n"
    "tlsCertificate, tlsKey, tlsClientCa. Flags win. File, policies and certificates are looked "
    "at\n"
    "again while the program runs; they and logLevel take effect at once, other options with the "
    "next\n"
    "start.\n"
    "\n"
    "With --kubernetes policies are those of the cluster, as they change. It needs the rights to "
    "list\n"
    "and watch tracingpolicies.tracekeeper.dev and pods; what it may not read it says in the log, "
    "and\n"
    "judges without.\n"
    "\n"
    "Signals: SIGTERM and SIGINT judge what is pending and end, a second one ends at once; SIGHUP\n"
    "reads file, policies and certificates now.\n"
    "\n"
    "With --tls-certificate and --tls-key the OTLP ports speak TLS, 1.2 or newer, and with\n"
    "--tls-client-ca only with clients that show a certificate of these authorities.\n"
    "\n"
    "Examples:\n"
    "  tracekeeper-analyzer\n"
    "  tracekeeper-analyzer --config analyzer.yaml --policy policies/\n"
    "  tracekeeper-analyzer --kubernetes --kubeconfig ~/.kube/config --namespace shop\n"
    "  tracekeeper-analyzer --address 127.0.0.1 --warm-up-seconds 5 --settle-seconds 2\n"
    "  tracekeeper-analyzer --tls-certificate tls.crt --tls-key tls.key --tls-client-ca ca.crt\n"
    "  curl -s localhost:8085/api/v1/breaks\n"
    "\n"
    "Exit codes: 0 drained after a signal, 1 could not start or serve, 2 wrong arguments.";

void AddPorts(CLI::App& app, Options& options) {
  const auto add = [&app](const char* flag, std::int64_t& port, const char* what) {
    app.add_option(flag, port, what)
        ->capture_default_str()
        ->check(CLI::Range(0, 65535))
        ->type_name("PORT");
  };
  app.add_option("--address", options.address,
                 "Address of all ports; \"::\" is every address, IPv4 too")
      ->capture_default_str()
      ->type_name("IP");
  add("--otlp-grpc-port", options.otlp_grpc_port, "OTLP over gRPC; 0 takes a free one and logs it");
  add("--otlp-http-port", options.otlp_http_port, "OTLP over HTTP");
  add("--metrics-port", options.metrics_port, "/metrics, /healthz, /readyz");
  add("--api-port", options.api_port, "/api/v1");
}

void AddRunning(CLI::App& app, Options& options) {
  app.add_option("--shards", options.shards, "Parts of the span table, each with its budget")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  const auto add = [&app](const char* flag, double& seconds, double least, const char* what) {
    app.add_option(flag, seconds, what)
        ->capture_default_str()
        ->check(CLI::Range(least, 86400.0))
        ->type_name("SECONDS");
  };
  add("--drain-seconds", options.drain_seconds, 0,
      "After SIGTERM, how long requests under way may take");
  add("--poll-seconds", options.poll_seconds, 0.1,
      "How often the file, policies and certificates are looked at");
}

void AddPolicies(CLI::App& app, Options& options) {
  app.add_option("--policy", options.policies,
                 "Files or folders with TracingPolicies, for their slo.entrypoints and slo.exclude")
      ->type_name("FILE");
  app.add_flag("--kubernetes", options.kubernetes,
               "Take the TracingPolicies of the cluster instead, and which pods they injected");
  app.add_option("--kubeconfig", options.kubeconfig,
                 "With --kubernetes: kubeconfig file; without it $KUBECONFIG, the pod's service "
                 "account, then ~/.kube/config")
      ->type_name("FILE");
  app.add_option("--context", options.context, "Context of the kubeconfig")->type_name("NAME");
  app.add_option("--namespace", options.namespace_name,
                 "Only policies and pods of this namespace: rights in it are enough")
      ->type_name("NAME");
}

void AddTls(CLI::App& app, Options& options) {
  app.add_option("--tls-certificate", options.tls_certificate,
                 "Certificate chain of the OTLP ports in PEM, their own first: they speak TLS then")
      ->type_name("FILE");
  app.add_option("--tls-key", options.tls_key, "Its private key in PEM")->type_name("FILE");
  app.add_option("--tls-client-ca", options.tls_client_ca,
                 "Authorities in PEM: who sends must show a certificate that one of them signed")
      ->type_name("FILE");
}

void AddOptions(CLI::App& app, Options& options, std::string& config_file) {
  app.add_option("--config", config_file, "Configuration in YAML")->type_name("FILE");
  AddPorts(app, options);
  AddAnalysisFlags(app, options);
  AddRunning(app, options);
  AddPolicies(app, options);
  AddTls(app, options);
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->type_name("LEVEL");
}

Result<Options> ReadConfig(const std::string& file) {
  const std::string text = TRY(ReadTextFile(file));
  const auto documents = codec::YamlToJson(text);
  if (!documents) return Fail(Error(documents.error()).Within(file));
  if (documents->empty()) return Options();
  if (documents->size() > 1) return Fail(ErrorKind::kInvalid, "{}: more than one document", file);
  codec::JsonParser parser;
  const auto root = parser.Parse(documents->front());
  if (!root) return Fail(Error(root.error()).Within(file));
  auto decoded = codec::DecodeReportingUnknown<Options>(*root);
  if (!decoded) return Fail(std::move(decoded).error().Within(file));
  if (decoded->unknown_fields.empty()) return std::move(decoded->value);
  return Fail(ErrorKind::kInvalid, "{}: no option {}: --help lists all", file,
              fmt::join(decoded->unknown_fields, ", "));
}

/// One source of policies, and only options of that one.
Status CheckPolicies(const Options& options) {
  if (options.kubernetes && !options.policies.empty()) {
    return Fail(ErrorKind::kInvalid,
                "policies come from files (--policy, policies) or from the API server "
                "(--kubernetes, kubernetes), not from both: leave out one of the two");
  }
  const std::pair<const char*, const std::string&> of_kubernetes[] = {
      {"kubeconfig", options.kubeconfig},
      {"context", options.context},
      {"namespace", options.namespace_name}};
  for (const auto& [name, value] : of_kubernetes) {
    if (options.kubernetes || value.empty()) continue;
    return Fail(ErrorKind::kInvalid,
                "{} is for policies of the API server: add --kubernetes, or kubernetes: true",
                name);
  }
  return {};
}

Status CheckTls(const Options& options) {
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return Fail(
        ErrorKind::kInvalid, "{} is missing: TLS needs a certificate and its key",
        options.tls_key.empty() ? "tlsKey (--tls-key)" : "tlsCertificate (--tls-certificate)");
  }
  if (options.tls_certificate.empty() && !options.tls_client_ca.empty()) {
    return Fail(ErrorKind::kInvalid,
                "tlsClientCa is for ports that speak TLS: add --tls-certificate and --tls-key");
  }
  return {};
}

/// What the flags' own checks do not see: options that came from the file.
Status Check(const Options& options) {
  const std::pair<const char*, std::int64_t> ports[] = {{"otlpGrpcPort", options.otlp_grpc_port},
                                                        {"otlpHttpPort", options.otlp_http_port},
                                                        {"metricsPort", options.metrics_port},
                                                        {"apiPort", options.api_port}};
  for (const auto& [name, port] : ports) {
    if (port < 0 || port > 65535) return Fail(ErrorKind::kInvalid, "{}: no port {}", name, port);
    const auto is_same = [wanted = port](const auto& other) { return other.second == wanted; };
    if (port != 0 && std::ranges::count_if(ports, is_same) > 1) {
      return Fail(ErrorKind::kInvalid, "port {} is given to two servers", port);
    }
  }
  const std::pair<const char*, double> positive[] = {
      {"shards", static_cast<double>(options.shards)},
      {"memoryMiB", static_cast<double>(options.memory_mib)},
      {"queueMiB", static_cast<double>(options.queue_mib)},
      {"maxEdges", static_cast<double>(options.max_edges)},
      {"maxServices", static_cast<double>(options.max_services)},
      {"maxPolicies", static_cast<double>(options.max_policies)},
      {"settleSeconds", options.settle_seconds},
      {"joinSeconds", options.join_seconds},
      {"repairSeconds", options.repair_seconds},
      {"warmUpSeconds", options.warm_up_seconds},
      {"learningSeconds", options.learning_seconds},
      {"pollSeconds", options.poll_seconds}};
  constexpr double kMost = 1'000'000;
  for (const auto& [name, value] : positive) {
    if (value > 0 && value <= kMost) continue;
    return Fail(ErrorKind::kInvalid, "{} must be more than 0 and at most {}", name, kMost);
  }
  if (options.shards > 256) return Fail(ErrorKind::kInvalid, "shards: at most 256");
  TRY(ParseLogLevel(options.log_level));
  TRY(CheckTls(options));
  return CheckPolicies(options);
}

/// Flags over what the file says.
Result<CommandLine> LayOver(const std::vector<std::string>& arguments, Options options) {
  CommandLine command_line{.options = {}, .config_file = {}, .arguments = arguments};
  CLI::App app;
  AddOptions(app, options, command_line.config_file);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorKind::kInvalid, "{}", error.what());
  }
  TRY(Check(options));
  command_line.options = std::move(options);
  return command_line;
}

Exit Refused(std::string_view what) {
  return {2, fmt::format("tracekeeper-analyzer: {}\nRun tracekeeper-analyzer --help for the "
                         "options.\n",
                         what)};
}

}  // namespace

std::variant<CommandLine, Exit> ParseOptions(std::vector<std::string> arguments) {
  CLI::App app(kDescription, "tracekeeper-analyzer");
  app.footer(kFooter);
  app.set_version_flag("--version", fmt::format("tracekeeper-analyzer {}", kVersion),
                       "Print the version and end");
  Options defaults;
  std::string config_file;
  AddOptions(app, defaults, config_file);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream out;
    app.exit(help_or_version, out, out);
    return Exit{0, out.str()};
  } catch (const CLI::ParseError& error) {
    return Refused(error.what());
  }
  CommandLine command_line{
      .options = {}, .config_file = config_file, .arguments = std::move(arguments)};
  auto options = ReadAgain(command_line);
  if (!options) return Refused(options.error().message);
  command_line.options = *std::move(options);
  return command_line;
}

Result<Options> ReadAgain(const CommandLine& command_line) {
  Options from_file;
  if (!command_line.config_file.empty()) from_file = TRY(ReadConfig(command_line.config_file));
  return TRY(LayOver(command_line.arguments, std::move(from_file))).options;
}

}  // namespace tracekeeper::analyzer
