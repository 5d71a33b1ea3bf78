#include "src/analysis/series.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace tracekeeper::analysis {
namespace {

using continuity::Family;

constexpr const char* kOther = "other";

std::size_t IndexOf(Family family) { return static_cast<std::size_t>(family); }

PolicyLabels LabelsOf(continuity::NameId policy, const continuity::Names& names) {
  if (policy == continuity::kOtherName) return {.namespace_name = kOther, .name = kOther};
  return PolicyLabelsOf(names.Text(policy));
}

/// The engine has room for some keys before it counts anything of them.
bool IsCounted(const continuity::UnitCounts& counts) {
  return std::ranges::any_of(counts.first, [](std::uint64_t units) { return units > 0; });
}

/// Calls `use(key, counts)` for all that was counted.
template <typename Use>
void ForEachCounted(SeriesBook::Tallies tallies, Use use) {
  for (const continuity::Tally* tally : tallies) {
    for (const auto& [key, counts] : tally->units()) {
      if (IsCounted(counts)) use(key, counts);
    }
  }
}

std::size_t HashOf(const SeriesKey& key) {
  const std::hash<std::string> hash_of;
  std::size_t hash = IndexOf(key.family) * 31 + static_cast<std::size_t>(key.protocol);
  for (const std::string* text :
       {&key.policy.namespace_name, &key.policy.name, &key.service, &key.server}) {
    hash = (hash ^ hash_of(*text)) * 0x9E3779B97F4A7C15U;
  }
  return hash;
}

}  // namespace

SeriesKey SeriesBook::KeyOf(const continuity::UnitKey& key, const continuity::Names& names) const {
  return {.family = key.family,
          .policy = ShownAs(LabelsOf(key.policy, names)),
          .service = LabelText(names.Text(key.service)),
          .server = LabelText(names.Text(key.server)),
          .protocol = key.protocol};
}

std::size_t SeriesBook::RoomFor(Family family) const {
  const std::size_t limit = family == Family::kHop ? limits_.edges : limits_.services;
  return limit - std::min(limit, keys_[IndexOf(family)].size());
}

/// What comes at the same time is taken in the order of its text, and not of its arrival.
void SeriesBook::TakeInPolicies(Tallies tallies, const continuity::Names& names,
                                SeriesTable& table) {
  std::set<PolicyLabels> policies;
  ForEachCounted(tallies, [&](const continuity::UnitKey& key, const continuity::UnitCounts&) {
    policies.insert(LabelsOf(key.policy, names));
  });
  for (const continuity::Tally* tally : tallies) {
    for (const auto& [policy, units] : tally->seen()) policies.insert(LabelsOf(policy, names));
  }
  for (const PolicyLabels& policy : policies) {
    if (policies_.size() < limits_.policies || policy.is_none()) policies_.insert(policy);
    if (!policies_.contains(policy)) ++table.folded_policies;
  }
}

void SeriesBook::TakeInKeys(Tallies tallies, const continuity::Names& names) {
  std::array<std::set<SeriesKey>, continuity::kFamilies> fresh;
  ForEachCounted(tallies, [&](const continuity::UnitKey& key, const continuity::UnitCounts&) {
    const std::size_t room = RoomFor(key.family);
    if (room == 0) return;
    SeriesKey shown = KeyOf(key, names);
    const std::size_t family = IndexOf(key.family);
    if (!keys_[family].contains(shown)) fresh[family].insert(std::move(shown));
    if (fresh[family].size() > room) fresh[family].erase(std::prev(fresh[family].end()));
  });
  for (std::size_t family = 0; family < fresh.size(); ++family) keys_[family].merge(fresh[family]);
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

SeriesTable SeriesBook::Fold(Tallies tallies, const continuity::Names& names) {
  SeriesTable table;
  TakeInPolicies(tallies, names, table);
  TakeInKeys(tallies, names);
  std::array<std::unordered_set<std::size_t>, continuity::kFamilies> folded;  // hashes of keys
  ForEachCounted(tallies,
                 [&](const continuity::UnitKey& key, const continuity::UnitCounts& counts) {
                   const SeriesKey own = KeyOf(key, names);
                   const SeriesKey shown = ShownAs(own);
                   table.units[shown].Add(counts);
                   if (shown != own) folded[IndexOf(key.family)].insert(HashOf(own));
                 });
  for (const continuity::Tally* tally : tallies) {
    for (const auto& [policy, units] : tally->seen()) {
      auto& sums = table.seen[ShownAs(LabelsOf(policy, names))];
      for (std::size_t family = 0; family < sums.size(); ++family) sums[family] += units[family];
    }
  }
  for (std::size_t family = 0; family < folded.size(); ++family) {
    table.folded[family] = folded[family].size();
  }
  return table;
}

}  // namespace tracekeeper::analysis
