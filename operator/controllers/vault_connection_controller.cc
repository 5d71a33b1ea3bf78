#include "operator/controllers/vault_connection_controller.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/vault/failure.h"

namespace tracekeeper::controllers {
namespace {

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
  look.seen.published = status_.Newest(object.metadata, object.status);
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
    status_.Forget(key);
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
  const bool is_there = TRY(
      status_.Write(meta, plan.status, api::EncodeStatus(plan.status), context.now, context.stop));
  if (!is_there) return {};
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
  return {};
}

}  // namespace tracekeeper::controllers
