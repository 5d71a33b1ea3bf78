#pragma once
// Signal is one of the three kinds of telemetry that OTLP carries, with the names each has on the
// wire.
//
// Threads:  values and pure functions.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tracekeeper::otlp {

enum class Signal : std::uint8_t { kTraces, kMetrics, kLogs };

inline constexpr std::array kSignals = {Signal::kTraces, Signal::kMetrics, Signal::kLogs};

constexpr std::size_t IndexOf(Signal signal) { return static_cast<std::size_t>(signal); }

/// One value a signal.
template <typename T>
using PerSignal = std::array<T, kSignals.size()>;

/// "traces", "metrics", "logs": the metric label.
std::string_view NameOf(Signal signal);
/// What is counted of it, for sentences: "spans", "data points", "log records".
std::string_view ItemsOf(Signal signal);
/// "/v1/traces"
std::string_view HttpPathOf(Signal signal);
/// "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
std::string_view GrpcMethodOf(Signal signal);

std::optional<Signal> SignalOfHttpPath(std::string_view path);
std::optional<Signal> SignalOfGrpcMethod(std::string_view method);

}  // namespace tracekeeper::otlp
