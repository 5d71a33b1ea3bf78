#pragma once
// Sampler keeps a share of all traces, the same ones that every other consistent sampler of
// OpenTelemetry keeps at that ratio, and writes the threshold on what it keeps, so that backends
// can count back to what there was.
//
// Two samplers in a row keep what the stricter one keeps alone: a span that passed a stricter
// threshold before stays as it is.
//
// Threads:  an immutable value.
// Source:   OpenTelemetry specification, "TraceState: Probability Sampling"; the "equalizing" mode
//           of the Collector's probabilistic sampler.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::otlp {

class Sampler {
 public:
  /// Keeps everything and changes nothing.
  Sampler() = default;
  /// `ratio` is a decimal between "0" and "1", as policies write it; kInvalid for anything else.
  static Result<Sampler> ForRatio(std::string_view ratio);

  struct Decision {
    bool keep = true;
    /// Set: the span's tracestate must become this.
    std::optional<std::string> tracestate = std::nullopt;
  };
  /// A span without a usable trace id is kept as it is: nothing can be decided of it alone.
  [[nodiscard]] Decision Decide(const std::optional<TraceId>& trace_id,
                                std::string_view tracestate) const;

  /// True where no span is dropped or changed, so nobody needs to look at any.
  [[nodiscard]] bool keeps_everything() const { return threshold_ == 0; }
  /// Randomness below this is dropped; kSamplingRange drops all.
  [[nodiscard]] std::uint64_t threshold() const { return threshold_; }

  bool operator==(const Sampler&) const = default;

 private:
  explicit Sampler(std::uint64_t threshold) : threshold_(threshold) {}

  std::uint64_t threshold_ = 0;
};

}  // namespace tracekeeper::otlp
