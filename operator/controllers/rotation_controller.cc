#include "operator/controllers/rotation_controller.h"

#include <algorithm>
#include <utility>

#include "operator/domain/rotation_failure.h"

namespace tracekeeper::controllers {
namespace {

/// The policy and the name of the credential in a key.
std::pair<kube::ObjectKey, std::string> PartsOf(const kube::ObjectKey& key) {
  const std::size_t slash = key.name.rfind('/');
  return {{key.namespace_name, key.name.substr(0, slash)}, key.name.substr(slash + 1)};
}

const api::Credential* FindCredential(const api::TracingPolicy& policy, std::string_view name) {
  const auto found = std::ranges::find(policy.spec.credentials, name, &api::Credential::name);
  return found == policy.spec.credentials.end() ? nullptr : &*found;
}

std::optional<Instant> TimeOf(const std::string& text) {
  const auto time = kube::ParseTimestamp(text);
  return time ? std::optional<Instant>(*time) : std::nullopt;
}

/// What the status says of it: where no run could begin, no more is known.
domain::CredentialReport PublishedReport(const api::TracingPolicy& policy, std::string_view name) {
  domain::CredentialReport report;
  for (const api::CredentialStatus& status : policy.status.credentials) {
    if (status.name != name) continue;
    report.phase = codec::EnumOfName<domain::RotationPhase>(status.phase)
                       .value_or(domain::RotationPhase::kIdle);
    report.version = status.version;
    report.last_rotation = TimeOf(status.last_rotation);
    report.next_rotation = TimeOf(status.next_rotation);
  }
  report.may_be_ready = report.version > 0;
  return report;
}

}  // namespace

kube::ObjectKey RotationController::KeyOf(const kube::ObjectKey& policy,
                                          std::string_view credential) {
  return {policy.namespace_name, std::string(policy.name).append("/").append(credential)};
}

RotationController::EntryPointer RotationController::EntryOf(const kube::ObjectKey& key) {
  const std::scoped_lock lock(mutex_);
  auto& entry = entries_[key];
  if (entry == nullptr) entry = std::make_shared<Entry>(parts_.ports);
  return entry;
}

void RotationController::Note(const api::TracingPolicy& policy) {
  for (const api::CredentialStatus& status : policy.status.credentials) {
    if (const auto time = TimeOf(status.last_rotation)) parts_.time.RaiseFloor(*time);
  }
  for (const api::Credential& credential : policy.spec.credentials) {
    const auto entry = EntryOf(KeyOf(policy.metadata.key, credential.name));
    std::string request = domain::RotationRequest(policy, credential.name);
    const std::scoped_lock lock(mutex_);
    auto& requests = entry->requests;
    if (request.empty() || (!requests.empty() && requests.back() == request)) continue;
    requests.push_back(std::move(request));
    if (requests.size() > domain::RotationJournal::kMostRequests) requests.erase(requests.begin());
  }
}

bool RotationController::NoteTarget(const kube::ObjectKey& key, std::string_view resource_version) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  Entry& entry = *found->second;
  if (entry.target_version.empty() || entry.target_version == resource_version) return false;
  entry.must_compare = true;
  return true;
}

runtime::Requeue RotationController::Forget(const kube::ObjectKey& key) {
  const auto [policy, credential] = PartsOf(key);
  parts_.ledger.Forget(policy, credential);
  parts_.metrics.Forget(policy, credential);
  const std::scoped_lock lock(mutex_);
  entries_.erase(key);
  return runtime::Requeue::Never();
}

Result<CredentialPorts::Connection> RotationController::Connect(const domain::CredentialPlan& plan,
                                                                const StopToken& stop) const {
  auto connection = TRY(parts_.connections.Find(plan.connection, plan.policy.namespace_name));
  if (parts_.time.Now(plan.connection, connection->endpoint())) return connection;
  // Without a Vault that told the time nothing is due, and nothing is revoked.
  TRY(connection->endpoint().AskHealth(stop));
  if (parts_.time.Now(plan.connection, connection->endpoint())) return connection;
  return Fail(vault::MakeError(vault::Failure::kClockSkew, "learn the time from Vault",
                               "its answers have no Date"));
}

