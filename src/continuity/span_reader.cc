#include "src/continuity/span_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <functional>

#include "src/otlp/tracestate.h"

namespace tracekeeper::continuity {
namespace {

using otlp::SpanKind;

constexpr std::size_t kSpanIdBytes = 8;
constexpr std::uint32_t kSampledFlag = 0x01;
constexpr std::uint32_t kRandomFlag = 0x02;
constexpr std::uint32_t kParentKnownFlag = 0x100;
constexpr std::uint32_t kParentRemoteFlag = 0x200;
constexpr std::uint32_t kKnownFlags = 0x3FF;

/// What decides on a span's kind and facts, as the bits of one number: the known flags lowest.
enum Trait : unsigned {
  kKind = 10,  // three bits
  kRoot = 13,
  kError,
  kCancelled,
  kHasLink,
  kDatabase,
  kProbe,
  kPoll,
  kRpc,
  kMessaging,
  kHasOt,
  kHasThreshold,
  kJob,
  kRpcOperation,
};
constexpr std::uint64_t kKindMask = 7;

constexpr bool Has(std::uint64_t traits, Trait trait) { return (traits >> trait & 1U) != 0; }
constexpr std::uint64_t Bit(bool is_set, Trait trait) { return std::uint64_t{is_set} << trait; }

/// `word` is in lower case.
[[gnu::noinline]] bool ContainsWord(std::string_view text, std::string_view word) {
  const auto lower = [](char letter) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  };
  return !std::ranges::search(text, word, {}, lower).empty();
}

bool SaysCancelled(std::string_view text) {
  return ContainsWord(text, "cancel") || ContainsWord(text, "deadline");
}

std::uint64_t Load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Whether "he" stands in the 8 bytes, in any case.
bool HasHe(const char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101U;
  const std::uint64_t lower = Load(at) | 0x20 * kEach;
  const std::uint64_t other = (lower ^ 'h' * kEach) | (lower >> 8U ^ 'e' * kEach);
  return ((other - kEach) & ~other & 0x80 * kEach) != 0;  // has a byte of zeros
}

/// Contains "health". Most user agents do not, and few of those have an "he".
bool SaysHealth(std::string_view text) {
  constexpr std::size_t kWord = 8;
  if (text.size() >= kWord) {
    bool may_be = HasHe(text.data() + text.size() - kWord);
    for (std::size_t i = 0; i + kWord < text.size(); i += kWord - 1) {
      may_be |= HasHe(text.data() + i);
    }
    if (!may_be) return false;
  }
  return ContainsWord(text, "health");
}

bool IsProbe(std::string_view user_agent) {
  if (user_agent.empty()) return false;
  return (user_agent.front() == 'k' && user_agent.starts_with("kube-probe/")) ||
         SaysHealth(user_agent);
}

std::uint64_t BigEndian(const char* bytes) { return __builtin_bswap64(Load(bytes)); }

std::uint64_t SpanIdOf(std::string_view bytes) {
  if (bytes.size() == kSpanIdBytes) return BigEndian(bytes.data());
  std::uint64_t id = 0;
  for (const char byte : bytes) id = id << 8U | static_cast<unsigned char>(byte);
  return id;
}

[[gnu::noinline]] bool IsPoll(const otlp::SpanFields& fields) {
  const std::string_view operation = fields.peer.messaging_operation;
  if (!operation.empty()) return operation == "receive" || operation == "poll";
  return fields.name.ends_with(" receive") || fields.name.ends_with(" poll");
}

[[gnu::noinline]] bool IsCancelled(const otlp::SpanFields& fields) {
  return SaysCancelled(fields.status_message) || SaysCancelled(fields.error_type) ||
         SaysCancelled(fields.exception_message);
}

[[gnu::noinline]] bool HasValidLink(const otlp::SpanFields& fields) {
  return std::ranges::any_of(fields.links, [](const otlp::LinkFields& link) {
    return otlp::TraceId::FromBytes(link.trace_id) && link.span_id.size() == kSpanIdBytes &&
           SpanIdOf(link.span_id) != 0;
  });
}

std::uint64_t TraitsOf(const otlp::SpanFields& fields) {
  const otlp::PeerFields& peer = fields.peer;
  std::uint64_t traits = fields.flags & kKnownFlags;
  traits |= static_cast<std::uint64_t>(fields.kind) << kKind;
  traits |= Bit(peer.is_database, kDatabase) | Bit(peer.is_rpc, kRpc) |
            Bit(peer.is_messaging, kMessaging) | Bit(IsProbe(fields.user_agent), kProbe) |
            Bit(!peer.rpc_service.empty() || !peer.rpc_method.empty(), kRpcOperation);
  if (fields.status == otlp::SpanStatus::kError) {
    traits |= Bit(true, kError) | Bit(IsCancelled(fields), kCancelled);
  }
  if (!fields.links.empty()) traits |= Bit(HasValidLink(fields), kHasLink);
  if (fields.kind == SpanKind::kConsumer) traits |= Bit(IsPoll(fields), kPoll);
  return traits;
}

SpanFacts FactsOf(std::uint64_t traits) {
  SpanFacts facts;
  facts.flags_known = (traits & kKnownFlags) != 0;
  facts.sampled = (traits & kSampledFlag) != 0;
  facts.random = (traits & kRandomFlag) != 0;
  // SDKs say "known, not remote" of a root too: there is nothing to be known.
  facts.parent_known = (traits & kParentKnownFlag) != 0 && !Has(traits, kRoot);
  facts.parent_remote = facts.parent_known && (traits & kParentRemoteFlag) != 0;
  facts.error = Has(traits, kError);
  facts.cancelled = Has(traits, kCancelled);
  facts.has_ot = Has(traits, kHasOt);
  facts.has_link = Has(traits, kHasLink);
  facts.job = Has(traits, kJob);
  facts.database = Has(traits, kDatabase);
  facts.probe = Has(traits, kProbe);
  facts.poll = Has(traits, kPoll);
  facts.rpc = Has(traits, kRpc);
  facts.messaging = Has(traits, kMessaging);
  return facts;
}

}  // namespace

