#pragma once
// Options of tracekeeper-analyzer: from a file (--config, YAML) and from flags, which win. The file
// is read again while the program runs, for what can change then: logLevel, and the policies.
//
// Threads:  values and pure functions; files are read by the calling thread.
// Failure:  a sentence that names the file or flag, what stands there and what may stand there.

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "src/base/log.h"
#include "src/base/result.h"
#include "src/codec/fields.h"

namespace tracekeeper::analyzer {

/// What stands in the configuration file.
struct Options {
  std::string address = "::";
  std::int64_t otlp_grpc_port = 4317;
  std::int64_t otlp_http_port = 4318;
  std::int64_t metrics_port = 9464;
  std::int64_t api_port = 8085;
  std::int64_t shards = 1;
  std::int64_t memory_mib = 256;
  std::int64_t queue_mib = 64;
  std::int64_t max_edges = 2000;
  std::int64_t max_services = 2000;
  std::int64_t max_policies = 1000;
  double settle_seconds = 10;
  double join_seconds = 10;
  double repair_seconds = 600;
  double warm_up_seconds = 30;
  double learning_seconds = 60;
  double drain_seconds = 10;
  double poll_seconds = 10;
  std::string log_level = "info";
  std::vector<std::string> policies;

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
                      Field("policies", &Options::policies)};
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
