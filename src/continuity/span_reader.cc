#include "src/continuity/span_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

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

/// `word` is in lower case.
bool ContainsWord(std::string_view text, std::string_view word) {
  const auto lower = [](char letter) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  };
  return !std::ranges::search(text, word, {}, lower).empty();
}

bool SaysCancelled(std::string_view text) {
  return ContainsWord(text, "cancel") || ContainsWord(text, "deadline");
}

std::uint64_t SpanIdOf(std::string_view bytes) {
  std::uint64_t id = 0;
  for (const char byte : bytes) id = id << 8U | static_cast<unsigned char>(byte);
  return id;
}

bool IsProbe(std::string_view user_agent) {
  return user_agent.starts_with("kube-probe/") || ContainsWord(user_agent, "health");
}

bool IsPoll(const otlp::SpanFields& fields) {
  if (fields.kind != SpanKind::kConsumer) return false;
  const std::string_view operation = fields.peer.messaging_operation;
  if (!operation.empty()) return operation == "receive" || operation == "poll";
  return fields.name.ends_with(" receive") || fields.name.ends_with(" poll");
}

bool HasValidLink(const otlp::SpanFields& fields) {
  return std::ranges::any_of(fields.links, [](const otlp::LinkFields& link) {
    return otlp::TraceId::FromBytes(link.trace_id) && link.span_id.size() == kSpanIdBytes &&
           SpanIdOf(link.span_id) != 0;
  });
}

SpanFacts FactsOf(const otlp::SpanFields& fields) {
  SpanFacts facts;
  facts.flags_known = (fields.flags & kKnownFlags) != 0;
  facts.sampled = (fields.flags & kSampledFlag) != 0;
  facts.random = (fields.flags & kRandomFlag) != 0;
  facts.parent_known = (fields.flags & kParentKnownFlag) != 0;
  facts.parent_remote = facts.parent_known && (fields.flags & kParentRemoteFlag) != 0;
  facts.error = fields.status == otlp::SpanStatus::kError;
  facts.cancelled =
      facts.error && (SaysCancelled(fields.status_message) || SaysCancelled(fields.error_type) ||
                      SaysCancelled(fields.exception_message));
  facts.has_link = HasValidLink(fields);
  facts.database = fields.peer.is_database;
  facts.probe = IsProbe(fields.user_agent);
  facts.poll = IsPoll(fields);
  facts.rpc = fields.peer.is_rpc;
  facts.messaging = fields.peer.is_messaging;
  return facts;
}

}  // namespace

void SpanReader::OnResource(const otlp::ResourceFields& resource) {
  of_resource_ = {};
  of_resource_.service = names_.Intern(resource.service);
  of_resource_.policy = names_.Intern(resource.policy);
  of_resource_.facts.job = resource.is_job;
  const std::string_view instance =
      resource.instance.empty() ? resource.pod_uid : resource.instance;
  // Ids of instances are unique within their service only.
  of_resource_.instance =
      instance.empty() ? 0 : names_.Intern(fmt::format("{}/{}", resource.service, instance));
}

void SpanReader::OnScope(std::string_view name) { of_resource_.scope = names_.Intern(name); }

Shape SpanReader::ShapeOf(const otlp::SpanFields& fields) {
  Shape shape = of_resource_;
  shape.facts = FactsOf(fields);
  shape.facts.job = of_resource_.facts.job;
  shape.kind = fields.kind;
  shape.name = names_.Intern(fields.name);
  shape.peer = names_.Intern(fields.peer.service);
  shape.address = names_.Intern(fields.peer.address);
  const bool is_rpc = !fields.peer.rpc_service.empty() || !fields.peer.rpc_method.empty();
  shape.operation =
      is_rpc ? names_.Intern(fmt::format("{}/{}", fields.peer.rpc_service, fields.peer.rpc_method))
             : names_.Intern(fields.peer.http_method);
  return shape;
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
  Shape shape = ShapeOf(fields);
  if (!fields.tracestate.empty()) {
    const otlp::OtEntry entry = otlp::ReadOtEntry(fields.tracestate);
    shape.facts.has_ot = entry.is_present;
    shape.threshold = entry.threshold;
    read.randomness = entry.randomness;
  }
  read.span.SetTimes(fields.start_nanoseconds, fields.end_nanoseconds);
  read.span.id = SpanIdOf(fields.span_id);
  read.span.parent = SpanIdOf(fields.parent_span_id);
  if (read.span.is_root()) {
    // SDKs say "known, not remote" of a root too: there is nothing to be known.
    shape.facts.parent_known = false;
    shape.facts.parent_remote = false;
  }
  read.span.shape = shapes_.Intern(shape);
  const auto trace = otlp::TraceId::FromBytes(fields.trace_id);
  const bool has_span_id = fields.span_id.size() == kSpanIdBytes;
  const bool has_parent_id =
      fields.parent_span_id.empty() || fields.parent_span_id.size() == kSpanIdBytes;
  read.is_valid = trace && has_span_id && has_parent_id && read.span.id != 0;
  read.trace = read.is_valid ? *trace : otlp::TraceId{0, HashOf(fields, shape)};
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
  Shape shape{.service = log.service, .instance = log.instance, .policy = log.policy};
  shape.facts.sampled = log.is_sampled;
  log.shape = shapes_.Intern(shape);
  return log;
}

}  // namespace tracekeeper::continuity
