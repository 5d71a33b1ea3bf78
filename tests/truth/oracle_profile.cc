#include "tests/truth/oracle_profile.h"

#include <algorithm>
#include <cstddef>

#include "src/otlp/tracestate.h"

namespace tracekeeper::truth {
namespace {

constexpr std::size_t kEnoughLinks = 20;
constexpr std::uint64_t kEnoughOrphans = 10;
constexpr std::int64_t kLeastSkew = kSecond / 1000;

WorkKey WorkKeyOf(const OracleSpan& span) {
  return {span.service, span.scope, span.name, span.kind};
}

CalleeKey CalleeKeyOf(const OracleSpan& span) { return {span.service, span.name}; }

/// The key with the highest count, the smallest of several; nothing where there is none.
template <typename Key>
std::optional<Key> MostFrequent(const std::map<Key, std::uint64_t>& counts) {
  std::optional<Key> best;
  std::uint64_t most = 0;
  for (const auto& [key, count] : counts) {
    if (count <= most) continue;
    best = key;
    most = count;
  }
  return best;
}

void Count(const OracleSpan& span, LinkCounts& links) {
  if (span.parent != nullptr) ++links.present;
  if (span.is_orphan) ++links.absent;
}

void LearnWork(const OracleSpan& span, const Entries& entries, OracleProfile& profile) {
  WorkProfile& work = profile.work[WorkKeyOf(span)];
  if (!span.parent_id.empty()) ++work.with_parent_id;
  if (span.is_root) ++work.roots;
  if (span.is_root && entries.IsInside(span.instance, span.start)) ++work.roots_inside;
  if (span.is_entry) return;
  Count(span, work.links);
  if (!span.instance.empty()) Count(span, profile.instances[span.instance]);
}

void LearnCaller(const OracleSpan& span, OracleProfile& profile) {
  if (!span.is_entry) return;
  CalleeProfile& callee = profile.callees[CalleeKeyOf(span)];
  if (span.is_orphan) callee.absent_ids.push_back(LowHalf(span.judged_trace));
  if (span.parent == nullptr || !span.is_remote || span.is_cut_from_parent) return;
  callee.present_ids.push_back(LowHalf(span.judged_trace));
  ++callee.callers[span.parent->service];
  ++profile.service_callers[span.service][span.parent->service];
}

bool IsPairedWithParent(const OracleSpan& span) {
  return span.has_unit && span.parent != nullptr && span.parent->is_out &&
         (span.is_remote || span.is_cut_from_parent);
}

void LearnNames(const OracleTraces& traces, OracleProfile& profile) {
  std::map<std::string, Counts> address_services;
  std::map<std::string, std::map<std::uint64_t, std::uint64_t>> thresholds;
  for (const OracleSpan& span : traces.all) {
    if (!span.has_valid_ids) continue;
    if (span.is_entry) profile.instrumented.insert(span.service);
    const auto threshold = otlp::ReadOtEntry(span.tracestate).threshold;
    if (threshold) ++thresholds[span.service][*threshold];
    if (IsPairedWithParent(span) && !span.parent->address.empty()) {
      ++address_services[span.parent->address][span.service];
    }
  }
  for (const auto& [address, services] : address_services) {
    profile.address_services[address] = *MostFrequent(services);
  }
  for (const auto& [service, counts] : thresholds) {
    profile.thresholds[service] = *MostFrequent(counts);
  }
}

/// Twice what 99 of 100 stay below; nothing where they are few.
std::optional<std::int64_t> UpperBound(std::vector<std::int64_t> values) {
  if (values.size() < kEnoughLinks) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t rank = (values.size() * 99 + 99) / 100;
  return std::max(kLeastSkew, 2 * values[rank - 1]);
}

void LearnCallTimes(const OracleTraces& traces, OracleProfile& profile) {
  std::vector<std::int64_t> outside;
  std::vector<std::int64_t> delays;
  for (const OracleSpan& span : traces.all) {
    const bool has_caller = span.has_unit && span.parent != nullptr && span.is_remote;
    if (!has_caller || span.kind != kServer || span.parent->kind != kClient) continue;
    if (span.is_cut_from_parent) continue;
    const OracleSpan& call = *span.parent;
    const std::int64_t before = call.start - span.start;
    const std::int64_t after = span.start - call.end;
    outside.push_back(std::max({std::int64_t{0}, before, after}));
    delays.push_back(std::max(std::int64_t{0}, -before));
  }
  profile.skew = UpperBound(outside).value_or(kDefaultSkew);
  profile.delay = UpperBound(delays);
}

/// How long at least one of `spans` is open.
std::int64_t LengthOfUnion(std::vector<const OracleSpan*> spans) {
  if (spans.empty()) return 0;
  std::sort(spans.begin(), spans.end(), StartsBefore);
  std::int64_t length = 0;
  std::int64_t reached = spans.front()->start;
  for (const OracleSpan* span : spans) {
    length += std::max<std::int64_t>(0, span->end - std::max(reached, span->start));
    reached = std::max(reached, span->end);
  }
  return length;
}

void LearnBusyShares(const OracleTraces& traces, const Entries& entries, OracleProfile& profile) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> times;  // of instances
  std::map<std::string, std::set<std::string>> instances;              // of services
  for (const OracleSpan& span : traces.all) {
    if (!span.has_valid_ids || span.instance.empty()) continue;
    auto& [first, last] =
        times.emplace(span.instance, std::pair(span.start, span.end)).first->second;
    first = std::min(first, span.start);
    last = std::max(last, span.end);
    instances[span.service].insert(span.instance);
  }
  for (const auto& [service, of_service] : instances) {
    BusyShare& share = profile.busy[service];
    for (const std::string& instance : of_service) {
      share.observed += times.at(instance).second - times.at(instance).first;
      const auto on_instance = entries.of_instance.find(instance);
      if (on_instance != entries.of_instance.end()) {
        share.busy += LengthOfUnion(on_instance->second);
      }
    }
  }
}

}  // namespace

