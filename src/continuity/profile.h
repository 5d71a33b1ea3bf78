#pragma once
// Profile is what was learned of the services before anything is judged: who is instrumented, who
// calls whom, what is normally a root. Every verdict is a function of spans, rules and a profile,
// so a profile can be printed, kept and given again.
//
// Threads:  immutable while verdicts are made from it.
// Source:   docs/reference/verdicts.md, section 5.

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "src/continuity/shape.h"
#include "src/continuity/span.h"

namespace tracekeeper::continuity {

struct ServiceProfile {
  bool is_instrumented = false;  // has an entry span
  NameId usual_caller = 0;       // of all its entries
  std::optional<std::uint64_t> threshold;
  Microseconds busy = 0;      // entry spans open, summed over its instances
  Microseconds observed = 0;  // from first start to last end, summed over its instances

  /// At most half of the time a request is open.
  [[nodiscard]] bool is_mostly_idle() const { return busy * 2 <= observed; }
};

/// Of service, scope, name and kind.
struct OperationProfile {
  std::uint64_t children = 0;       // spans with a parent id
  std::uint64_t roots = 0;          // spans without
  std::uint64_t roots_inside = 0;   // of these, started while a request was open on their instance
  std::uint64_t links_present = 0;  // of spans that are no entries
  std::uint64_t links_absent = 0;

  [[nodiscard]] bool is_normally_child() const { return children > 0 && children >= roots; }
  [[nodiscard]] bool is_always_orphan() const { return links_absent >= 10 && links_present == 0; }
};

/// Smallest and largest of the trace ids' lower halves.
struct IdRange {
  std::uint64_t lowest = UINT64_MAX;
  std::uint64_t highest = 0;

  void Add(std::uint64_t id) {
    lowest = id < lowest ? id : lowest;
    highest = id > highest ? id : highest;
  }
};

/// Of a service and the name of an entry span.
struct CalleeProfile {
  NameId usual_caller = 0;
  std::uint64_t present = 0;
  std::uint64_t absent = 0;
  IdRange present_ids;
  IdRange absent_ids;

  static constexpr std::uint64_t kEnough = 20;

  [[nodiscard]] bool is_mostly_absent() const {
    return absent >= kEnough && present > 0 && present <= absent;
  }
  /// Whether the caller's span is there follows from the trace id: a sampler decided.
  [[nodiscard]] bool ids_fall_apart() const {
    return present >= kEnough && absent >= kEnough &&
           (present_ids.highest < absent_ids.lowest || absent_ids.highest < present_ids.lowest);
  }
};

struct InstanceProfile {
  std::uint64_t links_present = 0;  // of spans that are no entries
  std::uint64_t links_absent = 0;
};

struct OperationKey {
  NameId service = 0;
  NameId scope = 0;
  NameId name = 0;
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;

  bool operator==(const OperationKey&) const = default;

  static OperationKey Of(const Shape& shape);
};

struct OperationKeyHash {
  std::size_t operator()(const OperationKey& key) const;
};

struct Profile {
  Microseconds settle_window = 10'000'000;
  Microseconds skew = 500'000;
  /// How long after a call's start what it calls starts at the latest.
  Microseconds delay = kMaxDuration;

  std::unordered_map<NameId, ServiceProfile> services;
  std::unordered_map<NameId, NameId> addresses;  // to the services that answer there
  std::unordered_map<OperationKey, OperationProfile, OperationKeyHash> operations;
  std::map<std::pair<NameId, NameId>, CalleeProfile> callees;
  std::unordered_map<NameId, InstanceProfile> instances;

  /// The service that an out span talked to; 0 where nothing says it.
  [[nodiscard]] NameId PeerOf(const Shape& shape) const;
  [[nodiscard]] bool IsInstrumented(NameId service) const;
  [[nodiscard]] bool IsMostlyIdle(NameId service) const;
  [[nodiscard]] CalleeProfile CalleeOf(const Shape& entry) const;
  /// 0 where none is known.
  [[nodiscard]] NameId UsualCallerOf(const Shape& entry) const;
  [[nodiscard]] std::optional<std::uint64_t> ThresholdOf(NameId service) const;
  [[nodiscard]] OperationProfile OperationOf(const Shape& shape) const;
};

}  // namespace tracekeeper::continuity
