#include "tests/truth/oracle_contexts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace tracekeeper::truth {
namespace {

constexpr std::size_t kEnoughRepeats = 4;
constexpr std::int64_t kLongestTrace = kSecond * 3600 * 24;

bool CanRepeat(const OracleSpan& span) {
  const bool has_remote_parent = span.is_orphan || (span.parent != nullptr && span.is_remote);
  return span.has_unit && span.is_entry && has_remote_parent && !span.has_error;
}

// An absent parent, and the orphans on one instance that are no entries and name it.
struct Loss {
  std::int64_t time = 0;  // the latest end of the orphans
  std::int64_t first_start = INT64_MAX;
  std::int64_t until = 0;  // when the parent ended at the latest
  bool has_entry = false;
  std::string trace;
  std::vector<const OracleSpan*> orphans;
};

/// The last end of the trace, or the first of the entries that the orphans' process worked for.
void FindUntil(const OracleTrace& trace, const std::string& instance, Loss& loss) {
  std::int64_t last_end = loss.time + 2 * kSecond;
  std::int64_t entry_end = INT64_MAX;
  for (const OracleSpan* span : trace.spans) {
    last_end = std::max(last_end, span->end);
    if (!span->is_entry || span->is_unfinished || span->instance != instance) continue;
    if (span->start > loss.first_start || span->end < loss.time) continue;
    loss.has_entry = true;
    entry_end = std::min(entry_end, span->end);
  }
  loss.until = std::min(loss.has_entry ? entry_end : last_end, loss.time + 60 * kSecond);
}

/// What one instance lost, by trace and absent parent.
using Losses = std::map<std::pair<std::string, std::string>, Loss>;

/// The tenths of a second since 1970 in which spans end.
using BusyTenths = std::set<std::int64_t>;

std::int64_t TenthOf(std::int64_t time) { return time / (kSecond / 10); }

std::map<std::string, Losses> FindLosses(const OracleTraces& traces) {
  std::map<std::string, Losses> instances;
  for (const OracleSpan& span : traces.all) {
    if (!span.is_orphan || span.is_entry || span.instance.empty()) continue;
    Loss& loss = instances[span.instance][{span.judged_trace, span.parent_id}];
    loss.trace = span.judged_trace;
    loss.time = std::max(loss.time, span.end);
    loss.first_start = std::min(loss.first_start, span.start);
    loss.orphans.push_back(&span);
  }
  for (auto& [instance, losses] : instances) {
    for (auto& [key, loss] : losses) FindUntil(traces.traces.at(loss.trace), instance, loss);
  }
  return instances;
}

std::map<std::string, BusyTenths> FindBusyTenths(const OracleTraces& traces) {
  std::map<std::string, BusyTenths> instances;
  for (const OracleSpan& span : traces.all) {
    if (!span.has_valid_ids || span.instance.empty()) continue;
    instances[span.instance].insert(TenthOf(span.end));
  }
  return instances;
}

/// The first tenth of each silence.
std::vector<std::int64_t> FindSilences(const BusyTenths& busy, std::int64_t last_of_all) {
  std::vector<std::int64_t> silences;
  for (const std::int64_t tenth : busy) {
    const std::int64_t first = tenth + 1;
    if (busy.contains(first)) continue;
    const auto next = busy.upper_bound(first);
    std::int64_t r = 0;
    if (next != busy.end()) {
      r = *next - first;
    } else if (last_of_all >= first + 100) {
      r = last_of_all - first + 1;
    }
    std::int64_t n = 0;
    for (std::int64_t before = first - 100; before < first; ++before) {
      n += busy.contains(before) ? 1 : 0;
    }
    if (r * n >= 800) silences.push_back(first);
  }
  return silences;
}

}  // namespace

bool IsStaleWork(const OracleScene& scene, const OracleSpan& span) {
  const OracleSpan& parent = *span.parent;
  if (span.instance.empty() || span.instance != parent.instance) return false;
  if (parent.is_unfinished) return false;
  if (span.start - parent.end <= scene.profile.settle_window) return false;
  const auto found = scene.entries.of_instance.find(span.instance);
  if (found == scene.entries.of_instance.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const OracleSpan* entry) {
    return entry->judged_trace != span.judged_trace && entry->start > parent.end &&
           entry->start < span.start;
  });
}

RepeatedTraceparents FindRepeatedTraceparents(const OracleTrace& trace,
                                              std::int64_t settle_window) {
  using Group = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<Group, std::vector<const OracleSpan*>> groups;  // by start
  for (const OracleSpan* span : trace.spans) {
    if (!CanRepeat(*span)) continue;
    groups[{span->parent_node, span->service, span->scope, span->name}].push_back(span);
  }
  RepeatedTraceparents found;
  std::map<std::string, const OracleSpan*> seconds;  // by parent
  for (const auto& [key, entries] : groups) {
    if (entries.size() < kEnoughRepeats) continue;
    if (entries.back()->start - entries.front()->start <= settle_window) continue;
    found.entries.insert(entries.begin(), entries.end());
    const OracleSpan*& second = seconds.emplace(std::get<0>(key), entries[1]).first->second;
    if (StartsBefore(entries[1], second)) second = entries[1];
  }
  for (const auto& [parent, second] : seconds) found.second.push_back(second);
  return found;
}

const OracleSpan* FindSecondUse(const OracleTrace& trace) {
  if (trace.spans.back()->start - trace.spans.front()->start <= kLongestTrace) return nullptr;
  const OracleSpan* found = nullptr;
  std::int64_t widest = -1;
  for (std::size_t i = 1; i < trace.spans.size(); ++i) {
    const std::int64_t gap = trace.spans[i]->start - trace.spans[i - 1]->start;
    if (gap <= widest) continue;
    widest = gap;
    found = trace.spans[i];
  }
  return found;
}

std::set<const OracleSpan*> FindLostWithBatch(const OracleTraces& traces,
                                              const OracleProfile& profile) {
  const std::map<std::string, BusyTenths> busy = FindBusyTenths(traces);
  std::int64_t last_of_all = 0;
  for (const auto& [instance, tenths] : busy) last_of_all = std::max(last_of_all, *tenths.rbegin());
  std::set<const OracleSpan*> lost;
  for (const auto& [instance, losses] : FindLosses(traces)) {
    const auto known = profile.instances.find(instance);
    const LinkCounts links = known == profile.instances.end() ? LinkCounts() : known->second;
    if (links.absent * 4 > links.present + links.absent) continue;
    for (const std::int64_t silence : FindSilences(busy.at(instance), last_of_all)) {
      std::set<std::string> hit;
      std::vector<const Loss*> explained;
      for (const auto& [key, loss] : losses) {
        if (TenthOf(loss.time) >= silence || TenthOf(loss.until) < silence) continue;
        hit.insert(loss.trace);
        explained.push_back(&loss);
      }
      for (const Loss* loss : explained) {
        if (hit.size() < 2 && loss->has_entry) continue;
        lost.insert(loss->orphans.begin(), loss->orphans.end());
      }
    }
  }
  return lost;
}

}  // namespace tracekeeper::truth
