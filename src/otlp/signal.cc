#include "src/otlp/signal.h"

namespace tracekeeper::otlp {
namespace {

struct Names {
  std::string_view name;
  std::string_view items;
  std::string_view http_path;
  std::string_view grpc_method;
};

constexpr PerSignal<Names> kNames = {{
    {"traces", "spans", "/v1/traces",
     "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
    {"metrics", "data points", "/v1/metrics",
     "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"},
    {"logs", "log records", "/v1/logs",
     "/opentelemetry.proto.collector.logs.v1.LogsService/Export"},
}};

std::optional<Signal> Find(std::string_view Names::* field, std::string_view value) {
  for (const Signal signal : kSignals) {
    if (kNames[IndexOf(signal)].*field == value) return signal;
  }
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(Signal signal) { return kNames[IndexOf(signal)].name; }
std::string_view ItemsOf(Signal signal) { return kNames[IndexOf(signal)].items; }
std::string_view HttpPathOf(Signal signal) { return kNames[IndexOf(signal)].http_path; }
std::string_view GrpcMethodOf(Signal signal) { return kNames[IndexOf(signal)].grpc_method; }

std::optional<Signal> SignalOfHttpPath(std::string_view path) {
  return Find(&Names::http_path, path);
}
std::optional<Signal> SignalOfGrpcMethod(std::string_view method) {
  return Find(&Names::grpc_method, method);
}

}  // namespace tracekeeper::otlp
