#include "src/continuity/shape_cards.h"

#include "src/continuity/trace_context.h"

namespace tracekeeper::continuity {

void ShapeCards::UseEpoch(std::shared_ptr<const Epoch> epoch) {
  epoch_ = std::move(epoch);
  cards_.clear();
}

void ShapeCards::Make(ShapeId id) {
  if (id >= cards_.size()) cards_.resize(shapes_.size());
  const Shape& shape = shapes_.Get(id);
  ShapeCard& card = cards_[id];
  card = {.is_known = true,
          .is_special =
              epoch_->rules.Excludes(shape, names_) || shape.facts.cancelled || shape.facts.probe,
          .is_entry = shape.is_entry(),
          .is_out = shape.is_out(),
          .is_server = shape.kind == otlp::SpanKind::kServer,
          .is_consumer = shape.kind == otlp::SpanKind::kConsumer,
          .is_local = shape.is_local(),
          .parent_known = shape.facts.parent_known,
          .parent_remote = shape.facts.parent_remote,
          .has_ot = shape.facts.has_ot,
          .has_link = shape.facts.has_link,
          .service = shape.service,
          .instance = shape.instance,
          .policy = shape.policy,
          .population = PopulationOf(shape.threshold)};
  card.steps =
      &tally_.At({.family = Family::kInProcess, .policy = shape.policy, .service = shape.service});
  card.requests =
      &tally_.At({.family = Family::kRequest, .policy = shape.policy, .service = shape.service});
  if (!shape.is_out()) return;
  const NameId peer = epoch_->profile.PeerOf(shape);
  const auto reason = WhyNoPartner(shape, peer, epoch_->profile);
  card.is_call_excluded = reason.has_value();
  if (!reason) return;
  card.call_verdict = *reason;
  card.calls = &tally_.At({.family = Family::kHop,
                           .protocol = ProtocolOf(&shape, nullptr),
                           .policy = shape.policy,
                           .service = shape.service,
                           .server = peer});
}

UnitCounts& ShapeCards::FindHops(ShapeId caller, ShapeId callee) {
  const Shape& from = shapes_.Get(caller);
  const Shape& to = shapes_.Get(callee);
  return tally_.At({.family = Family::kHop,
                    .protocol = ProtocolOf(&from, &to),
                    .policy = from.policy != 0 ? from.policy : to.policy,
                    .service = from.service,
                    .server = to.service});
}

}  // namespace tracekeeper::continuity
