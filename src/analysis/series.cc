#include "src/analysis/series.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tracekeeper::analysis {
namespace {

using continuity::Family;

constexpr const char* kOther = "other";

PolicyLabels LabelsOf(continuity::NameId policy, const continuity::Names& names) {
  if (policy == continuity::kOtherName) return {.namespace_name = kOther, .name = kOther};
  return PolicyLabelsOf(names.Text(policy));
}

SeriesKey KeyOf(const continuity::UnitKey& key, const continuity::Names& names) {
  return {.family = key.family,
          .policy = LabelsOf(key.policy, names),
          .service = LabelText(names.Text(key.service)),
          .server = LabelText(names.Text(key.server)),
          .protocol = key.protocol};
}

/// The engine has room for some keys before it counts anything of them.
bool IsCounted(const continuity::UnitCounts& counts) {
  return std::ranges::any_of(counts.first, [](std::uint64_t units) { return units > 0; });
}

std::size_t IndexOf(Family family) { return static_cast<std::size_t>(family); }

}  // namespace

/// What comes at the same time is taken in the order of its text, and not of its arrival.
void SeriesBook::TakeIn(const std::set<PolicyLabels>& policies) {
  for (const PolicyLabels& policy : policies) {
    if (policies_.size() >= limits_.policies && !policy.is_none()) continue;
    policies_.insert(policy);
  }
}

void SeriesBook::TakeIn(const std::set<SeriesKey>& keys) {
  for (const SeriesKey& key : keys) {
    std::set<SeriesKey>& known = keys_[IndexOf(key.family)];
    const std::size_t room = key.family == Family::kHop ? limits_.edges : limits_.services;
    if (known.size() < room) known.insert(key);
  }
}

PolicyLabels SeriesBook::ShownAs(const PolicyLabels& policy) const {
  if (policies_.contains(policy)) return policy;
  return {.namespace_name = kOther, .name = kOther};
}

SeriesKey SeriesBook::ShownAs(SeriesKey key) const {
  if (keys_[IndexOf(key.family)].contains(key)) return key;
  key.service = kOther;
  if (key.family == Family::kHop) key.server = kOther;
  return key;
}

SeriesTable SeriesBook::Fold(const continuity::Tally& tally, const continuity::Names& names) {
  std::vector<std::pair<SeriesKey, const continuity::UnitCounts*>> counted;
  std::set<PolicyLabels> policies;
  for (const auto& [key, counts] : tally.units()) {
    if (!IsCounted(counts)) continue;
    counted.emplace_back(KeyOf(key, names), &counts);
    policies.insert(counted.back().first.policy);
  }
  for (const auto& [policy, units] : tally.seen()) {
    policies.insert(LabelsOf(policy, names));
  }
  TakeIn(policies);
  std::set<SeriesKey> keys;
  for (auto& [key, counts] : counted) {
    key.policy = ShownAs(key.policy);
    keys.insert(key);
  }
  TakeIn(keys);

  SeriesTable table;
  for (const auto& [key, counts] : counted) table.units[ShownAs(key)].Add(*counts);
  for (const auto& [policy, units] : tally.seen()) {
    auto& sums = table.seen[ShownAs(LabelsOf(policy, names))];
    for (std::size_t family = 0; family < sums.size(); ++family) sums[family] += units[family];
  }
  for (const SeriesKey& key : keys) {
    if (!keys_[IndexOf(key.family)].contains(key)) ++table.folded[IndexOf(key.family)];
  }
  for (const PolicyLabels& policy : policies) {
    if (!policies_.contains(policy)) ++table.folded_policies;
  }
  return table;
}

}  // namespace tracekeeper::analysis
