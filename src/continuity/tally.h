#pragma once
// Tally counts verdicts as a stream gives them: what was seen, what each unit was judged first, and
// what late spans made of it.
//
// Counters never go down. A verdict that changes is counted as repaired, from one result to another
// (kWithdrawn, where the unit is no more), and `net` is what holds now. Both sides of
//
//   good + bad + excluded + unknown = seen
//
// are counted apart, so that the sum can fail.
//
// Peers choose the names that units are counted by, so there are limits: what is new when they are
// reached is counted as "other". Who has a place keeps it, so a unit is corrected where it was
// counted.
//
// Cost:     about 1 KiB a key, 44 MiB at most.
// Threads:  one thread counts; a copy may be read by others.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "src/continuity/break_sketch.h"
#include "src/continuity/judge.h"
#include "src/continuity/verdict.h"

namespace tracekeeper::continuity {

/// Where a unit is counted.
struct UnitKey {
  Family family = Family::kHop;
  Protocol protocol = Protocol::kHttp;  // of a hop
  NameId policy = 0;
  NameId service = 0;  // of a hop its client; of a request its entry
  NameId server = 0;   // of a hop

  bool operator==(const UnitKey&) const = default;
};

struct UnitKeyHash {
  std::size_t operator()(const UnitKey& key) const;
};

/// Of the span where a unit shows.
struct ShownPlace {
  NameId service = 0;
  NameId peer = 0;  // of a hop: the side that did not record the span
  NameId scope = 0;
  NameId span_name = 0;
};

struct CountedUnit {
  UnitKey key;
  Verdict verdict;
  SpanReference shown_at;
  /// Nothing: all that is known is the service of the key.
  std::optional<ShownPlace> place;
  /// Of a request whose sampling threshold is known: how many requests it stands for; else 0.
  double population = 0;
};

struct CountedFinding {
  Cause cause = Cause::kUnknownCause;
  NameId service = 0;

  auto operator<=>(const CountedFinding&) const = default;
};

/// All that is counted of one group of spans that is judged together.
struct Judgement {
  std::vector<CountedUnit> units;
  std::vector<CountedBreak> findings;
  SeenUnits seen;
};

/// A place in `repaired` beside the outcomes: the unit is no more.
inline constexpr std::size_t kWithdrawn = kOutcomes;

/// The latest unit that was judged so.
struct BreakExemplar {
  Cause cause = Cause::kUnknownCause;
  SpanReference shown_at;
};

struct UnitCounts {
  std::array<std::uint64_t, kVerdictCodes> first{};
  std::array<std::int64_t, kVerdictCodes> net{};
  std::array<std::array<std::uint64_t, kOutcomes + 1>, kOutcomes> repaired{};  // from, to
  std::array<double, kOutcomes> population{};
  std::array<std::uint64_t, kOutcomes> threshold_known{};
  std::vector<BreakExemplar> exemplars;  // one a cause, of those counted first

  void Show(const BreakExemplar& exemplar);
  void Add(const UnitCounts& other);
  void CountFirst(std::size_t code) {
    ++first[code];
    ++net[code];
  }
  void CountPopulation(Outcome outcome, double requests) {
    population[static_cast<std::size_t>(outcome)] += requests;
    ++threshold_known[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] std::uint64_t Of(Outcome outcome) const;
  [[nodiscard]] std::int64_t NetOf(Outcome outcome) const;
};

class Tally {
 public:
  using Units = std::unordered_map<UnitKey, UnitCounts, UnitKeyHash>;
  using Findings = std::map<CountedFinding, std::int64_t>;
  using Seen = std::unordered_map<NameId, std::array<std::uint64_t, kFamilies>>;

  /// Of each of them; "other" comes on top.
  static constexpr std::size_t kMostKeys = 32'768;
  static constexpr std::size_t kMostPolicies = 2048;
  static constexpr std::size_t kMostFindings = 8192;

  void Count(const Judgement& judgement);
  /// `now` in place of `before`, which was counted.
  void Correct(const Judgement& before, const Judgement& now);
  void Add(const Tally& other);
  /// Of it, all but the counts of units.
  void AddBreaks(const Tally& other);
  /// To count units of one key without looking for it; valid as long as the tally.
  UnitCounts& At(const UnitKey& key);
  std::array<std::uint64_t, kFamilies>& SeenOf(NameId policy);

  [[nodiscard]] const Units& units() const { return units_; }
  [[nodiscard]] const Findings& findings() const { return findings_; }  // net
  [[nodiscard]] const Seen& seen() const { return seen_; }              // by policy
  /// Bad units but requests, whose breaks are units or findings themselves; and findings.
  [[nodiscard]] const BreakSketch& breaks() const { return breaks_; }
  /// Of every policy and family.
  [[nodiscard]] bool AddsUp() const;

 private:
  using Codes = std::array<std::int32_t, kVerdictCodes>;

  [[nodiscard]] NameId CountedPolicy(NameId policy);
  [[nodiscard]] CountedFinding CountedAs(CountedFinding finding) const;
  void CountFirst(const CountedUnit& unit);
  void CorrectBreaks(const Judgement& before, const Judgement& now);
  /// Units of one key: fewer of some verdicts, more of others. Returns how many were withdrawn, and
  /// leaves in `change` what is new.
  std::uint64_t Repair(UnitCounts& counts, Codes& change);

  Units units_;
  std::unordered_set<NameId> policies_;  // of units and of what was seen
  Findings findings_;
  Seen seen_;
  BreakSketch breaks_;
};

}  // namespace tracekeeper::continuity
