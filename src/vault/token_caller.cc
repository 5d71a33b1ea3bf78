#include "src/vault/token_caller.h"

#include <utility>

#include "src/vault/login.h"

namespace tracekeeper::vault {

TokenCaller::TokenCaller(Endpoint& endpoint, std::string name_space, crypto::SecretString token)
    : endpoint_(endpoint), name_space_(std::move(name_space)), token_(std::move(token)) {}

Result<Answer> TokenCaller::Send(Call call, const StopToken& stop) {
  return endpoint_.Send(call, {.token = &token_, .name_space = name_space_}, stop);
}

Result<Duration> TokenCaller::RenewSelf(const StopToken& stop) {
  Call call{.operation = Operation::kTokenRenew,
            .method = "POST",
            .path = "auth/token/renew-self",
            .what = "renew the token of a lease"};
  const std::string what = call.what;
  const Answer answer = TRY(Send(std::move(call), stop));
  return TRY(ReadToken(answer, what)).lease;
}

Status TokenCaller::RevokeSelf(const StopToken& stop) {
  const auto answer = Send({.operation = Operation::kTokenRevoke,
                            .method = "POST",
                            .path = "auth/token/revoke-self",
                            .what = "revoke the token of a lease"},
                           stop);
  if (answer || FailureOf(answer.error()) == Failure::kTokenRevoked) return {};
  return Fail(answer.error());
}

}  // namespace tracekeeper::vault
