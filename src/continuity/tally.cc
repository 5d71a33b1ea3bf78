#include "src/continuity/tally.h"

#include <algorithm>
#include <iterator>

namespace tracekeeper::continuity {
namespace {

std::size_t OutcomeOf(std::size_t code) {
  return static_cast<std::size_t>(VerdictOf(code).outcome);
}

/// Of a request the break is a unit or a finding too.
bool IsBreak(const CountedUnit& unit) {
  return unit.verdict.is_bad() && unit.key.family != Family::kRequest;
}

CountedBreak BreakOf(const CountedUnit& unit) {
  const NameId of_key = unit.key.service != 0 ? unit.key.service : unit.key.server;
  const ShownPlace place = unit.place.value_or(ShownPlace{.service = of_key});
  return {.key = {.cause = unit.verdict.cause,
                  .policy = unit.key.policy,
                  .service = place.service,
                  .peer = place.peer,
                  .scope = place.scope,
                  .span_name = place.span_name},
          .shown_at = unit.shown_at};
}

std::vector<CountedBreak> BreaksOf(const Judgement& judgement) {
  std::vector<CountedBreak> breaks = judgement.findings;
  for (const CountedUnit& unit : judgement.units) {
    if (IsBreak(unit)) breaks.push_back(BreakOf(unit));
  }
  std::ranges::sort(breaks);
  return breaks;
}

CountedFinding FindingOf(const CountedBreak& found) {
  return {.cause = found.key.cause, .service = found.key.service};
}

}  // namespace

std::size_t UnitKeyHash::operator()(const UnitKey& key) const {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;
  std::uint64_t hash =
      static_cast<std::uint64_t>(key.family) * 4 + static_cast<std::uint64_t>(key.protocol);
  for (const NameId name : {key.policy, key.service, key.server}) hash = (hash ^ name) * kOdd;
  return hash ^ hash >> 32U;
}

std::uint64_t UnitCounts::Of(Outcome outcome) const {
  std::uint64_t sum = 0;
  for (std::size_t code = 0; code < kVerdictCodes; ++code) {
    if (VerdictOf(code).outcome == outcome) sum += first[code];
  }
  return sum;
}

std::int64_t UnitCounts::NetOf(Outcome outcome) const {
  std::int64_t sum = 0;
  for (std::size_t code = 0; code < kVerdictCodes; ++code) {
    if (VerdictOf(code).outcome == outcome) sum += net[code];
  }
  return sum;
}

void UnitCounts::Show(const BreakExemplar& exemplar) {
  const auto found = std::ranges::find(exemplars, exemplar.cause, &BreakExemplar::cause);
  if (found == exemplars.end()) {
    exemplars.push_back(exemplar);
  } else if (exemplar.shown_at > found->shown_at) {
    *found = exemplar;
  }
}

void UnitCounts::Add(const UnitCounts& other) {
  for (std::size_t code = 0; code < kVerdictCodes; ++code) {
    first[code] += other.first[code];
    net[code] += other.net[code];
  }
  for (std::size_t from = 0; from < kOutcomes; ++from) {
    population[from] += other.population[from];
    threshold_known[from] += other.threshold_known[from];
    for (std::size_t to = 0; to <= kOutcomes; ++to) repaired[from][to] += other.repaired[from][to];
  }
  for (const BreakExemplar& exemplar : other.exemplars) Show(exemplar);
}

UnitCounts& Tally::At(const UnitKey& key) {
  const auto found = units_.find(key);
  if (found != units_.end()) return found->second;
  UnitKey counted = key;
  counted.policy = CountedPolicy(key.policy);
  if (units_.size() >= kMostKeys && !units_.contains(counted)) {
    counted.service = kOtherName;
    if (key.family == Family::kHop) counted.server = kOtherName;
  }
  return units_[counted];
}

std::array<std::uint64_t, kFamilies>& Tally::SeenOf(NameId policy) {
  return seen_[CountedPolicy(policy)];
}

NameId Tally::CountedPolicy(NameId policy) {
  if (policy == 0 || policies_.contains(policy)) return policy;
  if (policies_.size() >= kMostPolicies) return kOtherName;
  policies_.insert(policy);
  return policy;
}

CountedFinding Tally::CountedAs(CountedFinding finding) const {
  const bool has_place = findings_.size() < kMostFindings || findings_.contains(finding);
  if (!has_place) finding.service = kOtherName;
  return finding;
}

void Tally::CountFirst(const CountedUnit& unit) {
  UnitCounts& counts = At(unit.key);
  counts.CountFirst(CodeOf(unit.verdict));
  if (unit.verdict.is_bad()) {
    counts.Show({.cause = unit.verdict.cause, .shown_at = unit.shown_at});
  }
  if (unit.population != 0) counts.CountPopulation(unit.verdict.outcome, unit.population);
}

void Tally::Count(const Judgement& judgement) {
  for (const SeenUnits::OfPolicy& seen : judgement.seen.by_policy()) {
    auto& sums = SeenOf(seen.policy);
    for (std::size_t family = 0; family < kFamilies; ++family) sums[family] += seen.units[family];
  }
  for (const CountedUnit& unit : judgement.units) {
    CountFirst(unit);
    if (IsBreak(unit)) breaks_.Count(BreakOf(unit));
  }
  for (const CountedBreak& finding : judgement.findings) {
    ++findings_[CountedAs(FindingOf(finding))];
    breaks_.Count(finding);
  }
}

void Tally::CorrectBreaks(const Judgement& before, const Judgement& now) {
  const std::vector<CountedBreak> were = BreaksOf(before);
  const std::vector<CountedBreak> are = BreaksOf(now);
  std::vector<CountedBreak> changed;
  std::ranges::set_difference(were, are, std::back_inserter(changed));
  for (const CountedBreak& gone : changed) breaks_.Withdraw(gone);
  changed.clear();
  std::ranges::set_difference(are, were, std::back_inserter(changed));
  for (const CountedBreak& came : changed) breaks_.Count(came);
}

void Tally::Correct(const Judgement& before, const Judgement& now) {
  std::unordered_map<UnitKey, Codes, UnitKeyHash> changes;
  for (const CountedUnit& unit : before.units) --changes[unit.key][CodeOf(unit.verdict)];
  for (const CountedUnit& unit : now.units) ++changes[unit.key][CodeOf(unit.verdict)];
  std::map<std::pair<NameId, Family>, std::uint64_t> withdrawn;
  for (auto& [key, change] : changes) {
    const bool is_same = std::ranges::all_of(change, [](std::int32_t by) { return by == 0; });
    if (is_same) continue;
    withdrawn[{key.policy, key.family}] += Repair(At(key), change);
  }
  // What is left has no predecessor; which of the equal units it is makes no difference.
  for (const CountedUnit& unit : now.units) {
    std::int32_t& more = changes[unit.key][CodeOf(unit.verdict)];
    if (more <= 0) continue;
    --more;
    CountFirst(unit);
  }
  for (const SeenUnits::OfPolicy& seen : now.seen.by_policy()) {
    for (std::size_t i = 0; i < kFamilies; ++i) SeenOf(seen.policy)[i] += seen.units[i];
  }
  for (const SeenUnits::OfPolicy& seen : before.seen.by_policy()) {
    for (std::size_t i = 0; i < kFamilies; ++i) SeenOf(seen.policy)[i] -= seen.units[i];
  }
  for (const auto& [place, units] : withdrawn) {
    SeenOf(place.first)[static_cast<std::size_t>(place.second)] += units;
  }
  for (const CountedBreak& finding : before.findings) --findings_[CountedAs(FindingOf(finding))];
  for (const CountedBreak& finding : now.findings) ++findings_[CountedAs(FindingOf(finding))];
  CorrectBreaks(before, now);
}

/// A unit becomes one of the same outcome first: what changes is then told by as few as can be.
std::uint64_t Tally::Repair(UnitCounts& counts, Codes& change) {
  const auto become = [&](std::size_t from, std::size_t to) {
    const std::int32_t units = std::min(-change[from], change[to]);
    change[from] += units;
    change[to] -= units;
    counts.net[from] -= units;
    counts.net[to] += units;
    if (OutcomeOf(from) == OutcomeOf(to)) return;
    counts.repaired[OutcomeOf(from)][OutcomeOf(to)] += static_cast<std::uint64_t>(units);
  };
  for (const bool to_same_outcome : {true, false}) {
    for (std::size_t from = 0; from < kVerdictCodes; ++from) {
      for (std::size_t to = 0; to < kVerdictCodes && change[from] < 0; ++to) {
        const bool is_same = OutcomeOf(from) == OutcomeOf(to);
        if (change[to] > 0 && is_same == to_same_outcome) become(from, to);
      }
    }
  }
  std::uint64_t withdrawn = 0;
  for (std::size_t from = 0; from < kVerdictCodes; ++from) {
    if (change[from] >= 0) continue;
    const auto units = static_cast<std::uint64_t>(-change[from]);
    counts.net[from] += change[from];
    counts.repaired[OutcomeOf(from)][kWithdrawn] += units;
    withdrawn += units;
    change[from] = 0;
  }
  return withdrawn;
}

void Tally::Add(const Tally& other) {
  for (const auto& [key, counts] : other.units_) At(key).Add(counts);
  for (const auto& [policy, units] : other.seen_) {
    for (std::size_t family = 0; family < kFamilies; ++family) {
      SeenOf(policy)[family] += units[family];
    }
  }
  AddBreaks(other);
}

void Tally::AddBreaks(const Tally& other) {
  for (const auto& [finding, count] : other.findings_) findings_[CountedAs(finding)] += count;
  breaks_.Add(other.breaks_);
}

bool Tally::AddsUp() const {
  Seen judged;
  for (const auto& [key, counts] : units_) {
    std::uint64_t& sum = judged[key.policy][static_cast<std::size_t>(key.family)];
    for (const std::uint64_t count : counts.first) sum += count;
  }
  const auto is_in = [](const Seen& left, const Seen& right) {
    return std::ranges::all_of(left, [&right](const auto& entry) {
      const auto found = right.find(entry.first);
      static constexpr std::array<std::uint64_t, kFamilies> kNone{};
      return found == right.end() ? entry.second == kNone : found->second == entry.second;
    });
  };
  return is_in(judged, seen_) && is_in(seen_, judged);
}

}  // namespace tracekeeper::continuity
