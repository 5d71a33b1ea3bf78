#include "tests/truth/simulation_runtime.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::truth {
namespace {

constexpr std::uint64_t kRandomness = (std::uint64_t{1} << 56U) - 1;
constexpr std::uint8_t kSampled = 1;
constexpr std::uint8_t kRandomId = 2;
constexpr std::uint32_t kRemoteKnownBit = 0x100;
constexpr std::uint32_t kRemoteBit = 0x200;

/// A number below 1 as a part of 2^bits.
std::uint64_t PartOf(double ratio, unsigned bits) {
  return static_cast<std::uint64_t>(ratio * static_cast<double>(std::uint64_t{1} << bits));
}

}  // namespace

Runtime::Runtime(const SimulationOptions& options)
    : options_(options),
      random_(options.seed),
      fault_random_(options.seed ^ 0x9e3779b97f4a7c15ULL),
      topology_(MakeTopology(options, random_)),
      threshold_(PartOf(1 - options.sampling_ratio, 56)) {}

Moment Runtime::ClockOf(const Thread& thread) const {
  return thread.now + static_cast<std::uint64_t>(topology_.instances[thread.instance].clock_skew);
}

SpanContext Runtime::MakeIds(const Context& parent, const SpanSpec& spec) {
  if (spec.ids) {
    return *spec.ids;
  }
  SpanContext ids;
  if (parent.span.valid()) {
    ids.trace_high = parent.span.trace_high;
    ids.trace_low = parent.span.trace_low;
  } else {
    ids.trace_high = random_.Next() | 1U;
    ids.trace_low = random_.Next() | 1U;
  }
  ids.span = random_.Next() | 1U;
  return ids;
}

Runtime::Decision Runtime::Sample(const Thread& thread, const Context& parent,
                                  const SpanContext& ids) const {
  Decision decision{parent.span.flags, parent.span.tracestate};
  const bool root = !parent.span.valid();
  if (!root && !parent.remote) {  // every SDK asks the local parent
    const bool recorded = parent.record == kNoSpan || ledger_.spans[parent.record].recorded;
    decision.loss = recorded ? Loss::kNone : ledger_.spans[parent.record].loss;
    return decision;
  }
  bool keep = root || parent.span.sampled();
  if (options_.sampling == Sampling::kPerService) {
    constexpr unsigned kBits = 63;
    keep = (ids.trace_low >> 1U) < PartOf(ServiceOf(thread).own_ratio, kBits);
  } else if (options_.sampling == Sampling::kConsistent) {
    const std::uint64_t randomness = ids.trace_low & kRandomness;
    const std::int64_t threshold = ThresholdOf(parent.span.tracestate);
    if (root) {
      keep = randomness >= threshold_;
      decision.tracestate = keep ? TracestateOf(threshold_) : "";
      decision.flags = kRandomId;
    } else if (threshold >= 0) {
      keep = randomness >= static_cast<std::uint64_t>(threshold);
    }
  }
  decision.flags = static_cast<std::uint8_t>((decision.flags & ~kSampled) | (keep ? kSampled : 0));
  decision.loss = keep ? Loss::kNone : Loss::kSampledOut;
  return decision;
}

std::uint32_t Runtime::FlagsOf(const Thread& thread, const Context& parent,
                               const SpanContext& span) const {
  switch (ServiceOf(thread).flags) {
    case FlagStyle::kNone:
      return 0;
    case FlagStyle::kTraceFlags:
      return span.flags;
    case FlagStyle::kRemoteKnown:
      break;
  }
  const bool remote = parent.remote && parent.span.valid();
  return kRemoteKnownBit | (remote ? kRemoteBit : 0) | span.flags;
}

Context Runtime::Start(const Thread& thread, const Context& parent, SpanSpec spec) {
  Context child = parent;
  if (Cancelled(thread, parent)) {
    child.record = kNoSpan;
    return child;
  }
  child.span = MakeIds(parent, spec);
  Decision decision = Sample(thread, parent, child.span);
  if (spec.refused != Loss::kNone) {
    decision.loss = spec.refused;
    decision.flags &= static_cast<std::uint8_t>(~kSampled);
  }
  child.span.flags = decision.flags;
  child.span.tracestate = std::move(decision.tracestate);
  if (!spec.ids) {
    child.span.parent = parent.span.valid() ? parent.span.span : 0;
  }
  child.remote = false;
  child.lost = false;
  child.record = static_cast<SpanIndex>(ledger_.spans.size());
  if (spec.entry) {
    child.entry = child.record;
  }

  SpanRecord& record = ledger_.spans.emplace_back();
  record.instance = thread.instance;
  record.entry = spec.entry;
  record.remote_parent = parent.remote && parent.span.valid();
  record.started_at = thread.now;
  record.loss = decision.loss;
  record.recorded = decision.loss == Loss::kNone;
  record.parent = parent.span.valid() ? parent.record : kNoSpan;
  ModelSpan& span = record.span;
  span.trace_id = TraceIdBytes(child.span);
  span.span_id = SpanIdBytes(child.span.span);
  span.kind = spec.kind;
  span.start_nanoseconds = ClockOf(thread);
  if (record.recorded) {
    span.parent_span_id = child.span.parent == 0 ? "" : SpanIdBytes(child.span.parent);
    span.tracestate = child.span.tracestate;
    span.flags = FlagsOf(thread, parent, child.span);
    span.name = std::move(spec.name);
    span.scope = spec.scope.empty() ? ServiceOf(thread).scope : std::string(spec.scope);
    span.attributes = std::move(spec.attributes);
  }
  if (parent.lost && !spec.entry) {
    Plant(spec.kind == kInternal ? "new_internal_root" : "new_client_root", child);
  }
  return child;
}

