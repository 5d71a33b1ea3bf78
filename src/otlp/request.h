#pragma once
// An Export...ServiceRequest as the bytes it came in: counted, looked into, thinned out, cut into
// pieces, never built as objects. All three signals nest alike:
//
//   request { 1: ResourceX { 1: resource, 2: ScopeX { 1: scope, 2: item, 3: schema }, 3: schema } }
//
// where an item is a span, a metric or a log record. Two requests are merged by writing one behind
// the other: that is what protobuf means by it.
//
// Threads:  pure functions.
// Failure:  kDecode with a sentence for bytes that are not such a request. Down to the fields of an
//           item the framing is checked; what fields mean is the backend's to judge.
// Source:   opentelemetry-proto 1.x; fields that this build does not know are passed on.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/otlp/signal.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::otlp {

/// Spans, log records, or data points in `request`, whose framing is checked.
Result<std::size_t> CountItems(Signal signal, std::string_view request);

/// What decides about an item. Views point into the request.
struct ItemFields {
  std::string_view body;
  /// Nothing for metrics, and where the item carries no usable id.
  std::optional<TraceId> trace_id;
  std::string_view span_id;
  std::string_view tracestate;  // spans only
};

/// Calls `visit` for each item, in order.
Status ForEachItem(Signal signal, std::string_view request,
                   const std::function<void(const ItemFields&)>& visit);

struct ItemDecision {
  bool keep = true;
  std::optional<std::string> tracestate = std::nullopt;  // spans only: replaces what it has
};
using ItemJudge = std::function<ItemDecision(const ItemFields&)>;

struct FilteredRequest {
  /// Nothing: every item was kept as it is, so the request itself is the result.
  std::optional<std::string> request;
  std::size_t kept = 0;  // counted as CountItems does
  std::size_t dropped = 0;
};
Result<FilteredRequest> FilterRequest(Signal signal, std::string_view request,
                                      const ItemJudge& judge);

struct RequestLimits {
  std::size_t items = 0;
  std::size_t bytes = 0;
};
struct RequestPiece {
  std::string request;
  std::size_t items = 0;
};
/// `request` in pieces within `limits`, each with its resources and scopes. An item that is over
/// the limits by itself makes a piece of its own.
Result<std::vector<RequestPiece>> SplitRequest(Signal signal, std::string_view request,
                                               const RequestLimits& limits);

}  // namespace tracekeeper::otlp
