#pragma once
// The judge says what an HTTP answer means: success, or a row of kFailures. It needs nothing but
// the answer and what was asked.
//
// Threads:  pure functions.
// Secrets:  of an answer's body only the texts under "errors" and "warnings" are used, scrubbed.

#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/net/http.h"
#include "src/vault/failure.h"
#include "src/vault/operation.h"

namespace tracekeeper::vault {

struct Judgement {
  Failure failure = Failure::kUnavailable;
  /// Scrubbed; may be empty.
  std::string detail;
  /// How long Vault asked to wait.
  std::optional<Duration> retry_after;
};

/// Nothing: the answer is a success (2xx), whose body is still to be read.
[[nodiscard]] std::optional<Judgement> JudgeAnswer(const net::Response& response,
                                                   Operation operation, Instant now);

/// What a call without an answer means; nothing for an error that says nothing about Vault
/// (kCancelled, a bug of ours).
[[nodiscard]] std::optional<Judgement> JudgeTransport(const Error& error);

}  // namespace tracekeeper::vault
