#include "src/otlp/sampler.h"

#include <algorithm>
#include <cmath>

#include "src/otlp/tracestate.h"

namespace tracekeeper::otlp {
namespace {

constexpr std::size_t kMaxRatioText = 20;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Of the trailing 56 bits of the trace id, unless the trace carries its own.
std::uint64_t RandomnessOf(const TraceId& trace_id, const OtEntry& entry) {
  return entry.randomness.value_or(trace_id.low & (kSamplingRange - 1));
}

}  // namespace

Result<Sampler> Sampler::ForRatio(std::string_view ratio) {
  const auto refuse = [&] {
    return Fail(ErrorKind::kInvalid,
                "sampling ratio '{}': write a decimal between 0 and 1, such as \"0.25\"",
                ratio.substr(0, 40));
  };
  const bool plain =
      !ratio.empty() && ratio.size() <= kMaxRatioText && IsDigit(ratio.front()) &&
      IsDigit(ratio.back()) && std::count(ratio.begin(), ratio.end(), '.') <= 1 &&
      std::all_of(ratio.begin(), ratio.end(), [](char c) { return IsDigit(c) || c == '.'; });
  if (!plain) return refuse();

  long double value = 0;
  long double unit = 0;  // 0 before the point
  for (const char c : ratio) {
    if (c == '.') {
      unit = 1;
      continue;
    }
    const auto digit = static_cast<long double>(c - '0');
    if (unit == 0) {
      value = value * 10 + digit;
    } else {
      unit /= 10;
      value += digit * unit;
    }
  }
  if (value > 1) return refuse();
  const auto range = static_cast<long double>(kSamplingRange);
  return Sampler(kSamplingRange - static_cast<std::uint64_t>(std::llroundl(value * range)));
}

Sampler::Decision Sampler::Decide(const std::optional<TraceId>& trace_id,
                                  std::string_view tracestate) const {
  if (keeps_everything()) return {};
  if (threshold_ >= kSamplingRange) return {.keep = false};
  if (!trace_id) return {};
  const OtEntry entry = ReadOtEntry(tracestate);
  const std::uint64_t randomness = RandomnessOf(*trace_id, entry);
  if (randomness < threshold_) return {.keep = false};
  // A threshold that this span could not have passed was not written by a consistent sampler.
  const bool was_stricter =
      entry.threshold && *entry.threshold >= threshold_ && randomness >= *entry.threshold;
  if (was_stricter) return {};
  return {.keep = true, .tracestate = WithThreshold(tracestate, threshold_)};
}

}  // namespace tracekeeper::otlp
