#pragma once
// What the objects that rotation writes have in common: they name their policy and credential in
// labels, and go when the policy goes.
//
// Threads:  pure functions.

#include <cstdint>
#include <string_view>

#include "operator/domain/credential_plan.h"
#include "src/kube/meta.h"

namespace tracekeeper::controllers {

/// Name, labels and owner of an object of that credential.
[[nodiscard]] kube::ObjectMeta MetaOf(const domain::CredentialPlan& plan,
                                      const kube::ObjectKey& key);

/// Whether an object is of that credential, of this policy or of one of its name before it.
[[nodiscard]] bool IsOf(const kube::ObjectMeta& meta, const domain::CredentialPlan& plan);

/// The sequence of the journal that an object was last written for; 0: none is written there.
[[nodiscard]] std::int64_t SequenceOf(const kube::ObjectMeta& meta);
/// A number that stands in an annotation; 0: none does.
[[nodiscard]] std::int64_t NumberIn(const kube::ObjectMeta& meta, std::string_view annotation);

}  // namespace tracekeeper::controllers
