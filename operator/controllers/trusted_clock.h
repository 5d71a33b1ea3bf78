#pragma once
// TrustedClock holds the trusted time (domain/trusted_time.h) of each VaultConnection: what its
// Vault says is what leases and certificates of it are judged by.
//
// Threads:  safe from any thread.
// Owner:    wiring, for as long as it leads; the clock outlives it.

#include <map>
#include <mutex>
#include <optional>

#include "operator/domain/trusted_time.h"
#include "src/base/clock.h"
#include "src/kube/meta.h"
#include "src/vault/endpoint.h"

namespace tracekeeper::controllers {

class TrustedClock {
 public:
  explicit TrustedClock(const Clock& clock) : clock_(clock) {}

  /// No time that begins later is believed to be before `time`, which somebody wrote down.
  void RaiseFloor(Instant time);

  /// Takes what `endpoint` heard last. The time now; nothing while no Vault has told one.
  std::optional<Instant> Now(const kube::ObjectKey& connection, const vault::Endpoint& endpoint);

 private:
  struct Known {
    domain::TrustedTime time;
    MonotonicTime heard_at{};
  };

  const Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_.
  Instant floor_{};
  std::map<kube::ObjectKey, Known> known_;
};

}  // namespace tracekeeper::controllers