void SpanReader::OnResource(const otlp::ResourceFields& resource) {
  of_resource_ = {};
  of_resource_.service = names_.Intern(resource.service);
  of_resource_.policy = names_.Intern(PolicyOf(resource));
  of_resource_.facts.job = resource.is_job;
  const std::string_view instance =
      resource.instance.empty() ? resource.pod_uid : resource.instance;
  if (!instance.empty()) {
    // Ids of instances are unique within their service only.
    text_.assign(resource.service).append("/").append(instance);
    const NameId name = names_.Intern(text_);
    // Those that there is no room for are not one instance: which one it is, is not known.
    of_resource_.instance = name == kOtherName ? 0 : name;
  }
  log_shapes_ = {};
}

std::string_view SpanReader::PolicyOf(const otlp::ResourceFields& resource) const {
  const bool is_by_pod = resource.policy.empty() && pods_;
  return is_by_pod ? pods_->PolicyOf(resource) : resource.policy;
}

void SpanReader::OnScope(std::string_view name) { of_resource_.scope = names_.Intern(name); }

Shape SpanReader::ShapeOf(const otlp::SpanFields& fields, std::uint64_t traits,
                          std::uint64_t threshold) {
  Shape shape = of_resource_;
  shape.facts = FactsOf(traits);
  shape.kind = static_cast<SpanKind>(traits >> kKind & kKindMask);
  shape.name = names_.Intern(fields.name);
  shape.peer = names_.Intern(fields.peer.service);
  shape.address = names_.Intern(fields.peer.address);
  if (Has(traits, kRpcOperation)) {
    text_.assign(fields.peer.rpc_service).append("/").append(fields.peer.rpc_method);
    shape.operation = names_.Intern(text_);
  } else {
    shape.operation = names_.Intern(fields.peer.http_method);
  }
  if (Has(traits, kHasThreshold)) shape.threshold = threshold;
  return shape;
}

ShapeId SpanReader::NewShape(const otlp::SpanFields& fields, std::uint64_t traits,
                             std::uint64_t threshold) {
  return shapes_.Intern(ShapeOf(fields, traits, threshold));
}

