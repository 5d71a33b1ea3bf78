#pragma once
// What a stream has to say in the end: what the batch engine says of all of the telemetry at once.
//
//   Recorded recorded(spans, logs, policy);
//   StreamEngine engine({}, recorded.names(), recorded.shapes(), recorded.epoch());
//   engine.Insert(recorded.SpanAt(3), now); ...
//   EXPECT_EQ(Difference(recorded.totals(), NetOf(engine.tally(), recorded.names())), "");
//
// Threads:  one thread.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/continuity/cluster_judge.h"
#include "src/continuity/recording.h"
#include "src/continuity/tally.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::continuity {

/// How many units, and findings, by what is said of them in words.
using Totals = std::map<std::string, std::int64_t>;

/// What a tally says now, net of repairs.
Totals NetOf(const Tally& tally, const Names& names);

/// Each entry that differs, a line each: empty where they are equal.
std::string Difference(const Totals& want, const Totals& got);

/// Telemetry as a stream reads it, what the batch engine says of the whole, and what it learned.
class Recorded {
 public:
  Recorded(std::span<const truth::ModelSpan> spans, std::span<const truth::ModelLog> logs,
           const truth::ModelPolicy& policy);

  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] Names& names() { return recording_.names(); }
  [[nodiscard]] const Names& names() const { return recording_.names(); }
  [[nodiscard]] const ShapeTable& shapes() const { return recording_.shapes(); }
  [[nodiscard]] const std::shared_ptr<const Epoch>& epoch() const { return epoch_; }

  /// With what this span alone says of its trace.
  [[nodiscard]] ReadSpan SpanAt(std::size_t index) const;
  [[nodiscard]] const ReadLog& LogAt(std::size_t index) const { return recording_.logs()[index]; }
  [[nodiscard]] std::size_t spans() const { return spans_.size(); }
  [[nodiscard]] std::size_t logs() const { return recording_.logs().size(); }

 private:
  Recording recording_;
  Totals totals_;
  std::shared_ptr<const Epoch> epoch_;
  std::vector<ReadSpan> spans_;
};

}  // namespace tracekeeper::continuity
