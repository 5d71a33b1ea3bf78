#pragma once
// Error says what failed, on what, why, and what to do: a kind for code to branch on and one
// sentence for a person. Kinds mirror the reasons of the Kubernetes API where it has one.
//
// Threads:  a value; copy and move freely.
// Failure:  never carries secret bytes: callers redact before they format.

#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tracekeeper {

enum class ErrorKind {
  kNotFound,         // the object, file or key does not exist
  kAlreadyExists,    // a create met an object of that name
  kConflict,         // resourceVersion, field manager or CAS conflict
  kExpired,          // 410: the resourceVersion or continue token is too old
  kInvalid,          // the peer or a check refused the content (400, 422)
  kUnauthorized,     // 401
  kForbidden,        // 403
  kTooManyRequests,  // 429
  kTimeout,          // a deadline of ours or of the peer passed; the outcome is unknown
  kCancelled,        // our own stop was asked for
  kUnavailable,      // connection, DNS, TLS, 5xx: the peer could not be asked
  kDecode,           // bytes that are not what they claim to be
  kTerminal,         // retrying cannot help; a person must change something
  kInternal,         // a bug of ours
};

/// Stable lower-case name, used in logs and as a metric label: "not_found".
std::string_view NameOf(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  /// How long the peer asked us to wait (Retry-After), where it said so.
  std::optional<std::chrono::nanoseconds> retry_after;
  /// What happened, where a kind is too wide to act on: a constant of the folder that fails
  /// (net::kCertificateRefused), or empty.
  std::string_view reason;

  /// The same error with `context` before its sentence: "read kubeconfig: no such file".
  [[nodiscard]] Error Within(std::string_view context) &&;
};

/// Builds the failed side of a Result: `return Fail(ErrorKind::kNotFound, "pod {}: ...", name);`
template <typename... Args>
[[nodiscard]] tl::unexpected<Error> Fail(ErrorKind kind, fmt::format_string<Args...> format,
                                         Args&&... args) {
  return tl::unexpected<Error>(
      Error{kind, fmt::format(format, std::forward<Args>(args)...), std::nullopt});
}

/// Passes an error on unchanged: `return Fail(std::move(result).error());`
[[nodiscard]] inline tl::unexpected<Error> Fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace tracekeeper
