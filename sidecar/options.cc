#include "sidecar/options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "src/base/version.h"
#include "src/config/sidecar_config.h"

namespace tracekeeper::sidecar {
namespace {

constexpr const char* kDescription =
    "Tracekeeper's sidecar: takes the telemetry of its pod's application and relays it as the\n"
    "TracingPolicy says.\n"
    "\n"
    "It takes OTLP over HTTP and gRPC on loopback ports, delivers it in batches, tries again "
    "while\n"
    "the backend is away, and counts everything that it had to drop. Its configuration is read\n"
    "again whenever it changes. This version does not proxy requests yet.";

constexpr const char* kFooter =
    "Pages on the status port:\n"
    "  /healthz   200 while the program runs\n"
    "  /readyz    200 once a configuration is in use, 503 and the reason before and while "
    "draining\n"
    "  /status    JSON: version, configuration in use and its digest, relay, credential versions\n"
    "  /metrics   tracekeeper_sidecar_* in Prometheus' text format\n"
    "\n"
    "Signals: SIGTERM and SIGINT drain and end, a second one ends at once; SIGHUP reads the file "
    "now.\n"
    "\n"
    "Examples:\n"
    "  tracekeeper-sidecar\n"
    "  tracekeeper-sidecar --config ./config.yaml --status-address 127.0.0.1 --status-port 19465\n"
    "\n"
    "Exit codes: 0 drained after a signal, 1 could not start or serve, 2 wrong arguments.";

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

std::variant<Options, Exit> ParseOptions(int argc, const char* const* argv) {
  CLI::App app(kDescription, "tracekeeper-sidecar");
  app.footer(kFooter);
  app.set_version_flag("--version", fmt::format("tracekeeper-sidecar {}", kVersion),
                       "Print the version and end");
  Options options{.config_file = std::string(config::kSidecarConfigFile),
                  .status_address = "::",
                  .status_port = config::kSidecarStatusPort};
  double poll_seconds = 10;
  double drain_seconds = 10;
  std::string level;
  app.add_option("--config", options.config_file,
                 "Configuration file; may appear later, may be replaced at any time")
      ->capture_default_str()
      ->type_name("FILE");
  app.add_option("--status-address", options.status_address,
                 "Address of the status port; \"::\" is every address, IPv4 too")
      ->capture_default_str()
      ->type_name("IP");
  app.add_option("--status-port", options.status_port,
                 "Port of /healthz, /readyz, /status and /metrics; 0 takes a free one and logs it")
      ->capture_default_str()
      ->type_name("PORT");
  app.add_option("--poll-seconds", poll_seconds,
                 "Look at the file this often even if no change was announced")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0))
      ->type_name("SECONDS");
  app.add_option("--drain-seconds", drain_seconds,
                 "After SIGTERM, deliver what is queued for this long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 600.0))
      ->type_name("SECONDS");
  app.add_option("--log-level", level, "debug, info, warn or error; wins over the configuration's")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->type_name("LEVEL");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream out;
    app.exit(help_or_version, out, out);
    return Exit{0, out.str()};
  } catch (const CLI::ParseError& error) {
    return Exit{2, fmt::format("tracekeeper-sidecar: {}\nRun tracekeeper-sidecar --help for the "
                               "options.\n",
                               error.what())};
  }
  options.poll_interval = Seconds(poll_seconds);
  options.drain_deadline = Seconds(drain_seconds);
  if (!level.empty()) options.log_level = *ParseLogLevel(level);
  return options;
}

}  // namespace tracekeeper::sidecar
