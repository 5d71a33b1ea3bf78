#pragma once
// ShapeCards are what a PlainTrace needs of shapes, looked up once for each shape and epoch: facts
// as bits, and the counters where its good units go.
//
// Threads:  one thread.
// Owner:    names, shapes and the tally outlive it; the epoch is kept.
// Cost:     a card of 64 bytes a shape.

#include <cstdint>
#include <memory>
#include <vector>

#include "src/continuity/cluster_judge.h"
#include "src/continuity/shape.h"
#include "src/continuity/tally.h"

namespace tracekeeper::continuity {

struct ShapeCard {
  bool is_known = false;
  /// Not for a plain trace: excluded, cancelled, a probe, or a call that may have to be asked
  /// about.
  bool is_special = false;
  bool is_entry = false;
  bool is_out = false;
  bool is_server = false;
  bool is_consumer = false;
  bool is_local = false;
  bool parent_known = false;
  bool parent_remote = false;
  bool has_ot = false;
  bool has_link = false;
  /// An out span without partner says nothing: why.
  bool is_call_excluded = false;
  Verdict call_verdict;
  NameId service = 0;
  NameId instance = 0;
  NameId policy = 0;
  double population = 0;           // of requests with its threshold
  UnitCounts* steps = nullptr;     // in_process
  UnitCounts* requests = nullptr;  // whose entry it is
  UnitCounts* calls = nullptr;     // without partner
};

class ShapeCards {
 public:
  ShapeCards(const Names& names, const ShapeTable& shapes, Tally& tally)
      : names_(names), shapes_(shapes), tally_(tally) {}

  /// Forgets what it looked up.
  void UseEpoch(std::shared_ptr<const Epoch> epoch);

  const ShapeCard& Of(ShapeId id) {
    if (id >= cards_.size() || !cards_[id].is_known) Make(id);
    return cards_[id];
  }
  /// Where the hops from one to the other are counted.
  UnitCounts& HopsBetween(ShapeId caller, ShapeId callee) {
    Edge& edge = edges_[(caller * 31 + callee) % kEdges];
    if (edge.caller != caller || edge.callee != callee || edge.counts == nullptr) {
      edge = {caller, callee, &FindHops(caller, callee)};
    }
    return *edge.counts;
  }

 private:
  static constexpr std::size_t kEdges = 4096;

  struct Edge {
    ShapeId caller = 0;
    ShapeId callee = 0;
    UnitCounts* counts = nullptr;
  };

  void Make(ShapeId id);
  UnitCounts& FindHops(ShapeId caller, ShapeId callee);

  const Names& names_;
  const ShapeTable& shapes_;
  Tally& tally_;
  std::shared_ptr<const Epoch> epoch_;
  std::vector<ShapeCard> cards_;
  std::vector<Edge> edges_ = std::vector<Edge>(kEdges);
};

}  // namespace tracekeeper::continuity
