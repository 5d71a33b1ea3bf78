#include "operator/controllers/vault_connection_controller.h"

#include <charconv>
#include <optional>
#include <utility>

#include "src/codec/json_writer.h"
#include "src/vault/failure.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kStatusManager = "tracekeeper-status";

// Resource versions of one kind grow; one that is no number counts as oldest.
std::uint64_t VersionOf(std::string_view text) {
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// An error that is not Vault's: what the connection logs in with could not be had.
domain::ConnectionTrouble TroubleOfCluster(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kNotFound:
    case ErrorKind::kForbidden:
    case ErrorKind::kInvalid:
    case ErrorKind::kDecode:
      return {std::string(domain::kLoginMaterialMissing), error.message, true};
    default:
      return {std::string(domain::kClusterUnavailable), error.message, false};
  }
}

domain::ConnectionTrouble TroubleOf(const Error& error) {
  const auto failure = vault::FailureOf(error);
  if (!failure) return TroubleOfCluster(error);
  const vault::FailureRow& row = vault::RowOf(*failure);
  return {std::string(row.reason), error.message, row.retry == vault::Retry::kSlow};
}

Duration NextLook(const Error& error, bool needs_a_person) {
  const Duration usual =
      needs_a_person ? VaultConnectionController::kSlow : VaultConnectionController::kSoon;
  return error.retry_after ? std::min(*error.retry_after, usual) : usual;
}

/// Logged in, and Vault can be asked; the version that it says it has.
Result<std::string> Check(vault::Connection& connection, const StopToken& stop) {
  TRY(connection.session().Tend(stop));
  const vault::Health health = TRY(connection.endpoint().AskHealth(stop));
  if (const auto why = vault::WhyNotAsk(health.state)) {
    return Fail(vault::MakeError(*why, "ask sys/health"));
  }
  return health.version;
}

}  // namespace

VaultConnectionController::Look VaultConnectionController::LookAt(
    const api::VaultConnection& object, const StopToken& stop) {
  Look look{.next = kCheckPeriod};
  look.seen.generation = object.metadata.generation;
  look.seen.address = object.spec.address;
  look.seen.tolerated_skew = vault::kSkewAlarm;
  look.seen.published = NewestStatus(object);
  const auto opened = connections_.Open(object, stop);
  const auto version = opened ? Check(**opened, stop) : Result<std::string>(Fail(opened.error()));
  if (opened) look.seen.clock_skew = (*opened)->endpoint().clock_skew();
  if (version) {
    look.seen.vault_version = *version;
    return look;
  }
  look.seen.trouble = TroubleOf(version.error());
  look.next = NextLook(version.error(), look.seen.trouble->needs_a_person);
  return look;
}

Result<runtime::Requeue> VaultConnectionController::Reconcile(const kube::ObjectKey& key,
                                                              runtime::ReconcileContext& context) {
  const auto object = objects_.Find(key);
  if (object == nullptr || object->metadata.IsBeingDeleted()) {
    connections_.Close(key, context.stop);
    const std::scoped_lock lock(mutex_);
    reported_.erase(key);
    return runtime::Requeue::Never();
  }
  Look look = LookAt(*object, context.stop);
  if (context.stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
  const domain::ConnectionStatusPlan plan = domain::PlanConnectionStatus(look.seen, context.now);
  if (plan.is_changed) TRY(Report(*object, plan, context));
  return runtime::Requeue::After(look.next);
}

Status VaultConnectionController::Report(const api::VaultConnection& object,
                                         const domain::ConnectionStatusPlan& plan,
                                         runtime::ReconcileContext& context) {
  const kube::ObjectMeta& meta = object.metadata;
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", api::kVaultConnections.ApiVersion())
      .Member("kind", api::kVaultConnectionKind);
  // The uid: a connection deleted and made again under this name must not get the old one's status.
  json.Key("metadata")
      .BeginObject()
      .Member("name", meta.key.name)
      .Member("namespace", meta.key.namespace_name)
      .Member("uid", meta.uid)
      .EndObject();
  json.Key("status").Raw(api::EncodeStatus(plan.status)).EndObject();
  auto applied = client_.Apply(api::kVaultConnections, meta.key, json.text(),
                               {.field_manager = std::string(kStatusManager),
                                .subresource = "status",
                                .force = kube::Force::kYes},
                               context.stop);
  if (!applied && applied.error().kind == ErrorKind::kNotFound) return {};
  if (!applied) return Fail(std::move(applied).error());
  for (const domain::PlannedEvent& event : plan.events) {
    events_.Record({.regarding = {.api_version = api::kVaultConnections.ApiVersion(),
                                  .kind = std::string(api::kVaultConnectionKind),
                                  .key = meta.key,
                                  .uid = meta.uid,
                                  .resource_version = meta.resource_version},
                    .type = event.warning ? kube::EventType::kWarning : kube::EventType::kNormal,
                    .reason = event.reason,
                    .action = event.action,
                    .note = event.note});
  }
  const std::scoped_lock lock(mutex_);
  reported_[meta.key] = {
      meta.uid, VersionOf((*applied)["metadata"]["resourceVersion"].StringOr("")), plan.status};
  return {};
}

api::VaultConnectionStatus VaultConnectionController::NewestStatus(
    const api::VaultConnection& object) {
  const std::scoped_lock lock(mutex_);
  const auto last = reported_.find(object.metadata.key);
  if (last == reported_.end() || last->second.uid != object.metadata.uid) return object.status;
  const bool cache_lags = VersionOf(object.metadata.resource_version) < last->second.version;
  return cache_lags ? last->second.status : object.status;
}

}  // namespace tracekeeper::controllers
