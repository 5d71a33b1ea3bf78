#pragma once
// SeriesBook gives what a Tally counts to series: by the texts of its names, and no more of them
// than a scraper should be given. What has a series keeps it; who comes when the room is taken is
// counted as "other", so that no sum changes:
//
//   good + bad + excluded + unknown = units seen     of each policy and family
//
// Threads:  one thread: the engine's.
// Owner:    Analysis.
// Cost:     holds as many keys as there are series at most, however many are counted.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>

#include "src/analysis/label_text.h"
#include "src/continuity/names.h"
#include "src/continuity/tally.h"

namespace tracekeeper::analysis {

struct SeriesLimits {
  std::size_t edges = 2000;
  /// Of requests, steps in a process and log records, each.
  std::size_t services = 2000;
  std::size_t policies = 1000;
};

struct SeriesKey {
  continuity::Family family = continuity::Family::kHop;
  PolicyLabels policy;
  std::string service;  // of a hop its client; of a request its entry
  std::string server;   // of a hop
  continuity::Protocol protocol = continuity::Protocol::kHttp;  // of a hop

  auto operator<=>(const SeriesKey&) const = default;
};

/// All that was counted, as it is shown.
struct SeriesTable {
  using SeenUnits = std::array<std::uint64_t, continuity::kFamilies>;

  std::map<SeriesKey, continuity::UnitCounts> units;
  std::map<PolicyLabels, SeenUnits> seen;
  /// Keys that are counted as "other", of each family; policies too.
  std::array<std::uint64_t, continuity::kFamilies> folded{};
  std::uint64_t folded_policies = 0;
};

class SeriesBook {
 public:
  explicit SeriesBook(const SeriesLimits& limits) : limits_(limits) {}

  using Tallies = std::span<const continuity::Tally* const>;

  /// What they count together.
  SeriesTable Fold(Tallies tallies, const continuity::Names& names);

 private:
  void TakeInPolicies(Tallies tallies, const continuity::Names& names, SeriesTable& table);
  void TakeInKeys(Tallies tallies, const continuity::Names& names);
  [[nodiscard]] std::size_t RoomFor(continuity::Family family) const;
  [[nodiscard]] SeriesKey KeyOf(const continuity::UnitKey& key,
                                const continuity::Names& names) const;
  [[nodiscard]] PolicyLabels ShownAs(const PolicyLabels& policy) const;
  [[nodiscard]] SeriesKey ShownAs(SeriesKey key) const;

  const SeriesLimits limits_;
  std::set<PolicyLabels> policies_;
  std::array<std::set<SeriesKey>, continuity::kFamilies> keys_;
};

}  // namespace tracekeeper::analysis