Result<runtime::Requeue> RotationController::Reconcile(const kube::ObjectKey& key,
                                                       runtime::ReconcileContext& context) {
  const auto [policy_key, name] = PartsOf(key);
  const auto policy = parts_.policies.Find(policy_key);
  const bool is_gone = policy == nullptr || policy->metadata.IsBeingDeleted();
  const api::Credential* credential = is_gone ? nullptr : FindCredential(*policy, name);
  if (credential == nullptr) return Forget(key);

  const EntryPointer entry = EntryOf(key);
  const domain::CredentialPlan plan = domain::PlanCredential(*policy, *credential);
  auto connection = Connect(plan, context.stop);
  auto run = connection ? Run(*entry, plan, *connection, context.stop)
                        : Result<RotationRun>(Fail(connection.error()));
  if (context.stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
  if (!run) {
    auto report = PublishedReport(*policy, name);
    const auto& row = domain::RotationFailureOf(run.error());
    parts_.ledger.Set(policy_key, name,
                      domain::WithFailure(std::move(report), row, run.error().message));
    return TellFailure(*entry, plan, run.error(), context);
  }
  entry->failures = 0;
  Accept(*entry, *run);
  Tell(plan, *run, context);
  const auto now = parts_.time.Now(plan.connection, (*connection)->endpoint());
  return runtime::Requeue::After(
      std::clamp<Duration>(run->again - *now, std::chrono::milliseconds(100), kLongestWait));
}

Result<RotationRun> RotationController::Run(Entry& entry, const domain::CredentialPlan& plan,
                                            const CredentialPorts::Connection& connection,
                                            const StopToken& stop) {
  const CredentialPorts::Run lent(entry.ports, plan, connection, stop);
  RotationInput input;
  input.identity = plan.identity;
  input.spec = plan.spec;
  input.actor = parts_.actor;
  input.random = parts_.random();
  bool must_compare = false;
  {
    const std::scoped_lock lock(mutex_);
    input.requests = entry.requests;
    must_compare = entry.must_compare;
    entry.must_compare = false;
  }
  if (must_compare) {
    auto target = entry.ports.CompareWithTarget();
    if (!target) {
      const std::scoped_lock lock(mutex_);
      entry.must_compare = true;
      return Fail(std::move(target).error());
    }
    input.target = *target;
  }
  RotationRun run = entry.runner.Run(input);
  const std::scoped_lock lock(mutex_);
  // A target that could not be written right is looked at again.
  if (input.target == domain::TargetState::kChanged && run.error) entry.must_compare = true;
  if (!entry.ports.target_version().empty()) entry.target_version = entry.ports.target_version();
  return run;
}

void RotationController::Accept(Entry& entry, const RotationRun& run) {
  const std::scoped_lock lock(mutex_);
  auto& requests = entry.requests;
  // The present one stays, so that it is known when it is seen again.
  const std::size_t most = requests.empty() ? 0 : requests.size() - 1;
  const std::size_t done = std::min(run.accepted_requests, most);
  requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(done));
}

runtime::Requeue RotationController::TellFailure(Entry& entry, const domain::CredentialPlan& plan,
                                                 const Error& error,
                                                 runtime::ReconcileContext& context) {
  const auto& row = domain::RotationFailureOf(error);
  ++entry.failures;
  context.log.Warn("Could not look after a credential", {{"policy", plan.identity.object},
                                                         {"credential", plan.identity.credential},
                                                         {"reason", row.label},
                                                         {"error", error.message}});
  for (const auto& [name, report] : parts_.ledger.Find(plan.policy)) {
    if (name == plan.identity.credential) parts_.metrics.Set(plan, report, row.label);
  }
  return runtime::Requeue::After(
      domain::RetryDelay(row, entry.failures, parts_.random(), error.retry_after));
}

void RotationController::Tell(const domain::CredentialPlan& plan, const RotationRun& run,
                              runtime::ReconcileContext& context) {
  const bool is_superseded =
      run.failure != nullptr && run.failure->retry == domain::RetryClass::kReload;
  const std::string_view label =
      run.failure == nullptr || is_superseded ? std::string_view() : run.failure->label;
  parts_.ledger.Set(plan.policy, plan.identity.credential, run.report);
  parts_.metrics.Set(plan, run.report, label);
  if (!run.error) return;
  context.log.Warn("Could not rotate a credential", {{"policy", plan.identity.object},
                                                     {"credential", plan.identity.credential},
                                                     {"reason", run.failure->label},
                                                     {"error", run.error->message}});
}

}  // namespace tracekeeper::controllers
