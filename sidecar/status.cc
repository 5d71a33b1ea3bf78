#include "sidecar/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "sidecar/metrics_text.h"
#include "sidecar/relay_pages.h"
#include "sidecar/timestamp.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::sidecar {
namespace {

constexpr std::string_view kNotYet = "this version does not proxy requests yet";

net::Response Text(int status, std::string body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body) + "\n"};
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string FullName(const config::PolicyName& policy) {
  return fmt::format("{}/{}", policy.namespace_name, policy.name);
}

/// One word for scripts: what kubectl or a dashboard would show.
std::string_view StateName(const ConfigState& config) {
  if (config.in_use() == nullptr) return config.refused() > 0 ? "refused" : "waiting";
  return config.problem() ? "last_good" : "current";
}

void WriteConfiguration(codec::JsonWriter& json, const ConfigState& config) {
  json.BeginObject().Member("state", StateName(config)).Member("file", config.file());
  if (config.in_use() != nullptr) {
    const ConfigInUse& in_use = *config.in_use();
    json.Member("digest", in_use.digest)
        .Member("policy", FullName(in_use.config.policy))
        .Key("generation")
        .Integer(in_use.config.generation)
        .Member("since", Timestamp(in_use.since));
    json.Key("unknownFields").BeginArray();
    for (const std::string& field : in_use.unknown_fields) json.String(field);
    json.EndArray();
  }
  json.Key("applied").Integer(static_cast<std::int64_t>(config.applied()));
  json.Key("refused").Integer(static_cast<std::int64_t>(config.refused()));
  if (config.problem()) {
    json.Key("lastError")
        .BeginObject()
        .Member("message", config.problem()->message)
        .Member("since", Timestamp(config.problem()->since))
        .EndObject();
  }
  json.EndObject();
}

/// Resident pages of this process; 0 where /proc is not mounted.
double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

net::Response NotFound(std::string_view path) {
  return Text(404, fmt::format("no page {}: there are /healthz, /readyz, /status and /metrics",
                               path.substr(0, 100)));
}

}  // namespace

net::Response Readiness(const ProgramState& state) {
  if (state.draining) return Text(503, "not ready: draining after SIGTERM");
  const ConfigState& config = state.config;
  if (config.in_use() == nullptr) {
    return Text(503, fmt::format("not ready: {}", config.problem() ? config.problem()->message
                                                                   : "has not looked yet"));
  }
  if (const std::string problem = ListeningProblem(state.relay); !problem.empty()) {
    return Text(503, "not ready: cannot take spans: " + problem);
  }
  std::string text =
      fmt::format("ready: configuration {} of policy {} is in use; {}", config.in_use()->digest,
                  FullName(config.in_use()->config.policy), kNotYet);
  if (config.problem()) text += "; " + config.problem()->message;
  return Text(200, std::move(text));
}

std::string StatusJson(const ProgramState& state) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("program", "tracekeeper-sidecar")
      .Member("version", state.version)
      .Member("started", Timestamp(state.started))
      .Key("uptimeSeconds")
      .Double(Seconds(state.uptime))
      .Key("draining")
      .Bool(state.draining);
  json.Key("configuration");
  WriteConfiguration(json, state.config);
  json.Key("credentials");
  WriteCredentials(json, state.relay);
  json.Key("relay");
  WriteRelay(json, state.relay, *state.counters);
  json.Key("serves").BeginObject();
  json.Key("relay").Bool(true).Key("proxy").Bool(false).Member("note", kNotYet).EndObject();
  json.EndObject();
  return json.Take();
}

std::string MetricsText(const ProgramState& state) {
  std::string out;
  const ConfigState& config = state.config;
  AppendFamily(out, "tracekeeper_sidecar_build_info", "gauge", "Always 1; the version is a label.");
  AppendSample(out, fmt::format("tracekeeper_sidecar_build_info{{version=\"{}\"}}", state.version),
               1);
  AppendFamily(out, "tracekeeper_sidecar_config_reloads_total", "counter",
               "Configurations read that differed from the one before, by what became of them.");
  AppendSample(out, "tracekeeper_sidecar_config_reloads_total{result=\"applied\"}",
               static_cast<double>(config.applied()));
  AppendSample(out, "tracekeeper_sidecar_config_reloads_total{result=\"refused\"}",
               static_cast<double>(config.refused()));
  AppendFamily(out, "tracekeeper_sidecar_config_in_use", "gauge",
               "1 while a configuration is in use, be it the last good one.");
  AppendSample(out, "tracekeeper_sidecar_config_in_use", config.in_use() != nullptr ? 1 : 0);
  AppendFamily(out, "tracekeeper_sidecar_config_current", "gauge",
               "1 while what is in use is what the file says; 0 with the reason in /status.");
  AppendSample(out, "tracekeeper_sidecar_config_current", StateName(config) == "current" ? 1 : 0);
  if (config.in_use() != nullptr) {
    AppendFamily(out, "tracekeeper_sidecar_config_applied_timestamp_seconds", "gauge",
                 "When the configuration in use was taken.");
    AppendSample(out, "tracekeeper_sidecar_config_applied_timestamp_seconds",
                 Seconds(config.in_use()->since.time_since_epoch()));
  }
  AppendRelayMetrics(out, state.relay, *state.counters);
  AppendFamily(out, "process_start_time_seconds", "gauge",
               "Start time of the process since the epoch.");
  AppendSample(out, "process_start_time_seconds", Seconds(state.started.time_since_epoch()));
  AppendFamily(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
  AppendSample(out, "process_resident_memory_bytes", ResidentBytes());
  return out;
}

net::Response StatusPages::Handle(const net::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    net::Response response = Text(405, "only GET and HEAD are answered here");
    response.headers.Set("Allow", "GET, HEAD");
    return response;
  }
  const std::string_view path = net::PathOf(request.target);
  if (path == "/healthz") return Text(200, "ok");
  if (path == "/readyz") return Readiness(observe_());
  if (path == "/status") {
    return {200, {{"Content-Type", "application/json"}}, StatusJson(observe_()) + "\n"};
  }
  if (path == "/metrics") {
    return {200,
            {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
            MetricsText(observe_())};
  }
  return NotFound(path);
}

}  // namespace tracekeeper::sidecar
