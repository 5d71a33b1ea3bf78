#pragma once
// TokenCaller asks Vault with one given token, and ends with it: nobody logs in anew. For what was
// lent under that token and shall live as long (Session::LogInApart).
//
//   TokenCaller caller = session.CallerWith(std::move(token.value));
//   const Duration lease = TRY(caller.RenewSelf(stop));
//
// Threads:  safe from any thread; blocks.
// Owner:    whoever keeps the token; the endpoint outlives it.
// Failure:  rows of kFailures. kTokenRevoked of its own calls: the token is dead, or the policy
//           `default` of Vault, which lets a token renew and revoke itself, was taken from it.

#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/vault/answer.h"
#include "src/vault/endpoint.h"

namespace tracekeeper::vault {

class TokenCaller final : public Caller {
 public:
  TokenCaller(Endpoint& endpoint, std::string name_space, crypto::SecretString token);

  Result<Answer> Send(Call call, const StopToken& stop) override;

  /// Renews the token for as long as its role gives; for how long, or zero: it does not end. At its
  /// longest life that is less and less. kLeaseNotRenewable where it cannot be renewed.
  Result<Duration> RenewSelf(const StopToken& stop);
  /// Ends the token and what was lent under it. One that is gone already is a success.
  Status RevokeSelf(const StopToken& stop);

 private:
  Endpoint& endpoint_;
  const std::string name_space_;
  const crypto::SecretString token_;
};

}  // namespace tracekeeper::vault
