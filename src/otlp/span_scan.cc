// TelemetryScanner::ReadSpan: a span is most of what the scanner reads, so its fields are expected
// as every SDK writes them, and read one by one from where a span has others.

#include <algorithm>
#include <array>

#include "src/otlp/attribute_scan.h"
#include "src/otlp/telemetry_scanner.h"
#include "src/otlp/wire_scan.h"

namespace tracekeeper::otlp {
namespace {

using wire::ForEachField;
using wire::kBytes;
using wire::kFixed32;
using wire::kFixed64;
using wire::kVarint;
using wire::Load;
using wire::ReadBytes;
using wire::ReadFixed;
using wire::ReadVarint;
using wire::SkipField;
using wire::Tag;

// How deep an attribute lies below its request.
constexpr int kSpanAttribute = 4;
constexpr int kEventAttribute = 5;

/// The first letters of a key as Load reads them.
constexpr std::uint64_t Letters(std::string_view key) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(key.size(), sizeof word); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(key[i])} << 8 * i;
  }
  return word;
}

/// How the keys begin that matter, but for db.* and rpc.*, which say less than eight letters.
constexpr std::array<std::uint64_t, 11> kBeginnings = {
    Letters("http.request.method"), Letters("http.method"),    Letters("http.user_agent"),
    Letters("user_agent.original"), Letters("server.address"), Letters("net.peer.name"),
    Letters("peer.service"),        Letters("messaging."),     Letters("cassandra."),
    Letters("sql.query"),           Letters("error.type")};

/// A table of them by a product of their letters, with a factor that keeps them apart.
struct BeginningTable {
  static constexpr unsigned kShift = 59;

  std::uint64_t factor = 1;
  std::array<std::uint64_t, 32> words{};

  consteval BeginningTable() {
    while (!Fill()) factor = (factor * 6364136223846793005U + 1442695040888963408U) | 1U;
  }
  consteval bool Fill() {
    words = {};
    for (const std::uint64_t word : kBeginnings) {
      std::uint64_t& place = words[word * factor >> kShift];
      if (place != 0) return false;
      place = word;
    }
    return true;
  }
};
constexpr BeginningTable kTable;

/// Whether a key that begins so may matter. Most do not, and this is all that is done with them.
bool MayMatter(std::uint64_t letters) {
  const bool is_known = kTable.words[letters * kTable.factor >> BeginningTable::kShift] == letters;
  const bool is_database = (letters & 0xFFFFFFU) == Letters("db.");
  const bool is_rpc = static_cast<std::uint32_t>(letters) == Letters("rpc.");
  return is_known | is_database | is_rpc;
}

/// key == text, without a loop or a call: words that overlap.
template <std::size_t kWithZero>
[[gnu::always_inline]] inline bool Is(std::string_view key, const char (&text)[kWithZero]) {
  constexpr std::size_t kSize = kWithZero - 1;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  static_assert(kSize >= kWord && kSize <= 3 * kWord);
  constexpr std::size_t kLast = kSize - kWord;
  constexpr std::size_t kMiddle = std::min(kWord, kLast);
  if (key.size() != kSize) return false;
  const auto differ = [&](std::size_t at) {
    return Load<std::uint64_t>(key.data() + at) ^ Load<std::uint64_t>(text + at);
  };
  return (differ(0) | differ(kMiddle) | differ(kLast)) == 0;
}

