#pragma once
// CredentialJournal keeps the journal of one credential, and beside it the values of the versions
// that the journal names, in a Secret of the operator's own.
//
//   data:
//     journal.json    RotationJournal
//     values.7.json   the values of version 7: {"password": "..."}
//
// Threads:  one thread at a time.
// Owner:    the ports of the credential; client and plan outlive a call.
// Failure:  kConflict when somebody else wrote since it was loaded; kDecode with the row
//           journal_unreadable; those of secret_object.h.

#include <map>
#include <optional>
#include <string>

#include "operator/controllers/secret_object.h"
#include "operator/domain/credential_plan.h"
#include "operator/domain/rotation_journal.h"

namespace tracekeeper::controllers {

/// By number of the version.
using VersionValues = std::map<std::int64_t, vault::SecretValues>;

struct LoadedJournal {
  std::optional<domain::RotationJournal> journal;  // nothing: not written yet
  std::string resource_version;                    // of the Secret; empty: there is none
  VersionValues values;
};

Result<LoadedJournal> LoadJournal(kube::Client& client, const domain::CredentialPlan& plan,
                                  const StopToken& stop);

/// Writes `journal` and those of `values` that it names over `resource_version`. The new one.
Result<std::string> StoreJournal(kube::Client& client, const domain::CredentialPlan& plan,
                                 const domain::RotationJournal& journal,
                                 const VersionValues& values, const std::string& resource_version,
                                 const StopToken& stop);

/// The versions that stand in a slot of `journal`.
[[nodiscard]] bool IsNamed(const domain::RotationJournal& journal, std::int64_t number);

}  // namespace tracekeeper::controllers
