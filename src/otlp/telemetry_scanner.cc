#include "src/otlp/telemetry_scanner.h"

#include "src/otlp/wire_scan.h"

namespace tracekeeper::otlp {
namespace {

using wire::ForEachField;
using wire::kBytes;
using wire::kFixed32;
using wire::kFixed64;
using wire::kVarint;
using wire::ReadBytes;
using wire::ReadFixed;
using wire::ReadVarint;
using wire::SkipField;
using wire::Tag;

// How deep an attribute lies below its request.
constexpr int kResourceAttribute = 3;
constexpr int kSpanAttribute = 4;
constexpr int kEventAttribute = 5;

/// An attribute's name and, where it is one, its string value.
struct Attribute {
  std::string_view key;
  std::string_view text;
};

/// Whether `tag` sets the value of an AnyValue, which is one of these.
bool IsValue(std::uint32_t tag) {
  switch (tag) {
    case Tag(1, kBytes):
    case Tag(2, kVarint):
    case Tag(3, kVarint):
    case Tag(4, kFixed64):
    case Tag(5, kBytes):
    case Tag(6, kBytes):
    case Tag(7, kBytes):
      return true;
    default:
      return false;
  }
}

/// Of values, only texts are of use; of all, the framing is checked.
bool ReadAnyValue(std::string_view any_value, int depth, std::string_view& text) {
  if (!wire::IsAnyValue(any_value, depth)) return false;
  return ForEachField(any_value, [&text](std::uint32_t tag, const char* at, const char* end) {
    if (IsValue(tag)) text = {};
    return tag == Tag(1, kBytes) ? ReadBytes(at, end, text) : SkipField(at, end, tag);
  });
}

bool ReadKeyValue(std::string_view key_value, int depth, Attribute& attribute) {
  return ForEachField(
      key_value, [&attribute, depth](std::uint32_t tag, const char* at, const char* end) {
        if (tag == Tag(1, kBytes)) return ReadBytes(at, end, attribute.key);
        if (tag != Tag(2, kBytes)) return SkipField(at, end, tag);
        std::string_view value;
        at = ReadBytes(at, end, value);
        return at != nullptr && ReadAnyValue(value, depth + 1, attribute.text) ? at : nullptr;
      });
}

/// As SDKs write it: a short key, a short value, one text or one number in it. A dozen of these are
/// most of a span, so they are recognised as a whole.
bool ReadAttribute(std::string_view key_value, int depth, Attribute& attribute) {
  const char* const at = key_value.data();
  const std::size_t size = key_value.size();
  const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  constexpr std::size_t kShort = 0x80;
  if (size < 6 || byte(0) != Tag(1, kBytes)) return ReadKeyValue(key_value, depth, attribute);
  const std::size_t value_at = 2 + std::size_t{byte(1)};
  if (byte(1) >= kShort || value_at + 4 > size || byte(value_at) != Tag(2, kBytes) ||
      byte(value_at + 1) >= kShort || value_at + 2 + byte(value_at + 1) != size) {
    return ReadKeyValue(key_value, depth, attribute);
  }
  attribute.key = {at + 2, byte(1)};
  const std::size_t any_at = value_at + 2;
  if (byte(any_at) == Tag(1, kBytes) && byte(any_at + 1) == size - any_at - 2) {
    attribute.text = {at + any_at + 2, size - any_at - 2};
    return true;
  }
  return ReadAnyValue({at + any_at, size - any_at}, depth + 1, attribute.text);
}

/// Names that count only where the better one is not there.
struct Fallbacks {
  std::string_view host;
  std::string_view address;
  std::string_view operation_name;
  std::string_view operation;
};

void NoteResource(const Attribute& attribute, ResourceFields& resource, Fallbacks& fallbacks) {
  const std::string_view key = attribute.key;
  if (key == "service.name") {
    resource.service = attribute.text;
  } else if (key == "service.instance.id") {
    resource.instance = attribute.text;
  } else if (key == "k8s.pod.uid") {
    resource.pod_uid = attribute.text;
  } else if (key == "tracekeeper.policy") {
    resource.policy = attribute.text;
  } else if (key == "host.id") {
    resource.host = attribute.text;
  } else if (key == "host.name" || key == "k8s.node.name") {
    if (fallbacks.host.empty()) fallbacks.host = attribute.text;
  } else if (key == "k8s.cronjob.name" || key == "k8s.job.name" || key == "faas.name") {
    resource.is_job = true;
  }
}

void NoteHttp(std::string_view key, std::string_view text, SpanFields& span) {
  if (key == "http.request.method" || key == "http.method") {
    span.peer.http_method = text;
  } else if (key == "http.user_agent") {
    span.user_agent = text;
  }
}

void NoteRpc(std::string_view key, std::string_view text, SpanFields& span) {
  span.peer.is_rpc = true;
  if (key == "rpc.service") span.peer.rpc_service = text;
  if (key == "rpc.method") span.peer.rpc_method = text;
}

void NoteMessaging(std::string_view key, std::string_view text, SpanFields& span,
                   Fallbacks& fallbacks) {
  span.peer.is_messaging = true;
  if (!key.starts_with("messaging.operation")) return;
  if (key == "messaging.operation.type") {
    span.peer.messaging_operation = text;
  } else if (key == "messaging.operation.name") {
    fallbacks.operation_name = text;
  } else if (key == "messaging.operation") {
    fallbacks.operation = text;
  }
}

/// The names that matter share few first letters: one look tells most attributes apart.
void NoteSpan(const Attribute& attribute, SpanFields& span, Fallbacks& fallbacks) {
  const std::string_view key = attribute.key;
  if (key.size() < 4) return;
  switch (key.front()) {
    case 'h':
      if (key.starts_with("http.")) NoteHttp(key, attribute.text, span);
      return;
    case 'u':
      if (key == "user_agent.original") span.user_agent = attribute.text;
      return;
    case 'm':
      if (key.starts_with("messaging.")) NoteMessaging(key, attribute.text, span, fallbacks);
      return;
    case 'd':
      if (key.starts_with("db.")) span.peer.is_database = true;
      return;
    case 'c':
      if (key.starts_with("cassandra.")) span.peer.is_database = true;
      return;
    case 's':
      if (key == "server.address") span.peer.address = attribute.text;
      if (key == "sql.query") span.peer.is_database = true;
      return;
    case 'n':
      if (key == "net.peer.name" && fallbacks.address.empty()) fallbacks.address = attribute.text;
      return;
    case 'p':
      if (key == "peer.service") span.peer.service = attribute.text;
      return;
    case 'r':
      if (key.starts_with("rpc.")) NoteRpc(key, attribute.text, span);
      return;
    case 'e':
      if (key == "error.type") span.error_type = attribute.text;
      return;
    default:
      return;
  }
}

bool ReadEvent(std::string_view event, SpanFields& span) {
  return ForEachField(event, [&span](std::uint32_t tag, const char* at, const char* end) {
    if (tag != Tag(3, kBytes)) return SkipField(at, end, tag);
    std::string_view body;
    Attribute attribute;
    at = ReadBytes(at, end, body);
    if (at == nullptr || !ReadAttribute(body, kEventAttribute, attribute))
      return static_cast<const char*>(nullptr);
    if (attribute.key == "exception.message") span.exception_message = attribute.text;
    return at;
  });
}

bool ReadLink(std::string_view body, LinkFields& link) {
  return ForEachField(body, [&link](std::uint32_t tag, const char* at, const char* end) {
    if (tag == Tag(1, kBytes)) return ReadBytes(at, end, link.trace_id);
    if (tag == Tag(2, kBytes)) return ReadBytes(at, end, link.span_id);
    return SkipField(at, end, tag);
  });
}

bool ReadStatus(std::string_view body, SpanFields& span) {
  return ForEachField(body, [&span](std::uint32_t tag, const char* at, const char* end) {
    if (tag == Tag(2, kBytes)) return ReadBytes(at, end, span.status_message);
    if (tag != Tag(3, kVarint)) return SkipField(at, end, tag);
    std::uint64_t number = 0;
    at = ReadVarint(at, end, number);
    const auto code = static_cast<std::uint32_t>(number);
    const bool is_known = code <= static_cast<std::uint32_t>(SpanStatus::kError);
    span.status = is_known ? static_cast<SpanStatus>(code) : SpanStatus::kUnset;
    return at;
  });
}

SpanKind KindOf(std::uint32_t number) {
  const bool is_known = number <= static_cast<std::uint32_t>(SpanKind::kConsumer);
  return is_known ? static_cast<SpanKind>(number) : SpanKind::kUnspecified;
}

/// A submessage at `at`, given to `read`.
template <typename Read>
const char* ReadMessage(const char* at, const char* end, Read read) {
  std::string_view body;
  at = ReadBytes(at, end, body);
  return at != nullptr && read(body) ? at : nullptr;
}

const char* ReadSpanField(std::uint32_t tag, const char* at, const char* end, SpanFields& span,
                          Fallbacks& fallbacks, std::vector<LinkFields>& links) {
  std::uint64_t number = 0;
  switch (tag) {
    case Tag(1, kBytes):
      return ReadBytes(at, end, span.trace_id);
    case Tag(2, kBytes):
      return ReadBytes(at, end, span.span_id);
    case Tag(3, kBytes):
      return ReadBytes(at, end, span.tracestate);
    case Tag(4, kBytes):
      return ReadBytes(at, end, span.parent_span_id);
    case Tag(5, kBytes):
      return ReadBytes(at, end, span.name);
    case Tag(6, kVarint):
      at = ReadVarint(at, end, number);
      span.kind = KindOf(static_cast<std::uint32_t>(number));
      return at;
    case Tag(7, kFixed64):
      return ReadFixed(at, end, span.start_nanoseconds);
    case Tag(8, kFixed64):
      return ReadFixed(at, end, span.end_nanoseconds);
    case Tag(9, kBytes):
      return ReadMessage(at, end, [&](std::string_view body) {
        Attribute attribute;
        if (!ReadAttribute(body, kSpanAttribute, attribute)) return false;
        NoteSpan(attribute, span, fallbacks);
        return true;
      });
    case Tag(11, kBytes):
      return ReadMessage(at, end, [&span](std::string_view body) { return ReadEvent(body, span); });
    case Tag(13, kBytes):
      return ReadMessage(at, end, [&links](std::string_view body) {
        return ReadLink(body, links.emplace_back());
      });
    case Tag(15, kBytes):
      return ReadMessage(at, end,
                         [&span](std::string_view body) { return ReadStatus(body, span); });
    case Tag(16, kFixed32):
      return ReadFixed(at, end, span.flags);
    default:
      return SkipField(at, end, tag);
  }
}

}  // namespace

bool TelemetryScanner::ReadResource(std::string_view body, ResourceFields& resource) {
  Fallbacks fallbacks;
  const bool is_whole = ForEachField(body, [&](std::uint32_t tag, const char* at, const char* end) {
    Attribute attribute;
    if (tag != Tag(1, kBytes)) return SkipField(at, end, tag);
    return ReadMessage(at, end, [&](std::string_view key_value) {
      if (!ReadAttribute(key_value, kResourceAttribute, attribute)) return false;
      NoteResource(attribute, resource, fallbacks);
      return true;
    });
  });
  if (resource.host.empty()) resource.host = fallbacks.host;
  return is_whole;
}

bool TelemetryScanner::ReadScope(std::string_view body, std::string_view& name) {
  return ForEachField(body, [&name](std::uint32_t tag, const char* at, const char* end) {
    return tag == Tag(1, kBytes) ? ReadBytes(at, end, name) : SkipField(at, end, tag);
  });
}

bool TelemetryScanner::ReadSpan(std::string_view body, SpanFields& span) {
  links_.clear();
  Fallbacks fallbacks;
  const bool is_whole = ForEachField(body, [&](std::uint32_t tag, const char* at, const char* end) {
    return ReadSpanField(tag, at, end, span, fallbacks, links_);
  });
  if (span.peer.address.empty()) span.peer.address = fallbacks.address;
  for (const std::string_view operation : {fallbacks.operation_name, fallbacks.operation}) {
    if (span.peer.messaging_operation.empty()) span.peer.messaging_operation = operation;
  }
  span.links = links_;
  return is_whole;
}

bool TelemetryScanner::ReadLog(std::string_view body, LogFields& log) {
  std::uint64_t observed = 0;
  const bool is_whole = ForEachField(body, [&](std::uint32_t tag, const char* at, const char* end) {
    switch (tag) {
      case Tag(1, kFixed64):
        return ReadFixed(at, end, log.time_nanoseconds);
      case Tag(8, kFixed32):
        return ReadFixed(at, end, log.flags);
      case Tag(9, kBytes):
        return ReadBytes(at, end, log.trace_id);
      case Tag(10, kBytes):
        return ReadBytes(at, end, log.span_id);
      case Tag(11, kFixed64):
        return ReadFixed(at, end, observed);
      default:
        return SkipField(at, end, tag);
    }
  });
  if (log.time_nanoseconds == 0) log.time_nanoseconds = observed;
  return is_whole;
}

}  // namespace tracekeeper::otlp
