#include "src/vault/lease.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracekeeper::vault {
namespace {

// Vault counts whole seconds, and some pass on the way.
constexpr Duration kTruncationTolerance = std::chrono::seconds(2);

std::int64_t WholeSeconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

Duration RenewAfter(Duration lease, double share) {
  constexpr double kShareLeft = 1.0 / 3.0;
  constexpr double kSpread = 0.10;
  const double part = (1.0 - kShareLeft) - kSpread * std::clamp(share, 0.0, 1.0);
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::nano>(static_cast<double>(lease.count()) * part));
}

Result<Lease> ReadLease(const Answer& answer, std::string_view tried) {
  const std::string_view id = TRY(ReadText(answer.root(), "lease_id", tried));
  Lease lease;
  lease.duration = TRY(ReadSeconds(answer.root(), "lease_duration", tried));
  lease.is_renewable = answer.root()["renewable"].BoolOr(false);
  lease.id = crypto::SecretString(id);
  lease.id_hash = HashOfId(id);
  return lease;
}

Result<LeaseRenewal> Leases::Renew(const Lease& lease, Duration increment, const StopToken& stop) {
  const std::string what = fmt::format("renew lease {}", lease.id_hash);
  if (!lease.is_renewable) return Fail(MakeError(Failure::kLeaseNotRenewable, what));
  Call call{.operation = Operation::kLeaseRenew,
            .method = "PUT",
            .path = "sys/leases/renew",
            .what = what};
  call.body.Begin()
      .Text("lease_id", lease.id.Reveal())
      .Number("increment", WholeSeconds(increment))
      .End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  LeaseRenewal renewal;
  renewal.duration = TRY(ReadSeconds(answer.root(), "lease_duration", what));
  renewal.request_id = answer.request_id();
  if (!answer.root()["renewable"].BoolOr(false)) {
    renewal.ending = Failure::kLeaseNotRenewable;
  } else if (renewal.duration + kTruncationTolerance < increment) {
    renewal.ending = Failure::kLeaseTruncated;
  }
  return renewal;
}

Status Leases::Revoke(const crypto::SecretString& id, const StopToken& stop) {
  Call call{.operation = Operation::kLeaseRevoke,
            .method = "PUT",
            .path = "sys/leases/revoke",
            .what = fmt::format("revoke lease {}", HashOfId(id.Reveal()))};
  call.body.Begin().Text("lease_id", id.Reveal()).Flag("sync", true).End();
  const auto answer = caller_.Send(std::move(call), stop);
  if (answer || FailureOf(answer.error()) == Failure::kLeaseNotFound) return {};
  return Fail(answer.error());
}

Result<LeaseInfo> Leases::Lookup(const crypto::SecretString& id, const StopToken& stop) {
  const std::string what = fmt::format("look up lease {}", HashOfId(id.Reveal()));
  Call call{.operation = Operation::kLeaseLookup,
            .method = "PUT",
            .path = "sys/leases/lookup",
            .what = what};
  call.body.Begin().Text("lease_id", id.Reveal()).End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  LeaseInfo info;
  info.issued = TRY(ReadTime(answer.data(), "issue_time", what));
  info.expires = TRY(ReadTime(answer.data(), "expire_time", what));
  info.left =
      std::chrono::seconds(std::max<std::int64_t>(TRY(ReadNumber(answer.data(), "ttl", what)), 0));
  info.is_renewable = answer.data()["renewable"].BoolOr(false);
  return info;
}

}  // namespace tracekeeper::vault
