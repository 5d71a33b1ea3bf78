#pragma once
// Shape is all that a span shares with the others of its kind: who sent it, what it is called, whom
// it talked to, how it ended. There are few shapes and many spans, so a span holds the number of
// its shape and nothing else that is text.
//
// Threads:  as Names: Intern by one thread at a time, Get from any that was handed the number.
// Owner:    ShapeTable keeps every shape it was given.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "src/continuity/names.h"
#include "src/otlp/telemetry_fields.h"

namespace tracekeeper::continuity {

/// Edges are told apart by how they talk.
enum class Protocol : std::uint8_t { kHttp, kRpc, kMessaging };

/// "http", "rpc", "messaging": a metric label.
std::string_view NameOf(Protocol protocol);

/// What is true of a span, beside its kind.
struct SpanFacts {
  bool flags_known = false;    // any of the bits below, or of the W3C flags, was set
  bool parent_known = false;   // flags bit 8: whether the parent is remote is known
  bool parent_remote = false;  // flags bit 9
  bool sampled = false;
  bool random = false;
  bool error = false;
  bool cancelled = false;
  bool has_ot = false;    // a tracestate with a member `ot`
  bool has_link = false;  // to a valid context
  bool job = false;       // of a scheduled job or a function
  bool database = false;
  bool probe = false;  // user agent of a health check
  bool poll = false;   // asks a broker for messages
  bool rpc = false;
  bool messaging = false;

  bool operator==(const SpanFacts&) const = default;
};

struct Shape {
  NameId service = 0;
  NameId instance = 0;
  NameId policy = 0;
  NameId scope = 0;
  NameId name = 0;
  NameId peer = 0;       // peer.service
  NameId address = 0;    // of the peer
  NameId operation = 0;  // "rpc.service/rpc.method" or the HTTP method
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  SpanFacts facts;
  std::optional<std::uint64_t> threshold;  // th of the tracestate's `ot`

  bool operator==(const Shape&) const = default;

  [[nodiscard]] bool is_out() const {
    return kind == otlp::SpanKind::kClient || kind == otlp::SpanKind::kProducer;
  }
  [[nodiscard]] bool is_served() const {
    return kind == otlp::SpanKind::kServer || kind == otlp::SpanKind::kConsumer;
  }
  /// Continues, or begins, what came from another process.
  [[nodiscard]] bool is_entry() const {
    return facts.parent_known ? facts.parent_remote : is_served();
  }
  /// Known to continue something of its own process.
  [[nodiscard]] bool is_local() const { return facts.parent_known && !facts.parent_remote; }
};

using ShapeId = std::uint32_t;
/// A span keeps 24 bits for it.
inline constexpr std::size_t kMaxShapes = std::size_t{1} << 24U;

class ShapeTable {
 public:
  ShapeTable() { Intern({}); }

  /// Where kMaxShapes are there, 0, which is the shape that says nothing.
  ShapeId Intern(const Shape& shape);
  [[nodiscard]] const Shape& Get(ShapeId id) const { return shapes_[id]; }
  [[nodiscard]] std::size_t size() const { return shapes_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const Shape& shape) const;
  };

  std::deque<Shape> shapes_;
  std::unordered_map<Shape, ShapeId, Hash> ids_;
};

}  // namespace tracekeeper::continuity
