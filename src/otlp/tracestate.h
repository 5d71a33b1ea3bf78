#pragma once
// The `ot` entry of a W3C tracestate: the sampling threshold `th` and the explicit randomness `rv`
// that OpenTelemetry's consistent probability sampling writes there.
//
//   ot=th:c;rv:6e6d1a75832a2f,vendor=x
//
// Threads:  pure functions of text that applications chose.
// Failure:  what cannot be read counts as absent; nothing is ever refused.
// Source:   OpenTelemetry specification, "TraceState: Probability Sampling"; W3C Trace Context 3.3.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tracekeeper::otlp {

/// 56 bits: what th and rv count in.
inline constexpr std::uint64_t kSamplingRange = std::uint64_t{1} << 56U;

struct OtEntry {
  bool is_present = false;
  std::optional<std::uint64_t> threshold;   // th
  std::optional<std::uint64_t> randomness;  // rv
};

/// What the first `ot` entry of `tracestate` says.
[[nodiscard, gnu::noinline]] OtEntry ReadOtEntry(std::string_view tracestate);

/// `tracestate` with `th` set to `threshold` in its `ot` entry, which comes first as the W3C wants
/// it of whoever changes one. Other entries and other fields of `ot` stay, in their order; beyond
/// 32 entries the last one goes.
[[nodiscard]] std::string WithThreshold(std::string_view tracestate, std::uint64_t threshold);

/// 1 to 14 hexadecimal digits without trailing zeros; "0" for zero.
[[nodiscard]] std::string ThresholdText(std::uint64_t threshold);

}  // namespace tracekeeper::otlp
