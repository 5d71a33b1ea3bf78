#pragma once
// Lease is the record by which replicas agree who leads (coordination.k8s.io/v1). This file reads
// and writes the record; who may take it and when is runtime/leader_elector's decision.
//
// Writes:   an update is a merge patch that carries the resourceVersion last seen. A lost race is
//           kConflict, and fields newer than us (strategy, preferredHolder) stay as they are, which
//           a PUT of the fields known here would erase.
// Threads:  safe from any thread; each function is one call.
// Failure:  the Client's errors; kNotFound when there is no such Lease, kConflict when another
//           wrote first, kAlreadyExists when another created it first.

#include <cstdint>
#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"

namespace tracekeeper::kube {

/// What one replica writes.
struct LeaseRecord {
  std::string holder_identity;  // empty: free
  std::int32_t lease_duration_seconds = 15;
  std::optional<Instant> acquire_time;
  std::optional<Instant> renew_time;
  std::int32_t lease_transitions = 0;

  bool operator==(const LeaseRecord&) const = default;
};

/// What was read: the record and the version it was read at.
struct Lease {
  ObjectKey key;
  std::string resource_version;
  LeaseRecord record;
};

Result<Lease> GetLease(Client& client, const ObjectKey& key, const StopToken& stop);
Result<Lease> CreateLease(Client& client, const ObjectKey& key, const LeaseRecord& record,
                          const StopToken& stop);
/// Writes `record` over `seen`, if that is still the newest.
Result<Lease> UpdateLease(Client& client, const Lease& seen, const LeaseRecord& record,
                          const StopToken& stop);
/// Gives a held Lease up: no holder, one second long, so that another takes it at once.
Result<Lease> ReleaseLease(Client& client, const Lease& seen, Instant now, const StopToken& stop);

}  // namespace tracekeeper::kube
