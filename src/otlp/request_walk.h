#pragma once
// The walk over a request that counting, filtering and splitting share; see request.h.
//
// Threads:  pure. Inline: relays spend most of their time here.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/codec/protobuf_wire.h"
#include "src/otlp/request.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

// Field numbers of the three levels.
inline constexpr std::uint32_t kResourceItems = 1;
inline constexpr std::uint32_t kScopes = 2;
inline constexpr std::uint32_t kItems = 2;

inline bool IsMessage(const codec::WireReader& reader, std::uint32_t field) {
  return reader.Is(field, codec::WireType::kBytes);
}

/// Steps over a varint; null when it is cut off or longer than 10 bytes.
inline const char* SkipVarint(const char* at, const char* end) {
  constexpr std::ptrdiff_t kLongest = 10;
  const char* const limit = end - at > kLongest ? at + kLongest : end;
  for (; at != limit; ++at) {
    if (static_cast<unsigned char>(*at) < 0x80U) return at + 1;
  }
  return nullptr;
}

/// Whether each field of `message` ends where the next one begins: what WireReader finds too, at a
/// third of the cost, because nothing is read but tags and lengths. Groups and tags of more than
/// two bytes, which spans and log records do not have, are left to WireReader.
inline bool IsPlainlyFramed(std::string_view message) {
  const char* at = message.data();
  const char* const end = at + message.size();
  while (at != end) {
    const auto tag = static_cast<unsigned char>(*at++);
    if (tag < 8) return false;
    if (tag >= 0x80U) {
      if (at == end || static_cast<unsigned char>(*at) >= 0x80U) return false;
      if (*at == 0) return false;  // one byte written as two, which may be field 0
      ++at;
    }
    std::size_t size = 0;
    switch (tag & 7U) {
      case 0:
        at = SkipVarint(at, end);
        if (at == nullptr) return false;
        continue;
      case 1:
        size = 8;
        break;
      case 2: {
        unsigned shift = 0;
        for (;; shift += 7) {
          if (at == end || shift > 28) return false;
          const auto byte = static_cast<unsigned char>(*at++);
          size |= static_cast<std::size_t>(byte & 0x7FU) << shift;
          if (byte < 0x80U) break;
        }
        break;
      }
      case 5:
        size = 4;
        break;
      default:
        return false;
    }
    if (size > static_cast<std::size_t>(end - at)) return false;
    at += size;
  }
  return true;
}

/// Data points of one metric: field 1 of its gauge, sum, histogram, exponential histogram, summary.
inline Result<std::size_t> CountDataPoints(std::string_view metric) {
  constexpr auto kHoldsPoints = [](std::uint32_t field) {
    return field == 5 || field == 7 || field == 9 || field == 10 || field == 11;
  };
  std::size_t points = 0;
  codec::WireReader fields(metric);
  while (fields.Next()) {
    if (fields.type() != codec::WireType::kBytes || !kHoldsPoints(fields.field())) continue;
    codec::WireReader data(fields.bytes());
    while (data.Next()) points += IsMessage(data, 1) ? 1 : 0;
    TRY(data.Finish());
  }
  TRY(fields.Finish());
  return points;
}

/// Reads what decides about a span or a log record, and checks the framing of its fields.
inline Result<ItemFields> ReadItem(Signal signal, std::string_view body) {
  const std::uint32_t trace_id = signal == Signal::kTraces ? 1 : 9;
  const std::uint32_t span_id = signal == Signal::kTraces ? 2 : 10;
  const std::uint32_t tracestate = signal == Signal::kTraces ? 3 : 0;
  ItemFields item{.body = body};
  if (signal == Signal::kMetrics) return item;
  codec::WireReader fields(body);
  while (fields.Next()) {
    if (fields.type() != codec::WireType::kBytes) continue;
    if (fields.field() == trace_id) {
      item.trace_id = TraceId::FromBytes(fields.bytes());
    } else if (fields.field() == span_id) {
      item.span_id = fields.bytes();
    } else if (fields.field() == tracestate) {
      item.tracestate = fields.bytes();
    }
  }
  TRY(fields.Finish());
  return item;
}

inline Result<std::size_t> CountOf(Signal signal, std::string_view item) {
  if (signal == Signal::kMetrics) return CountDataPoints(item);
  if (IsPlainlyFramed(item)) return 1;
  codec::WireReader fields(item);
  while (fields.Next()) {
  }
  TRY(fields.Finish());
  return 1;
}

/// Calls `on_resource(body)`, then for each of its scopes `on_scope(body)`, then `on_item(reader)`
/// for each item, where the reader stands on the item's field. All return Status.
template <typename OnResource, typename OnScope, typename OnItem>
Status WalkRequest(std::string_view request, OnResource on_resource, OnScope on_scope,
                   OnItem on_item) {
  codec::WireReader resources(request);
  while (resources.Next()) {
    if (!IsMessage(resources, kResourceItems)) continue;
    TRY(on_resource(resources.bytes()));
    codec::WireReader scopes(resources.bytes());
    while (scopes.Next()) {
      if (!IsMessage(scopes, kScopes)) continue;
      TRY(on_scope(scopes.bytes()));
      codec::WireReader items(scopes.bytes());
      while (items.Next()) {
        if (IsMessage(items, kItems)) TRY(on_item(items));
      }
      TRY(items.Finish());
    }
    TRY(scopes.Finish());
  }
  return resources.Finish();
}

/// Every field of `body` but the messages `left_out`: what a level says about all below it.
inline std::string FieldsBut(std::uint32_t left_out, std::string_view body) {
  std::string kept;
  codec::WireReader fields(body);
  while (fields.Next()) {
    if (!IsMessage(fields, left_out)) kept.append(fields.raw());
  }
  return kept;
}

/// RequestBuilder writes a request from chosen items of another, under their resources and scopes.
class RequestBuilder {
 public:
  RequestBuilder() = default;
  RequestBuilder(const RequestBuilder&) = delete;
  RequestBuilder& operator=(const RequestBuilder&) = delete;

  /// The next items belong to this resource or scope; written when the first of them is.
  void EnterResource(std::string_view body);
  void EnterScope(std::string_view body);
  /// An item's whole field, tag and length included.
  void AddField(std::string_view field);
  void AddItem(std::string_view body);

  /// What is written so far, and what AddField of this size would make of it, about.
  [[nodiscard]] std::size_t SizeWith(std::size_t field_size) const;
  [[nodiscard]] bool empty() const { return request_.empty(); }
  /// Ends this request and begins another at the same place.
  std::string Take();

 private:
  void OpenLevels();
  void CloseScope();
  void CloseResource();

  std::string request_;
  codec::WireWriter writer_{request_};
  std::string_view resource_body_;
  std::string_view scope_body_;
  std::string resource_fields_;
  std::string scope_fields_;
  bool has_resource_fields_ = false;
  bool has_scope_fields_ = false;
  std::optional<codec::WireWriter::OpenMessage> resource_;
  std::optional<codec::WireWriter::OpenMessage> scope_;
};

}  // namespace tracekeeper::otlp
