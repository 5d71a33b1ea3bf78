#include "operator/controllers/credential_source.h"

namespace tracekeeper::controllers {

std::unique_ptr<CredentialSource> MakeCredentialSource(CredentialSource::Parts parts) {
  switch (parts.plan.credential.vault.engine) {
    case api::VaultEngine::kDatabase:
      return MakeDatabaseSource(std::move(parts));
    case api::VaultEngine::kPki:
      return MakePkiSource(std::move(parts));
    case api::VaultEngine::kTransit:
      return MakeTransitSource(std::move(parts));
    case api::VaultEngine::kKv2:
      break;
  }
  return MakeKvSource(std::move(parts));
}

}  // namespace tracekeeper::controllers
