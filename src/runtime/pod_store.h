#pragma once
// Pod is what a cache keeps of each pod: about half a kilobyte instead of the 30 to 50 KB that a
// parsed object takes. Strings that repeat between pods are interned.
//
//   Informer<Pod> pods({.resource = kube::kPods}, PodProjection({"example.com/injected"}),
//                      client, clock, log);
//   const PodIndexes indexes = AddPodIndexes(pods.store());    // before Start
//
// Threads:  a Pod is immutable; a PodProjection may be called from any thread.
// Failure:  a pod without a name is kDecode; a field that is missing or of another kind is empty.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/kube/meta.h"
#include "src/runtime/interned_string.h"
#include "src/runtime/store.h"
#include "src/runtime/uid.h"

namespace tracekeeper::runtime {

enum class PodPhase : std::uint8_t { kUnknown, kPending, kRunning, kSucceeded, kFailed };

/// "Running" and so on.
std::string_view NameOf(PodPhase phase);

class Pod {
 public:
  [[nodiscard]] std::string_view namespace_name() const { return namespace_.view(); }
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] kube::ObjectKey key() const;
  [[nodiscard]] const Uid& uid() const { return uid_; }
  [[nodiscard]] std::string_view node() const { return node_.view(); }
  [[nodiscard]] PodPhase phase() const { return phase_; }
  /// Condition Ready is True.
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] bool being_deleted() const { return being_deleted_; }
  /// Succeeded or Failed: it will not run again.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] Instant creation_time() const { return Instant(std::chrono::seconds(created_)); }

  /// The controlling owner; kind empty when there is none.
  [[nodiscard]] std::string_view owner_kind() const { return owner_kind_.view(); }
  [[nodiscard]] std::string_view owner_name() const { return owner_name_.view(); }
  [[nodiscard]] const Uid& owner_uid() const { return owner_uid_; }

  [[nodiscard]] std::optional<std::string_view> Label(std::string_view key) const;
  /// One of the annotations that the projection was told to keep.
  [[nodiscard]] std::optional<std::string_view> Annotation(std::string_view key) const;
  /// For selectors that take a map.
  [[nodiscard]] kube::StringMap Labels() const;

  struct Pair {
    InternedString key;
    InternedString value;
  };
  /// Sorted by key.
  [[nodiscard]] const std::vector<Pair>& label_pairs() const { return labels_; }

 private:
  friend class PodProjection;

  std::string name_;
  InternedString namespace_;
  InternedString node_;
  InternedString owner_kind_;
  InternedString owner_name_;
  Uid uid_;
  Uid owner_uid_;
  std::vector<Pair> labels_;
  std::vector<Pair> annotations_;
  std::int64_t created_ = 0;  // seconds since 1970
  PodPhase phase_ = PodPhase::kUnknown;
  bool ready_ = false;
  bool being_deleted_ = false;
};

class PodProjection {
 public:
  /// `annotations` are the keys to keep.
  explicit PodProjection(std::vector<std::string> annotations);

  Result<Pod> operator()(codec::JsonValue pod) const;

 private:
  [[nodiscard]] std::vector<Pod::Pair> Labels(codec::JsonValue labels) const;
  [[nodiscard]] std::vector<Pod::Pair> Annotations(codec::JsonValue annotations) const;

  std::vector<std::string> annotations_;
  std::shared_ptr<InternTable> strings_;
};

/// The ways in which pods are looked up.
struct PodIndexes {
  IndexId by_namespace;
  IndexId by_node;
  /// By Uid::view() of the controlling owner.
  IndexId by_owner;
};
PodIndexes AddPodIndexes(Store<Pod>& store);

}  // namespace tracekeeper::runtime
