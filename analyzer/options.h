#pragma once
// Options of tracekeeper-analyzer: from a file (--config, YAML) and from flags, which win. The file
// is read again while the program runs, for what can change then: logLevel, and the policies of
// files. What stands in the files of TLS is no option, and is looked at by itself.
//
// Threads:  values and pure functions; files are read by the calling thread.
// Failure:  a sentence that names the file or flag, what stands there and what may stand there.

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "src/analysis/analysis_settings.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/codec/fields.h"

namespace tracekeeper::analyzer {

/// What stands in the configuration file.
struct Options : analysis::AnalysisSettings {
  std::string address = "::";
  std::int64_t otlp_grpc_port = 4317;
  std::int64_t otlp_http_port = 4318;
  std::int64_t metrics_port = 9464;
  std::int64_t api_port = 8085;
  std::int64_t shards = 1;
  double drain_seconds = 10;
  double poll_seconds = 10;
  std::string log_level = "info";
  std::vector<std::string> policies;
  /// Policies come from the API server, and not from files.
  bool kubernetes = false;
  std::string kubeconfig;
  std::string context;
  std::string namespace_name;
  /// Files of PEM for the OTLP ports; empty: without TLS, without client certificates.
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_client_ca;

  bool operator==(const Options&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{Field("address", &Options::address),
                      Field("otlpGrpcPort", &Options::otlp_grpc_port),
                      Field("otlpHttpPort", &Options::otlp_http_port),
                      Field("metricsPort", &Options::metrics_port),
                      Field("apiPort", &Options::api_port),
                      Field("shards", &Options::shards),
                      Field("memoryMiB", &Options::memory_mib),
                      Field("queueMiB", &Options::queue_mib),
                      Field("maxEdges", &Options::max_edges),
                      Field("maxServices", &Options::max_services),
                      Field("maxPolicies", &Options::max_policies),
                      Field("settleSeconds", &Options::settle_seconds),
                      Field("joinSeconds", &Options::join_seconds),
                      Field("repairSeconds", &Options::repair_seconds),
                      Field("warmUpSeconds", &Options::warm_up_seconds),
                      Field("learningSeconds", &Options::learning_seconds),
                      Field("drainSeconds", &Options::drain_seconds),
                      Field("pollSeconds", &Options::poll_seconds),
                      Field("logLevel", &Options::log_level),
                      Field("policies", &Options::policies),
                      Field("kubernetes", &Options::kubernetes),
                      Field("kubeconfig", &Options::kubeconfig),
                      Field("context", &Options::context),
                      Field("namespace", &Options::namespace_name),
                      Field("tlsCertificate", &Options::tls_certificate),
                      Field("tlsKey", &Options::tls_key),
                      Field("tlsClientCa", &Options::tls_client_ca)};
  }
};

/// What was asked for on the command line.
struct CommandLine {
  Options options;
  std::string config_file;             // empty: none
  std::vector<std::string> arguments;  // to lay over the file again
};

/// The program should end now: help or version were asked for, or the arguments cannot be.
struct Exit {
  int code = 0;
  std::string output;  // to standard output when code is 0, else to standard error
};

/// Exit codes: 0 help and version, 2 arguments or a file that cannot be.
std::variant<CommandLine, Exit> ParseOptions(std::vector<std::string> arguments);

/// What the file says now, with the flags of the command line over it.
Result<Options> ReadAgain(const CommandLine& command_line);

}  // namespace tracekeeper::analyzer
