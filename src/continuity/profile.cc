#include "src/continuity/profile.h"

namespace tracekeeper::continuity {
namespace {

/// What the table says of `key`; nothing learned where it has no such row.
template <typename Table, typename Key>
typename Table::mapped_type Find(const Table& table, const Key& key) {
  const auto found = table.find(key);
  return found == table.end() ? typename Table::mapped_type{} : found->second;
}

}  // namespace

OperationKey OperationKey::Of(const Shape& shape) {
  const bool has_kind = shape.kind != otlp::SpanKind::kUnspecified;
  return {.service = shape.service,
          .scope = shape.scope,
          .name = shape.name,
          .kind = has_kind ? shape.kind : otlp::SpanKind::kInternal};
}

std::size_t OperationKeyHash::operator()(const OperationKey& key) const {
  const std::uint64_t high = std::uint64_t{key.service} << 32U | key.scope;
  const std::uint64_t low = std::uint64_t{key.name} << 8U | static_cast<std::uint64_t>(key.kind);
  const std::uint64_t mixed = (high ^ low * 0xD6E8FEB86659FD93U) * 0x9E3779B97F4A7C15U;
  return mixed ^ mixed >> 32U;
}

NameId Profile::PeerOf(const Shape& shape) const {
  return shape.peer != 0 ? shape.peer : Find(addresses, shape.address);
}

bool Profile::IsInstrumented(NameId service) const {
  return service != 0 && Find(services, service).is_instrumented;
}

bool Profile::IsMostlyIdle(NameId service) const {
  return Find(services, service).is_mostly_idle();
}

CalleeProfile Profile::CalleeOf(const Shape& entry) const {
  return Find(callees, std::pair(entry.service, entry.name));
}

NameId Profile::UsualCallerOf(const Shape& entry) const {
  const NameId caller = CalleeOf(entry).usual_caller;
  return caller != 0 ? caller : Find(services, entry.service).usual_caller;
}

std::optional<std::uint64_t> Profile::ThresholdOf(NameId service) const {
  return Find(services, service).threshold;
}

OperationProfile Profile::OperationOf(const Shape& shape) const {
  return Find(operations, OperationKey::Of(shape));
}

}  // namespace tracekeeper::continuity