SpanKind KindOf(std::uint32_t number) {
  const bool is_known = number <= static_cast<std::uint32_t>(SpanKind::kConsumer);
  return is_known ? static_cast<SpanKind>(number) : SpanKind::kUnspecified;
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

/// A submessage at `at`, given to `read`.
template <typename Read>
const char* ReadMessage(const char* at, const char* end, Read read) {
  std::string_view body;
  at = ReadBytes(at, end, body);
  return at != nullptr && read(body) ? at : nullptr;
}

/// The ids, name, kind and times, as far as they stand in that order and are of usual size: the
/// place of the first field that does not.
const char* ReadHead(const char* at, const char* end, SpanFields& span) {
  constexpr std::ptrdiff_t kIds = 28;  // of trace and span
  constexpr std::ptrdiff_t kParent = 10;
  constexpr std::ptrdiff_t kTimes = 20;  // kind, start, end
  constexpr std::size_t kShort = 0x80;
  const auto byte = [&at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  if (end - at < kIds + kParent || Load<std::uint16_t>(at) != 0x100A ||
      Load<std::uint16_t>(at + 18) != 0x0812) {
    return at;
  }
  span.trace_id = {at + 2, 16};
  span.span_id = {at + 20, 8};
  at += kIds;
  if (Load<std::uint16_t>(at) == 0x0822) {
    span.parent_span_id = {at + 2, 8};
    at += kParent;
  }
  if (end - at < 2 || byte(0) != Tag(5, kBytes) || byte(1) >= kShort || end - at < 2 + byte(1)) {
    return at;
  }
  span.name = {at + 2, byte(1)};
  at += 2 + byte(1);
  if (end - at < kTimes || byte(0) != Tag(6, kVarint) || byte(1) >= kShort ||
      byte(2) != Tag(7, kFixed64) || byte(11) != Tag(8, kFixed64)) {
    return at;
  }
  span.kind = KindOf(byte(1));
  span.start_nanoseconds = Load<std::uint64_t>(at + 3);
  span.end_nanoseconds = Load<std::uint64_t>(at + 12);
  return at + kTimes;
}

/// Flags, and a status without a text, behind all else: the place behind them.
const char* ReadTail(const char* at, const char* end, SpanFields& span) {
  constexpr std::ptrdiff_t kFlags = 6;
  if (end - at >= 2 && Load<std::uint16_t>(at) == Tag(15, kBytes)) at += 2;  // empty
  if (end - at >= kFlags && Load<std::uint16_t>(at) == 0x0185) {
    span.flags = Load<std::uint32_t>(at + 2);
    at += kFlags;
  }
  return at;
}

}  // namespace

void TelemetryScanner::NoteMessaging(std::string_view key, std::string_view text) {
  span_.peer.is_messaging = true;
  if (key == "messaging.operation.type") {
    span_.peer.messaging_operation = text;
  } else if (key == "messaging.operation.name") {
    second_best_.operation_name = text;
  } else if (key == "messaging.operation") {
    second_best_.operation = text;
  }
}

void TelemetryScanner::NoteAttribute(std::string_view key, std::string_view text) {
  PeerFields& peer = span_.peer;
  is_rare_ = true;
  if (key == "http.request.method" || key == "http.method") {
    peer.http_method = text;
  } else if (key == "server.address") {
    peer.address = text;
  } else if (key == "user_agent.original" || key == "http.user_agent") {
    span_.user_agent = text;
  } else if (key.starts_with("db.") || key.starts_with("cassandra.") || key == "sql.query") {
    peer.is_database = true;
  } else if (key.starts_with("rpc.")) {
    peer.is_rpc = true;
    if (key == "rpc.service") peer.rpc_service = text;
    if (key == "rpc.method") peer.rpc_method = text;
  } else if (key.starts_with("messaging.")) {
    NoteMessaging(key, text);
  } else if (key == "net.peer.name") {
    if (second_best_.address.empty()) second_best_.address = text;
  } else if (key == "peer.service") {
    peer.service = text;
  } else if (key == "error.type") {
    span_.error_type = text;
  }
}

const char* TelemetryScanner::ReadSpanField(std::uint32_t tag, const char* at, const char* end) {
  std::uint64_t number = 0;
  is_rare_ |= tag == Tag(3, kBytes) || tag == Tag(11, kBytes) || tag == Tag(13, kBytes) ||
              tag == Tag(15, kBytes);
  switch (tag) {
    case Tag(1, kBytes):
      return ReadBytes(at, end, span_.trace_id);
    case Tag(2, kBytes):
      return ReadBytes(at, end, span_.span_id);
    case Tag(3, kBytes):
      return ReadBytes(at, end, span_.tracestate);
    case Tag(4, kBytes):
      return ReadBytes(at, end, span_.parent_span_id);
    case Tag(5, kBytes):
      return ReadBytes(at, end, span_.name);
    case Tag(6, kVarint):
      at = ReadVarint(at, end, number);
      span_.kind = KindOf(static_cast<std::uint32_t>(number));
      return at;
    case Tag(7, kFixed64):
      return ReadFixed(at, end, span_.start_nanoseconds);
    case Tag(8, kFixed64):
      return ReadFixed(at, end, span_.end_nanoseconds);
    case Tag(9, kBytes):
      return ReadMessage(at, end, [this](std::string_view body) {
        Attribute attribute;
        if (!ReadAttribute(body, kSpanAttribute, attribute)) return false;
        NoteAttribute(attribute.key, attribute.text);
        return true;
      });
    case Tag(11, kBytes):
      return ReadMessage(at, end, [this](std::string_view body) { return ReadEvent(body, span_); });
    case Tag(13, kBytes):
      return ReadMessage(
          at, end, [this](std::string_view body) { return ReadLink(body, links_.emplace_back()); });
    case Tag(15, kBytes):
      return ReadMessage(at, end,
                         [this](std::string_view body) { return ReadStatus(body, span_); });
    case Tag(16, kFixed32):
      return ReadFixed(at, end, span_.flags);
    default:
      return SkipField(at, end, tag);
  }
}

const char* TelemetryScanner::ReadPlainAttributes(const char* at, const char* end) {
  while (at < end) {
    Attribute attribute;
    const char* const next = ReadPlainAttribute<Tag(9, kBytes)>(at, end, attribute);
    if (next == nullptr) break;
    at = next;
    if (!MayMatter(Load<std::uint64_t>(attribute.key.data()))) continue;
    // The three that most spans have.
    if (Is(attribute.key, "http.request.method")) {
      span_.peer.http_method = attribute.text;
    } else if (Is(attribute.key, "server.address")) {
      span_.peer.address = attribute.text;
    } else if (Is(attribute.key, "user_agent.original")) {
      span_.user_agent = attribute.text;
    } else {
      NoteAttribute(attribute.key, attribute.text);
    }
  }
  return at;
}

void TelemetryScanner::Finish() {
  if (span_.peer.address.empty()) span_.peer.address = second_best_.address;
  for (const std::string_view operation : {second_best_.operation_name, second_best_.operation}) {
    if (span_.peer.messaging_operation.empty()) span_.peer.messaging_operation = operation;
  }
  span_.links = links_;
}

void TelemetryScanner::Clear() {
  // One by one: as a whole, it would be a loop in microcode.
  span_.trace_id = {};
  span_.span_id = {};
  span_.parent_span_id = {};
  span_.name = {};
  span_.flags = 0;
  span_.kind = SpanKind::kUnspecified;
  span_.start_nanoseconds = 0;
  span_.end_nanoseconds = 0;
  span_.peer.address = {};
  span_.peer.http_method = {};
  span_.user_agent = {};
  if (is_rare_) ClearRare();
}

void TelemetryScanner::ClearRare() {
  is_rare_ = false;
  second_best_ = {};
  links_.clear();
  span_.tracestate = {};
  span_.status = SpanStatus::kUnset;
  span_.peer.service = {};
  span_.peer.rpc_service = {};
  span_.peer.rpc_method = {};
  span_.peer.messaging_operation = {};
  span_.peer.is_database = false;
  span_.peer.is_messaging = false;
  span_.peer.is_rpc = false;
  span_.status_message = {};
  span_.error_type = {};
  span_.exception_message = {};
  span_.links = {};
}

bool TelemetryScanner::ReadSpan(std::string_view body, const char* readable_end) {
  Clear();
  const char* at = body.data();
  const char* const end = at + body.size();
  const char* const plain_end = PlainEnd(body, readable_end);
  at = ReadHead(at, end, span_);
  while (true) {
    at = ReadTail(ReadPlainAttributes(at, plain_end), end, span_);
    if (at == end) break;
    std::uint32_t tag = 0;
    at = wire::ReadTag(at, end, tag);
    if (at == nullptr) return false;
    at = ReadSpanField(tag, at, end);
    if (at == nullptr) return false;
  }
  if (is_rare_) Finish();
  return true;
}

}  // namespace tracekeeper::otlp
