#pragma once
// CredentialPlan is a credential of a policy, resolved: what the phase machine goes by, and the
// names of the objects that its rotation writes.
//
//   Secret TARGET                         what consumers mount: KEY, KEY.previous, KEY.next and
//                                         tracekeeper.version
//   Secret tracekeeper.POLICY.CREDENTIAL  the journal, and the values of the versions it names
//
// Threads:  values and pure functions.
// Failure:  none: the CRD refuses what cannot be.

#include <string>
#include <string_view>
#include <vector>

#include "operator/api/credential.h"
#include "operator/api/tracing_policy.h"
#include "operator/domain/rotation_machine.h"
#include "src/kube/meta.h"

namespace tracekeeper::domain {

/// Annotations of a policy that ask for a rotation; each new value does once.
inline constexpr std::string_view kRotateAnnotation = "tracekeeper.dev/rotate";
inline constexpr std::string_view kRotateOnePrefix = "tracekeeper.dev/rotate.";  // + credential

// On the target Secret: what of the journal it was written for.
inline constexpr std::string_view kSequenceAnnotation = "tracekeeper.dev/rotation-sequence";
inline constexpr std::string_view kEpochAnnotation = "tracekeeper.dev/rotation-epoch";
inline constexpr std::string_view kBegunAnnotation = "tracekeeper.dev/rotation-begun";
/// Label of target, journal and ConfigMap: the credential's name.
inline constexpr std::string_view kCredentialLabel = "tracekeeper.dev/credential";

/// Data key of the target: the number of the current version, in decimal digits.
inline constexpr std::string_view kVersionKey = "tracekeeper.version";
inline constexpr std::string_view kPreviousSuffix = ".previous";
inline constexpr std::string_view kNextSuffix = ".next";

struct CredentialPlan {
  CredentialIdentity identity;
  kube::ObjectKey policy;
  RotationSpec spec;
  api::Credential credential;  // mount, and the generator's key, filled in
  kube::ObjectKey connection;
  kube::ObjectKey target;
  kube::ObjectKey journal;
  kube::ObjectKey public_keys;  // name empty: none
};

[[nodiscard]] CredentialPlan PlanCredential(const api::TracingPolicy& policy,
                                            const api::Credential& credential);

/// Digest of what the annotations ask of that credential; empty: nothing.
[[nodiscard]] std::string RotationRequest(const api::TracingPolicy& policy,
                                          std::string_view credential);

}  // namespace tracekeeper::domain
