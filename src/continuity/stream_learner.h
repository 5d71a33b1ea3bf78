#pragma once
// StreamLearner learns the profile of a stream from a sample of it: of every interval, the traces
// whose hashes are smallest, which is a fair draw whatever their order; of the last few intervals
// together, a Profile.
//
// What a service or an address was known to be is kept for an hour after it was last learned, so
// that one which is rarely called is not forgotten between two calls.
//
// The settle window follows how unevenly spans arrive: twice the largest spread of an instance's
// lags, within bounds. Where the first sample shows that it was drawn with a window that was too
// short, so that traces were cut, it is thrown away and another one drawn.
//
// Threads:  one thread.
// Owner:    shapes and names outlive it.
// Cost:     holds `traces` traces an interval; learns all of them again at the end of each.
// Source:   docs/reference/verdicts.md, sections 5 and 7.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/continuity/arrival_lags.h"
#include "src/continuity/names.h"
#include "src/continuity/profile.h"
#include "src/continuity/shape.h"
#include "src/continuity/span.h"
#include "src/continuity/span_table.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

/// All that came of one trace id until it was settled.
struct SampledTrace {
  std::uint64_t hash = 0;
  otlp::TraceId id;
  std::vector<Span> spans;
};

class StreamLearner {
 public:
  struct Options {
    Tick warm_up = 300;   // until the first profile
    Tick interval = 600;  // from then on
    std::size_t intervals = 5;
    std::size_t traces = 4000;       // of an interval
    std::size_t trace_spans = 1000;  // larger traces teach nothing
    Tick memory = 36'000;            // of services and addresses
    /// At least; and at most kMostTimes as long.
    Microseconds settle_window = Profile().settle_window;
  };
  static constexpr Microseconds kMostTimes = 6;

  StreamLearner(const Options& options, const ShapeTable& shapes, Names& names)
      : options_(options), shapes_(shapes), names_(names), settle_window_(options.settle_window) {}

  /// Traces with a larger hash need not be offered.
  [[nodiscard]] std::uint64_t sample_below() const;
  void Offer(SampledTrace trace);
  void Offer(const ArrivalLag& lag) { lags_.Add(lag); }
  /// As it was learned last: what is sampled should be settled by it.
  [[nodiscard]] Microseconds settle_window() const { return settle_window_; }
  /// A profile at the end of each interval.
  std::optional<Profile> Advance(Tick now);

 private:
  void LearnSettleWindow();
  Profile LearnProfile() const;
  void Remember(Profile& profile, Tick now);

  const Options options_;
  const ShapeTable& shapes_;
  Names& names_;
  std::vector<SampledTrace> sample_;               // a heap, the largest hash first
  std::deque<std::vector<SampledTrace>> samples_;  // of the last intervals
  ArrivalLags lags_;                               // of this interval
  std::deque<Microseconds> settle_windows_;        // by the last intervals
  Microseconds settle_window_;                     // the longest of them
  Tick next_ = 0;
  bool has_begun_ = false;
  bool has_drawn_again_ = false;
  std::unordered_map<NameId, Tick> instrumented_;  // services, and when they were learned last
  std::unordered_map<NameId, std::pair<NameId, Tick>> addresses_;
};

}  // namespace tracekeeper::continuity
