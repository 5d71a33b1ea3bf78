#pragma once
// TelemetryScanner walks an ExportTraceServiceRequest or an ExportLogsServiceRequest as the bytes
// it came in and hands out what the continuity engine needs, without building objects.
//
//   struct Visitor {
//     void OnResource(const ResourceFields& resource);
//     void OnScope(std::string_view name);
//     void OnSpan(const SpanFields& span);
//   };
//   TelemetryScanner scanner;
//   const Status status = scanner.ScanTraces(request, visitor);
//
// A resource or scope that stands behind what it belongs to (protobuf allows any order) is found
// first. One that was sent in two pieces, which no serialiser does, is refused.
// Repeated scalar fields: the last one counts; attributes: the last of a name.
//
// Threads:  one scanner a thread; it keeps memory for links between calls and allocates nothing
//           in steady state.
// Failure:  kDecode for damaged framing at any level it reads: the visitor has by then seen what
//           came before. A field of another wire type than its own is skipped, as libprotobuf does.
// Cost:     linear; a span as SDKs write it about twice what adding up its bytes takes. A span with
//           a tracestate, events, links, a status text or one of the rarer attributes costs some
//           more. See tests/bench/otlp_scan_bench.cc.

#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/otlp/telemetry_fields.h"
#include "src/otlp/wire_scan.h"

namespace tracekeeper::otlp {

class TelemetryScanner {
 public:
  template <typename Visitor>
  Status ScanTraces(std::string_view request, Visitor& visitor) {
    const char* const end = request.data() + request.size();
    return Scan(request, visitor, [&](std::string_view body) {
      if (!ReadSpan(body, end)) return false;
      visitor.OnSpan(span_);
      return true;
    });
  }

  /// `visitor.OnLog(const LogFields&)` for each record.
  template <typename Visitor>
  Status ScanLogs(std::string_view request, Visitor& visitor) {
    return Scan(request, visitor, [&](std::string_view body) {
      LogFields log;
      if (!ReadLog(body, log)) return false;
      visitor.OnLog(log);
      return true;
    });
  }

 private:
  /// The three levels: request { 1: { 1: resource, 2: { 1: scope, 2: item } } }.
  template <typename Visitor, typename OnItem>
  static Status Scan(std::string_view request, Visitor& visitor, OnItem on_item);
  template <typename Read>
  static bool ForEachMessage(std::string_view body, std::uint32_t field, Read read);
  /// One level: its head (field 1: resource, scope) before its parts (field 2), in whatever order
  /// they stand. A head in two pieces is refused.
  template <typename OnHead, typename OnPart>
  static bool ReadLevel(std::string_view body, OnHead on_head, OnPart on_part);

  // Up to `readable_end` there are bytes that may be looked at, if not used.
  static bool ReadResource(std::string_view body, const char* readable_end,
                           ResourceFields& resource);
  static bool ReadScope(std::string_view body, std::string_view& name);
  static bool ReadLog(std::string_view body, LogFields& log);
  /// Into span_.
  bool ReadSpan(std::string_view body, const char* readable_end);
  const char* ReadSpanField(std::uint32_t tag, const char* at, const char* end);
  /// Up to the first field that is none.
  const char* ReadPlainAttributes(const char* at, const char* end);
  void NoteAttribute(std::string_view key, std::string_view text);
  void NoteMessaging(std::string_view key, std::string_view text);

  /// Names that count only where the better one is not there.
  struct SecondBest {
    std::string_view address;
    std::string_view operation_name;
    std::string_view operation;
  };

  void Clear();
  void ClearRare();
  void Finish();

  // They live here, not in ReadSpan, so that a span only clears what the one before it set.
  SpanFields span_;
  SecondBest second_best_;
  std::vector<LinkFields> links_;
  bool is_rare_ = false;  // more of them is set than what most spans have
};

template <typename Read>
bool TelemetryScanner::ForEachMessage(std::string_view body, std::uint32_t field, Read read) {
  const std::uint32_t wanted = wire::Tag(field, wire::kBytes);
  return wire::ForEachField(body,
                            [&](std::uint32_t tag, const char* at, const char* end) -> const char* {
                              if (tag != wanted) return wire::SkipField(at, end, tag);
                              std::string_view message;
                              at = wire::ReadBytes(at, end, message);
                              return at != nullptr && read(message) ? at : nullptr;
                            });
}

template <typename OnHead, typename OnPart>
bool TelemetryScanner::ReadLevel(std::string_view body, OnHead on_head, OnPart on_part) {
  constexpr std::uint32_t kHead = wire::Tag(1, wire::kBytes);
  constexpr std::uint32_t kPart = wire::Tag(2, wire::kBytes);
  // The head is looked for among all that follows only where it does not come first: a pass over
  // parts that are not in the cache yet costs as much as reading them.
  const bool has_head_first = !body.empty() && body.front() == static_cast<char>(kHead);
  if (!has_head_first) {
    std::string_view head;
    const auto keep = [&head](std::string_view found) {
      const bool is_only_one = head.data() == nullptr;
      head = found;
      return is_only_one;
    };
    if (!ForEachMessage(body, 1, keep) || !on_head(head)) return false;
  }
  bool may_come = has_head_first;
  return wire::ForEachField(
      body, [&](std::uint32_t tag, const char* at, const char* end) -> const char* {
        if (tag != kPart && tag != kHead) return wire::SkipField(at, end, tag);
        std::string_view message;
        at = wire::ReadBytes(at, end, message);
        if (at == nullptr) return nullptr;
        if (tag == kPart) return on_part(message) ? at : nullptr;
        if (!has_head_first) return at;
        return std::exchange(may_come, false) && on_head(message) ? at : nullptr;
      });
}

template <typename Visitor, typename OnItem>
Status TelemetryScanner::Scan(std::string_view request, Visitor& visitor, OnItem on_item) {
  const char* reached = request.data();
  const auto on_scope = [&visitor](std::string_view scope) {
    std::string_view name;
    if (!ReadScope(scope, name)) return false;
    visitor.OnScope(name);
    return true;
  };
  const auto on_reached_item = [&](std::string_view item) {
    reached = item.data();
    return on_item(item);
  };
  const auto on_resource = [&](std::string_view resource) {
    ResourceFields fields;
    if (!ReadResource(resource, request.data() + request.size(), fields)) return false;
    visitor.OnResource(fields);
    return true;
  };
  const auto on_scope_items = [&](std::string_view scope_items) {
    return ReadLevel(scope_items, on_scope, on_reached_item);
  };
  const bool is_whole = ForEachMessage(request, 1, [&](std::string_view resource_items) {
    reached = resource_items.data();
    return ReadLevel(resource_items, on_resource, on_scope_items);
  });
  if (is_whole) return {};
  return Fail(ErrorKind::kDecode, "damaged protobuf in or after the record at byte {}",
              reached - request.data());
}

}  // namespace tracekeeper::otlp