ShapeId SpanReader::ShapeIdOf(const otlp::SpanFields& fields, std::uint64_t traits,
                              std::uint64_t threshold) {
  const Shape& of = of_resource_;
  const otlp::PeerFields& peer = fields.peer;
  const bool is_rpc = Has(traits, kRpcOperation);
  const ShapeKey key{.numbers = {std::uint64_t{of.service} << 32U | of.instance,
                                 std::uint64_t{of.policy} << 32U | of.scope, traits, threshold},
                     .texts = {fields.name, peer.service, peer.address,
                               is_rpc ? peer.rpc_service : peer.http_method,
                               is_rpc ? peer.rpc_method : std::string_view()}};
  return cache_.Get(key, [&] { return NewShape(fields, traits, threshold); });
}

/// As far as spans that are repeats of each other say the same (verdicts.md, 3).
std::uint64_t SpanReader::HashOf(const otlp::SpanFields& fields, const Shape& shape) {
  std::size_t hash = 0;
  const auto mix = [&hash](std::size_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32U;
  };
  const std::hash<std::string_view> hash_of;
  for (const std::string_view id : {fields.trace_id, fields.span_id, fields.parent_span_id}) {
    mix(hash_of(id));
  }
  for (const std::uint64_t number : {fields.start_nanoseconds, fields.end_nanoseconds}) mix(number);
  mix(shape.service);
  mix(shape.name);
  mix(static_cast<std::size_t>(shape.kind));
  return hash;
}

ReadSpan SpanReader::Read(const otlp::SpanFields& fields) {
  ReadSpan read;
  std::uint64_t traits = TraitsOf(fields) | Bit(of_resource_.facts.job, kJob);
  std::uint64_t threshold = 0;
  if (!fields.tracestate.empty()) {
    const otlp::OtEntry entry = otlp::ReadOtEntry(fields.tracestate);
    traits |= Bit(entry.is_present, kHasOt) | Bit(entry.threshold.has_value(), kHasThreshold);
    threshold = entry.threshold.value_or(0);
    read.randomness = entry.randomness;
  }
  const std::uint64_t id = SpanIdOf(fields.span_id);
  const std::uint64_t parent = SpanIdOf(fields.parent_span_id);
  traits |= Bit(parent == 0 || parent == id, kRoot);
  const ShapeId shape = ShapeIdOf(fields, traits, threshold);
  read.span.Set({id, parent}, fields.start_nanoseconds / 1000,
                Span::DurationOf(fields.start_nanoseconds, fields.end_nanoseconds), shape);
  const bool has_ids = fields.trace_id.size() == otlp::TraceId::kBytes &&
                       fields.span_id.size() == kSpanIdBytes && id != 0;
  const bool has_parent_id =
      fields.parent_span_id.empty() || fields.parent_span_id.size() == kSpanIdBytes;
  if (has_ids && has_parent_id) {
    read.trace = {BigEndian(fields.trace_id.data()), BigEndian(fields.trace_id.data() + 8)};
  }
  read.is_valid = read.trace != otlp::TraceId{};
  if (!read.is_valid) read.trace = {0, HashOf(fields, shapes_.Get(shape))};
  return read;
}

ReadLog SpanReader::Read(const otlp::LogFields& fields) {
  ReadLog log{.service = of_resource_.service,
              .instance = of_resource_.instance,
              .policy = of_resource_.policy};
  log.time = fields.time_nanoseconds / 1000;
  log.is_sampled = (fields.flags & kSampledFlag) != 0;
  if (!fields.trace_id.empty()) {
    const auto trace = otlp::TraceId::FromBytes(fields.trace_id);
    log.trace_state = trace ? IdState::kValid : IdState::kInvalid;
    log.trace = trace.value_or(otlp::TraceId{});
  }
  if (!fields.span_id.empty()) {
    log.span = fields.span_id.size() == kSpanIdBytes ? SpanIdOf(fields.span_id) : 0;
    log.span_state = log.span != 0 ? IdState::kValid : IdState::kInvalid;
  }
  std::optional<ShapeId>& of_logs = log_shapes_.at(log.is_sampled ? 1 : 0);
  if (!of_logs) {
    Shape shape{.service = log.service, .instance = log.instance, .policy = log.policy};
    shape.facts.sampled = log.is_sampled;
    of_logs = shapes_.Intern(shape);
  }
  log.shape = *of_logs;
  return log;
}

}  // namespace tracekeeper::continuity
