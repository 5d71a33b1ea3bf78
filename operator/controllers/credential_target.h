#pragma once
// CredentialTarget is the Secret that consumers mount. It shows each key of the current version
// under its own name, of the previous and the next one as KEY.previous and KEY.next, what the
// policy's templates make of them, and the number of the current version.
//
// Threads:  one thread at a time.
// Failure:  rows target_owned, target_immutable, template_failed, secret_malformed (a key that no
//           Secret can have), fenced for a target of a newer sequence; those of secret_object.h.

#include <optional>
#include <string>

#include "operator/controllers/credential_journal.h"
#include "operator/controllers/secret_object.h"
#include "operator/domain/credential_plan.h"

namespace tracekeeper::controllers {

/// The marks of the target; nothing in them where there is no target of ours.
Result<domain::TargetMarks> ReadTargetMarks(kube::Client& client,
                                            const domain::CredentialPlan& plan,
                                            const StopToken& stop);

/// What the target holds for the slots of `journal`.
Result<vault::SecretValues> TargetData(const domain::CredentialPlan& plan,
                                       const domain::RotationJournal& journal,
                                       const VersionValues& values);

/// Whether the target holds what it should, and at which resourceVersion it was looked at. kChanged
/// also where there is none.
struct TargetLook {
  domain::TargetState state = domain::TargetState::kChanged;
  std::string resource_version;
};
Result<TargetLook> CompareTarget(kube::Client& client, const domain::CredentialPlan& plan,
                                 const domain::RotationJournal& journal,
                                 const VersionValues& values, const StopToken& stop);

/// Writes it. The resourceVersion that it then has.
Result<std::string> WriteTarget(kube::Client& client, const domain::CredentialPlan& plan,
                                const domain::RotationJournal& journal, const VersionValues& values,
                                const StopToken& stop);

}  // namespace tracekeeper::controllers
