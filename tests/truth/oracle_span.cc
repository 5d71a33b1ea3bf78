#include "tests/truth/oracle_span.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <tuple>

namespace tracekeeper::truth {
namespace {

constexpr std::uint32_t kRemoteIsKnown = 0x100;
constexpr std::uint32_t kIsRemote = 0x200;
constexpr int kStatusError = 2;
constexpr std::size_t kTraceIdSize = 16;
constexpr std::size_t kSpanIdSize = 8;

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool SaysCancelled(const std::string& text) {
  const std::string lower = LowerCase(text);
  return lower.find("cancel") != std::string::npos || lower.find("deadline") != std::string::npos;
}

bool HasKeyThatStartsWith(const Attributes& attributes, std::string_view prefix) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const auto& attribute) { return attribute.first.starts_with(prefix); });
}

std::string FirstValueOf(const Attributes& attributes, std::string_view key,
                         std::string_view other_key) {
  const std::string value = ValueOf(attributes, key);
  return value.empty() ? ValueOf(attributes, other_key) : value;
}

bool IsPoll(const ModelSpan& span) {
  if (span.kind != kConsumer) return false;
  for (const std::string_view key :
       {"messaging.operation.type", "messaging.operation.name", "messaging.operation"}) {
    const std::string value = ValueOf(span.attributes, key);
    if (!value.empty()) return value == "receive" || value == "poll";
  }
  return span.name.ends_with(" receive") || span.name.ends_with(" poll");
}

bool IsProbe(const std::string& user_agent) {
  return user_agent.starts_with("kube-probe/") ||
         LowerCase(user_agent).find("health") != std::string::npos;
}

std::string OperationOf(const Attributes& attributes) {
  const std::string service = ValueOf(attributes, "rpc.service");
  const std::string method = ValueOf(attributes, "rpc.method");
  if (!service.empty() || !method.empty()) return service + "/" + method;
  return FirstValueOf(attributes, "http.request.method", "http.method");
}

void ReadIds(const ModelSpan& from, OracleSpan& span) {
  span.trace_id = from.trace_id;
  span.span_id = from.span_id;
  if (!IsZeros(from.parent_span_id)) span.named_parent = from.parent_span_id;
  if (span.named_parent != span.span_id) span.parent_id = span.named_parent;
  const bool is_parent_sound =
      from.parent_span_id.empty() || from.parent_span_id.size() == kSpanIdSize;
  span.has_valid_ids = IsValidId(from.trace_id, kTraceIdSize) &&
                       IsValidId(from.span_id, kSpanIdSize) && is_parent_sound;
  for (const auto& [trace_id, span_id] : from.links) {
    span.has_valid_link |= IsValidId(trace_id, kTraceIdSize) && IsValidId(span_id, kSpanIdSize);
  }
}

void ReadTimes(const ModelSpan& from, OracleSpan& span) {
  span.start = static_cast<std::int64_t>(from.start_nanoseconds / 1000);
  span.end = static_cast<std::int64_t>(from.end_nanoseconds / 1000);
  span.is_unfinished = from.end_nanoseconds == 0 || span.end < span.start;
  if (span.is_unfinished) span.end = span.start;
}

void ReadKind(const ModelSpan& from, OracleSpan& span) {
  span.has_kind = from.kind >= kInternal && from.kind <= kConsumer;
  span.kind = span.has_kind ? from.kind : kInternal;
  span.is_out = span.kind == kClient || span.kind == kProducer;
  // The flags speak of a parent: where there is none, they say nothing.
  if (!span.parent_id.empty() && (span.flags & kRemoteIsKnown) != 0) {
    span.is_parent_remote = (span.flags & kIsRemote) != 0;
  }
  span.is_entry = span.is_parent_remote.value_or(span.kind == kServer || span.kind == kConsumer);
}

void ReadAttributes(const ModelSpan& from, OracleSpan& span) {
  const Attributes& attributes = from.attributes;
  span.is_poll = IsPoll(from);
  span.is_database = HasKeyThatStartsWith(attributes, "db.") ||
                     HasKeyThatStartsWith(attributes, "cassandra.") ||
                     !ValueOf(attributes, "sql.query").empty();
  span.is_messaging = HasKeyThatStartsWith(attributes, "messaging.");
  span.is_rpc = HasKeyThatStartsWith(attributes, "rpc.");
  span.is_probe = IsProbe(FirstValueOf(attributes, "user_agent.original", "http.user_agent"));
  span.peer_service = ValueOf(attributes, "peer.service");
  span.address = FirstValueOf(attributes, "server.address", "net.peer.name");
  span.operation = OperationOf(attributes);
  span.has_error = from.status == kStatusError;
  span.is_cancelled = span.has_error && (SaysCancelled(from.status_message) ||
                                         SaysCancelled(ValueOf(attributes, "error.type")) ||
                                         SaysCancelled(from.exception_message));
}

}  // namespace

bool IsZeros(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char byte) { return byte == '\0'; });
}

bool IsValidId(std::string_view id, std::size_t size) { return id.size() == size && !IsZeros(id); }

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(byte) >> 4U]);
    text.push_back(kDigits[static_cast<unsigned char>(byte) & 0xFU]);
  }
  return text;
}

std::string ValueOf(const Attributes& attributes, std::string_view key) {
  std::string value;
  for (const auto& attribute : attributes) {
    if (attribute.first == key) value = attribute.second;
  }
  return value;
}

std::string InstanceOf(const Attributes& resource) {
  const std::string id = FirstValueOf(resource, "service.instance.id", "k8s.pod.uid");
  return id.empty() ? "" : ValueOf(resource, "service.name") + "\n" + id;
}

OracleSpan ReadSpan(const ModelSpan& from) {
  OracleSpan span;
  span.service = ValueOf(from.resource, "service.name");
  span.instance = InstanceOf(from.resource);
  span.scope = from.scope;
  span.name = from.name;
  span.tracestate = from.tracestate;
  span.flags = from.flags;
  for (const std::string_view key : {"k8s.cronjob.name", "k8s.job.name", "faas.name"}) {
    span.is_job |= !ValueOf(from.resource, key).empty();
  }
  ReadIds(from, span);
  ReadTimes(from, span);
  ReadKind(from, span);
  ReadAttributes(from, span);
  return span;
}

bool IsNamed(const std::set<std::string>& names, std::string_view text) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    if (!name.ends_with('*')) return text == name;
    return text.starts_with(name.substr(0, name.size() - 1));
  });
}

bool IsExcluded(const OracleSpan& span, const ModelPolicy& policy) {
  return IsNamed(policy.excluded_services, span.service) ||
         IsNamed(policy.excluded_span_names, span.name) ||
         IsNamed(policy.excluded_scopes, span.scope);
}

bool StartsBefore(const OracleSpan* left, const OracleSpan* right) {
  return std::tie(left->start, left->span_id) < std::tie(right->start, right->span_id);
}

}  // namespace tracekeeper::truth
