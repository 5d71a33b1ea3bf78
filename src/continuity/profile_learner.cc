#include "src/continuity/profile_learner.h"

#include <algorithm>
#include <optional>

namespace tracekeeper::continuity {
namespace {

/// Twice what 99 of 100 stay below; nothing where there are too few to tell.
std::optional<Microseconds> UpperBound(std::vector<Microseconds>& values) {
  constexpr std::size_t kEnough = 20;
  constexpr Microseconds kLeast = 1000;
  if (values.size() < kEnough) return std::nullopt;
  const std::size_t rank = (values.size() * 99 + 99) / 100;
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::ranges::nth_element(values, nth);
  return std::max(kLeast, *nth * 2);
}

}  // namespace

void ProfileLearner::Learn(const TraceTree& tree) {
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) LearnSpan(tree, i);
}

void ProfileLearner::LearnSpan(const TraceTree& tree, SpanIndex index) {
  const Span& span = tree.span(index);
  const Shape& shape = tree.shape(index);
  LearnTimes(span, shape);
  if (shape.threshold) ++thresholds_[shape.service][*shape.threshold];

  OperationProfile& operation = profile_.operations[OperationKey::Of(shape)];
  const Link& link = tree.link(index);
  if (link.kind == LinkKind::kNone) return;
  if (link.kind == LinkKind::kRoot) {
    ++operation.roots;
    if (shape.instance != 0) {
      roots_.push_back({OperationKey::Of(shape), shape.instance, span.start});
    }
    return;
  }
  ++operation.children;
  if (shape.is_entry()) {
    LearnEntryLink(tree, index);
    return;
  }
  const bool is_present = link.kind != LinkKind::kAbsent;
  ++(is_present ? operation.links_present : operation.links_absent);
  if (shape.instance == 0) return;
  InstanceProfile& instance = profile_.instances[shape.instance];
  ++(is_present ? instance.links_present : instance.links_absent);
}

void ProfileLearner::LearnTimes(const Span& span, const Shape& shape) {
  ServiceProfile& service = profile_.services[shape.service];
  service.is_instrumented = service.is_instrumented || shape.is_entry();
  if (shape.instance == 0) return;
  InstanceTimes& times = times_[shape.instance];
  times.service = shape.service;
  times.first_start = std::min<Microseconds>(times.first_start, span.start);
  times.last_end = std::max(times.last_end, span.end());
  if (shape.is_entry() && !span.is_unfinished()) times.busy.Add(span.start, span.end());
}

void ProfileLearner::LearnEntryLink(const TraceTree& tree, SpanIndex index) {
  const Shape& shape = tree.shape(index);
  const Link& link = tree.link(index);
  CalleeProfile& callee = profile_.callees[{shape.service, shape.name}];
  if (link.kind == LinkKind::kAbsent) {
    ++callee.absent;
    callee.absent_ids.Add(tree.id().low);
    return;
  }
  if (link.kind != LinkKind::kRemote) return;
  const Shape& caller = tree.shape(link.parent);
  ++callee.present;
  callee.present_ids.Add(tree.id().low);
  ++callers_[{shape.service, shape.name}][caller.service];
  ++service_callers_[shape.service][caller.service];
  if (caller.kind == otlp::SpanKind::kClient && shape.kind == otlp::SpanKind::kServer) {
    LearnCall(tree.span(link.parent), tree.span(index));
  }
  if (caller.is_out() && caller.address != 0) ++address_services_[caller.address][shape.service];
}

void ProfileLearner::LearnCall(const Span& caller, const Span& callee) {
  const Microseconds start = callee.start;
  const Microseconds early = caller.start > start ? caller.start - start : 0;
  const Microseconds late = start > caller.end() ? start - caller.end() : 0;
  skews_.push_back(std::max(early, late));
  delays_.push_back(start > caller.start ? start - caller.start : 0);
}

Profile ProfileLearner::Finish() {
  profile_.skew = UpperBound(skews_).value_or(profile_.skew);
  profile_.delay = UpperBound(delays_).value_or(profile_.delay);
  FinishTimes();
  FinishVotes();
  FinishAddresses();
  return std::move(profile_);
}

void ProfileLearner::FinishTimes() {
  for (auto& [instance, times] : times_) {
    times.busy.Settle();
    ServiceProfile& service = profile_.services[times.service];
    service.busy += times.busy.BusyTime();
    service.observed += times.last_end - times.first_start;
  }
  for (const Root& root : roots_) {
    const bool is_inside = times_[root.instance].busy.Covers(root.start);
    profile_.operations[root.operation].roots_inside += is_inside ? 1 : 0;
  }
}

void ProfileLearner::FinishVotes() {
  for (const auto& [callee, votes] : callers_)
    profile_.callees[callee].usual_caller = Winner(votes);
  for (const auto& [service, votes] : service_callers_) {
    profile_.services[service].usual_caller = Winner(votes);
  }
  for (const auto& [service, votes] : thresholds_) {
    // Sorted by threshold: of equals the smallest, which samples most, comes first.
    profile_.services[service].threshold =
        std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
  }
}

/// An address that no paired call went to is taken for a service where its first label is the name
/// of one that is instrumented: checkout.shop.svc.cluster.local.
void ProfileLearner::FinishAddresses() {
  for (const auto& [address, votes] : address_services_) {
    profile_.addresses[address] = Winner(votes);
  }
  for (ShapeId id = 0; id < shapes_.size(); ++id) {
    const Shape& shape = shapes_.Get(id);
    if (!shape.is_out() || shape.address == 0 || profile_.addresses.contains(shape.address))
      continue;
    const std::string_view text = names_.Text(shape.address);
    const NameId service = names_.Intern(text.substr(0, text.find('.')));
    if (profile_.IsInstrumented(service)) profile_.addresses[shape.address] = service;
  }
}

NameId ProfileLearner::Winner(const Votes& votes) const {
  NameId winner = 0;
  std::uint64_t most = 0;
  for (const auto& [name, count] : votes) {
    const bool is_first = count == most && names_.Text(name) < names_.Text(winner);
    if (count > most || is_first) winner = name;
    most = std::max(most, count);
  }
  return winner;
}

}  // namespace tracekeeper::continuity