bool Entries::IsInside(const std::string& instance, std::int64_t time) const {
  const auto found = of_instance.find(instance);
  if (found == of_instance.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const OracleSpan* entry) {
    return !entry->is_unfinished && entry->start <= time && time <= entry->end;
  });
}

Entries FindEntries(const OracleTraces& traces) {
  Entries entries;
  for (const OracleSpan& span : traces.all) {
    if (!span.has_valid_ids || !span.is_entry) continue;
    if (!span.instance.empty()) entries.of_instance[span.instance].push_back(&span);
    entries.of_service[span.service].push_back(&span);
  }
  return entries;
}

OracleProfile LearnProfile(const OracleTraces& traces) {
  OracleProfile profile;
  const Entries entries = FindEntries(traces);
  LearnCallTimes(traces, profile);
  LearnNames(traces, profile);
  LearnBusyShares(traces, entries, profile);
  for (const OracleSpan& span : traces.all) {
    if (!span.has_valid_ids || !span.has_unit) continue;
    LearnWork(span, entries, profile);
    LearnCaller(span, profile);
  }
  return profile;
}

OracleProfile LearnProfile(std::span<const ModelSpan> spans) {
  return LearnProfile(Assemble(spans));
}

std::optional<std::string> OracleProfile::UsualCaller(const OracleSpan& entry) const {
  const auto callee = callees.find(CalleeKeyOf(entry));
  if (callee != callees.end() && !callee->second.callers.empty()) {
    return MostFrequent(callee->second.callers);
  }
  const auto of_service = service_callers.find(entry.service);
  if (of_service == service_callers.end()) return std::nullopt;
  return MostFrequent(of_service->second);
}

bool OracleProfile::IsCallerMostlyAbsent(const OracleSpan& entry) const {
  const auto callee = callees.find(CalleeKeyOf(entry));
  if (callee == callees.end()) return false;
  const std::size_t present = callee->second.present_ids.size();
  const std::size_t absent = callee->second.absent_ids.size();
  return absent >= kEnoughLinks && present > 0 && present * 2 <= present + absent;
}

bool OracleProfile::DoIdsFallApart(const OracleSpan& entry) const {
  const auto callee = callees.find(CalleeKeyOf(entry));
  if (callee == callees.end()) return false;
  const auto& present = callee->second.present_ids;
  const auto& absent = callee->second.absent_ids;
  if (present.size() < kEnoughLinks || absent.size() < kEnoughLinks) return false;
  const auto [least_present, largest_present] = std::minmax_element(present.begin(), present.end());
  const auto [least_absent, largest_absent] = std::minmax_element(absent.begin(), absent.end());
  return *largest_present < *least_absent || *least_present > *largest_absent;
}

bool OracleProfile::AreAlwaysOrphans(const OracleSpan& span) const {
  const LinkCounts links = WorkOf(span).links;
  return links.absent >= kEnoughOrphans && links.present == 0;
}

bool OracleProfile::IsMostlyIdle(const std::string& service) const {
  const auto share = busy.find(service);
  return share == busy.end() || share->second.busy * 2 <= share->second.observed;
}

WorkProfile OracleProfile::WorkOf(const OracleSpan& span) const {
  const auto found = work.find(WorkKeyOf(span));
  return found == work.end() ? WorkProfile() : found->second;
}

std::optional<std::uint64_t> OracleProfile::ThresholdOf(const std::string& service) const {
  const auto found = thresholds.find(service);
  return found == thresholds.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> OracleProfile::PeerOf(const OracleSpan& call) const {
  if (!call.peer_service.empty()) return call.peer_service;
  const auto service = address_services.find(call.address);
  if (service != address_services.end()) return service->second;
  std::string label = call.address.substr(0, call.address.find('.'));
  if (!label.empty() && instrumented.contains(label)) return label;
  return std::nullopt;
}

}  // namespace tracekeeper::truth
