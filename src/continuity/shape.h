#pragma once
// Shape is all that a span shares with the others of its kind: who sent it, what it is called, whom
// it talked to, how it ended. There are few shapes and many spans, so a span holds the number of
// its shape and nothing else that is text.
//
// Threads:  as Names: Intern by one thread at a time, while others read; Get from any that was
//           handed the number in a way that orders memory; size and overflowed from any.
// Owner:    ShapeTable keeps every shape it was given, and none of them moves.
// Cost:     about 80 bytes a shape; with the default limit at most 42 MiB.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "src/continuity/growing_array.h"
#include "src/continuity/names.h"
#include "src/continuity/number_index.h"
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

/// Peers choose what spans say, so there is a limit. A shape that there is no room for loses what
/// few shapes share and keeps what counting needs: its service, policy, kind and facts; its name is
/// "other", and its instance, scope, peer and threshold are not said. Where `shapes` / 4 of those
/// are there too, its service is "other" as well and its policy not said: of such, there are no
/// more than kinds and facts can make. So a span is always counted, as itself while there is room.
class ShapeTable {
 public:
  static constexpr std::size_t kDefaultLimit = std::size_t{1} << 18U;

  explicit ShapeTable(std::size_t limit = kDefaultLimit);

  ShapeId Intern(const Shape& shape);
  [[nodiscard]] const Shape& Get(ShapeId id) const { return shapes_[id]; }
  [[nodiscard]] std::size_t size() const { return shapes_.size(); }
  /// How often Intern answered with a shape that says less.
  [[nodiscard]] std::uint64_t overflowed() const {
    return overflowed_.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] std::uint64_t HashOf(const Shape& shape) const;
  /// Nothing where it is new and there are `limit` already.
  std::optional<ShapeId> InternBelow(const Shape& shape, std::size_t limit);

  const std::size_t limit_;
  const std::uint64_t key_;
  GrowingArray<Shape> shapes_;
  NumberIndex index_;
  std::atomic<std::uint64_t> overflowed_ = 0;
};

}  // namespace tracekeeper::continuity
