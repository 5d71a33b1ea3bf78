#pragma once
// PublicKeys writes the ConfigMap that verifiers read: what they need of every version of a
// credential that is in use, or will be, or was a moment ago.
//
//   jwks.json   a JSON Web Key Set (RFC 7517) of generated and of transit keys
//   ca.crt      the authorities of certificates, PEM
//
// It is written before the target Secret, so that nobody signs with a key that cannot be checked.
//
// Threads:  one thread at a time.
// Failure:  rows target_owned, fenced, secret_malformed; the client's errors.

#include "operator/controllers/credential_journal.h"
#include "operator/domain/credential_plan.h"
#include "src/kube/client.h"

namespace tracekeeper::controllers {

/// The entry's name and text.
struct PublicKeys {
  std::string key;
  std::string text;
};
Result<PublicKeys> PublicKeysOf(const domain::CredentialPlan& plan,
                                const domain::RotationJournal& journal,
                                const VersionValues& values);

/// Writes them where the plan names a ConfigMap; else does nothing.
Status WritePublicKeys(kube::Client& client, const domain::CredentialPlan& plan,
                       const domain::RotationJournal& journal, const VersionValues& values,
                       const StopToken& stop);

}  // namespace tracekeeper::controllers
