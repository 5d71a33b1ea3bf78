#pragma once
// SecretObject is a Secret as the operator reads and writes it: all of its values in memory that is
// wiped. A write never comes over somebody else's: it names the version that was read.
//
// Threads:  values; the calls are safe from any thread and block their caller.
// Owner:    `client` must be one whose transport wipes what it carried (UnaryAdapter::kBeast).
// Failure:  rows of domain/rotation_failure.h in Error::reason: kTargetForbidden, kTargetImmutable,
//           kTargetRefused, kTooLarge, kNamespaceEnding; kConflict for a Secret that is no longer
//           as it was read.

#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"
#include "src/vault/kv.h"

namespace tracekeeper::controllers {

/// What a Secret may hold (Kubernetes' own limit on its values together).
inline constexpr std::size_t kMostSecretBytes = 1U << 20U;

struct SecretObject {
  kube::ObjectMeta meta;
  std::string type = "Opaque";
  bool immutable = false;
  vault::SecretValues data;
};

/// Nothing where there is none.
Result<std::optional<SecretObject>> ReadSecret(kube::Client& client, const kube::ObjectKey& key,
                                               const StopToken& stop);

/// Writes labels, annotations, owner and data of `secret` by server-side apply as `manager`, over
/// meta.resource_version; empty: there must be no Secret of that name. What the manager wrote
/// before and is not in `secret` goes. The new resourceVersion.
Result<std::string> WriteSecret(kube::Client& client, const SecretObject& secret,
                                std::string_view manager, const StopToken& stop);

}  // namespace tracekeeper::controllers
