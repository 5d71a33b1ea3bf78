#pragma once
// RequestToken asks the API server for a token of a ServiceAccount, as short-lived as the API
// allows unless asked for longer: what another server takes as proof of who is there.
//
// Threads:  safe from any thread; blocks its caller.
// Owner:    `client` must be one whose transport wipes what it carried (UnaryAdapter::kBeast).
// Failure:  kNotFound for a ServiceAccount that does not exist, kForbidden without the right
// `create
//           serviceaccounts/token`; both with a sentence that says what to do.
// Source:   authentication.k8s.io/v1 TokenRequest.

#include <chrono>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"

namespace tracekeeper::kube {

/// The API server refuses less.
inline constexpr std::chrono::seconds kShortestTokenLife{600};

struct ServiceAccountToken {
  crypto::SecretString token;
  Instant expires;
};

struct TokenOptions {
  /// Who will take the token. Empty: the API server itself.
  std::vector<std::string> audiences;
  std::chrono::seconds lifetime = kShortestTokenLife;
};

Result<ServiceAccountToken> RequestToken(Client& client, const ObjectKey& service_account,
                                         const TokenOptions& options, const StopToken& stop);

}  // namespace tracekeeper::kube