void Runtime::End(const Thread& thread, const Context& span) {
  if (span.record == kNoSpan) {
    return;
  }
  SpanRecord& record = RecordOf(span.record);
  if (Cancelled(thread, span)) {
    if (record.entry) {
      Set(span, "http.response.status_code", "499");
    } else {
      Fail(span, "context canceled", "context.Canceled");
      Plant("cancelled_with_parent", span, span.entry);
    }
  }
  record.ended_at = thread.now;
  record.span.end_nanoseconds = ClockOf(thread);
}

void Runtime::Leak(const Context& span, Loss how) {
  if (span.record != kNoSpan && RecordOf(span.record).recorded) {
    RecordOf(span.record).loss = how;
  }
}

void Runtime::SendUnfinished(const Thread& thread, const Context& span) {
  if (span.record == kNoSpan) {
    return;
  }
  RecordOf(span.record).ended_at = thread.now;
  RecordOf(span.record).unfinished_sent = true;
  Plant("unfinished", span);
}

void Runtime::Fail(const Context& span, std::string_view message, std::string_view error_type) {
  if (span.record == kNoSpan || !RecordOf(span.record).recorded) {
    return;
  }
  RecordOf(span.record).span.status = kStatusError;
  RecordOf(span.record).span.status_message = message;
  Set(span, "error.type", error_type);
}

void Runtime::Set(const Context& span, std::string_view key, std::string_view value) {
  if (span.record != kNoSpan && RecordOf(span.record).recorded) {
    RecordOf(span.record).span.attributes.emplace_back(key, value);
  }
}

void Runtime::Link(const Context& span, const SpanContext& to) {
  if (span.record != kNoSpan && to.valid()) {
    RecordOf(span.record).span.links.emplace_back(TraceIdBytes(to), SpanIdBytes(to.span));
  }
}

LogRecord& Runtime::NewLog(std::size_t instance, Moment when) {
  LogRecord& record = ledger_.logs.emplace_back();
  record.instance = instance;
  record.written_at = when;
  record.log.time_nanoseconds = ClockOf({instance, when});
  return record;
}

void Runtime::Log(const Thread& thread, const Context& context) {
  if (Cancelled(thread, context)) {
    return;
  }
  LogRecord& record = NewLog(thread.instance, thread.now);
  record.entry = context.entry;
  if (!context.span.valid() || Strikes(Fault::kLogWithoutId, context)) {
    record.fault = LogFault::kWithoutId;
    return;
  }
  if (Strikes(Fault::kLogZeroId, context)) {
    record.fault = LogFault::kZeroId;
    record.log.trace_id.assign(16, '\0');
    record.log.span_id.assign(8, '\0');
    return;
  }
  record.span = context.record;
  record.log.trace_id = TraceIdBytes(context.span);
  record.log.span_id = SpanIdBytes(context.span.span);
  record.log.flags = context.span.flags;
}

void Runtime::LogWithForeignIds(const Thread& thread, const Context& context) {
  LogRecord& record = NewLog(thread.instance, thread.now);
  record.entry = context.entry;
  record.fault = LogFault::kForeignId;
  record.log.trace_id = SpanIdBytes(random_.Next() | 1U);
  record.log.trace_id += SpanIdBytes(random_.Next() | 1U);
  record.log.span_id = SpanIdBytes(random_.Next() | 1U);
  record.log.flags = context.span.flags;
}

void Runtime::LogOfProcess(std::size_t instance, Moment when) { NewLog(instance, when); }

void Runtime::Work(Thread& thread, const Context& context, Moment least, Moment most) {
  const Moment done = thread.now + random_.Skewed(least, most);
  thread.now = std::max(thread.now, std::min(done, context.deadline));
}

Context Runtime::Background() {
  Context context;
  context.journey = &ledger_.journeys.emplace_back();
  return context;
}

Context Runtime::WithoutSpan(const Context& context) {
  Context empty;
  empty.journey = context.journey;
  empty.entry = context.entry;
  empty.lost = true;
  return empty;
}

Context Runtime::WithoutCancel(Context context) {
  context.deadline = kNever;
  return context;
}

bool Runtime::Strikes(Fault fault, const Context& context) {
  const auto rate = options_.faults.find(fault);
  if (rate == options_.faults.end()) {
    return false;
  }
  if (options_.one_fault_per_request && context.journey != nullptr && context.journey->struck) {
    return false;
  }
  if (!fault_random_.Chance(rate->second)) {
    return false;
  }
  if (context.journey != nullptr) {
    context.journey->struck = true;
  }
  return true;
}

void Runtime::Plant(std::string_view cause, const Context& shows, SpanIndex needs) {
  if (shows.record != kNoSpan) {
    ledger_.planted.push_back({std::string(cause), shows.record, needs});
  }
}

std::size_t Runtime::PickInstance(ServiceName service) {
  const std::vector<std::size_t>& instances = topology_.Of(service).instances;
  return instances[random_.Below(instances.size())];
}

}  // namespace tracekeeper::truth
