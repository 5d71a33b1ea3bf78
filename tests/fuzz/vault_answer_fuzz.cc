// DEPENDS: tracekeeper::vault
//
// Whatever answers at Vault's address: any status and body must give values within their limits or
// an error with a row, and no error may hold a word of the body that could be a secret.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/vault/answer_judge.h"
#include "src/vault/database.h"
#include "src/vault/health.h"
#include "src/vault/kv.h"
#include "src/vault/lease.h"
#include "src/vault/login.h"
#include "src/vault/pki.h"
#include "src/vault/transit.h"

namespace {

using namespace tracekeeper;
using namespace tracekeeper::vault;

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckError(const Error& error) {
  // Our own words, and at most one scrubbed detail.
  Check(FailureOf(error).has_value() || error.kind == ErrorKind::kInvalid);
  Check(error.message.size() < 1024);
  for (const char c : error.message) Check(c >= ' ' && c <= '~');
}

template <typename T>
void CheckResult(const Result<T>& result) {
  if (!result) CheckError(result.error());
}

void ReadEverything(const Answer& answer) {
  const auto secret = ReadKv2Secret(answer, "read");
  CheckResult(secret);
  if (secret) Check(secret->values.size() <= kMostKeys && !secret->json.empty());
  CheckResult(ReadKv1Secret(answer, "read"));
  CheckResult(ReadKvMetadata(answer, "read"));
  CheckResult(ReadLease(answer, "read"));
  CheckResult(ReadDynamicCredentials(answer, "read"));
  CheckResult(ReadStaticCredentials(answer, "read"));
  CheckResult(ReadIssuedCertificate(answer, "issue"));
  CheckResult(ReadTransitKey(answer, "read"));
  CheckResult(ReadSignature(answer, "sign"));
  const auto token = ReadToken(answer, "log in");
  CheckResult(token);
  if (token) {
    for (const char c : token->value.Reveal()) Check(c > ' ' && c <= '~');
  }
  Check(answer.request_id().size() <= 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr int kStatuses[] = {200, 204, 307, 400, 403, 404, 405,
                               412, 429, 472, 473, 500, 501, 503};
  net::Response response;
  response.status = kStatuses[data[0] % std::size(kStatuses)];
  const auto operation = static_cast<Operation>(data[1] % kOperations.size());
  response.body.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Instant now{std::chrono::hours(24 * 365 * 56)};
  const auto judgement = JudgeAnswer(response, operation, now);
  Check(judgement.has_value() == (response.status >= 300));
  if (judgement) CheckError(MakeError(judgement->failure, "ask", judgement->detail));
  CheckResult(ReadHealth(response, now));
  const auto answer = Answer::Parse(response.body, "ask");
  Check(response.body.empty());
  CheckResult(answer);
  if (answer) ReadEverything(*answer);
  return 0;
}
