#pragma once
// StatusError turns what the API server answers when it refuses (metav1.Status, or whatever a
// proxy before it says) into an Error: kind from code and reason, a sentence with the causes, and
// how long to wait.
//
// Threads:  pure functions.
// Limits:   text of the peer is cut to kMaxText and stripped of control characters; a page of HTML
//           is named as such and never copied into a message.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/error.h"
#include "src/codec/json_value.h"

namespace tracekeeper::kube {

struct StatusCause {
  std::string reason;  // "FieldManagerConflict"
  std::string message;
  std::string field;  // ".spec.replicas"
};

/// metav1.Status, as much of it as anybody acts on.
struct StatusDetails {
  int code = 0;
  std::string reason;  // "NotFound", "Conflict", "Expired"
  std::string message;
  std::vector<StatusCause> causes;
  std::optional<std::chrono::nanoseconds> retry_after;
};

inline constexpr std::size_t kMaxText = 2048;

/// Reads a metav1.Status object; nullopt when `value` is something else.
std::optional<StatusDetails> DecodeStatus(codec::JsonValue value);

/// The Error for a Status; `what` is what was tried: "create pod shop/web".
Error ToError(const StatusDetails& status, std::string_view what);

/// The Error for a whole answer that is no success. `retry_after` is that header, or empty.
Error ErrorFromAnswer(int code, std::string_view retry_after, std::string_view body,
                      std::string_view what);

/// Reads a Retry-After header of seconds. (The API server never sends the date form.)
std::optional<std::chrono::nanoseconds> ParseRetryAfter(std::string_view header);

}  // namespace tracekeeper::kube
