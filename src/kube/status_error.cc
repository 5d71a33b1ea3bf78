#include "src/kube/status_error.h"

#include <fmt/core.h>

#include <charconv>

#include "src/kube/document.h"

namespace tracekeeper::kube {
namespace {

/// What a peer says may hold anything: one line, no control characters, a bounded length.
std::string Clean(std::string_view text) {
  std::string clean;
  clean.reserve(std::min(text.size(), kMaxText));
  for (const char c : text) {
    if (clean.size() == kMaxText) {
      clean += "...";
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    clean += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

struct ReasonRow {
  std::string_view reason;
  ErrorKind kind;
};

/// metav1.StatusReason. A reason says more than a code: 409 is Conflict or AlreadyExists.
constexpr ReasonRow kReasons[] = {
    {"Unauthorized", ErrorKind::kUnauthorized},
    {"Forbidden", ErrorKind::kForbidden},
    {"NotFound", ErrorKind::kNotFound},
    {"AlreadyExists", ErrorKind::kAlreadyExists},
    {"Conflict", ErrorKind::kConflict},
    {"Gone", ErrorKind::kExpired},
    {"Expired", ErrorKind::kExpired},
    {"Invalid", ErrorKind::kInvalid},
    {"BadRequest", ErrorKind::kInvalid},
    {"MethodNotAllowed", ErrorKind::kInvalid},
    {"NotAcceptable", ErrorKind::kInvalid},
    {"UnsupportedMediaType", ErrorKind::kInvalid},
    {"RequestEntityTooLarge", ErrorKind::kInvalid},
    {"ServerTimeout", ErrorKind::kUnavailable},  // 500: nothing was done, try again
    {"StoreReadError", ErrorKind::kUnavailable},
    {"Timeout", ErrorKind::kTimeout},
    {"TooManyRequests", ErrorKind::kTooManyRequests},
    {"InternalError", ErrorKind::kUnavailable},
    {"ServiceUnavailable", ErrorKind::kUnavailable},
};

ErrorKind KindOfCode(int code) {
  switch (code) {
    case 401:
      return ErrorKind::kUnauthorized;
    case 403:
      return ErrorKind::kForbidden;
    case 404:
      return ErrorKind::kNotFound;
    case 408:
    case 504:
      return ErrorKind::kTimeout;
    case 409:
    case 412:
      return ErrorKind::kConflict;
    case 410:
      return ErrorKind::kExpired;
    case 429:
      return ErrorKind::kTooManyRequests;
    default:
      break;
  }
  if (code >= 400 && code < 500) return ErrorKind::kInvalid;
  return ErrorKind::kUnavailable;
}

/// What is applied does not fit the schema. The API server calls that 500, but no repeat helps.
bool IsSchemaMisfit(const StatusDetails& status) {
  return status.reason.empty() && status.message.starts_with("failed to create typed patch object");
}

ErrorKind KindOf(const StatusDetails& status) {
  if (IsSchemaMisfit(status)) return ErrorKind::kInvalid;
  // A version that this server does not have (yet): like one that it has no more, it calls for a
  // list at whatever version there is.
  for (const StatusCause& cause : status.causes) {
    if (cause.reason == "ResourceVersionTooLarge") return ErrorKind::kExpired;
  }
  for (const ReasonRow& row : kReasons) {
    if (row.reason == status.reason) return row.kind;
  }
  return KindOfCode(status.code);
}

std::string NameOfCode(int code) { return fmt::format("HTTP {}", code); }

/// Causes that the message does not already tell.
std::string TextOfCauses(const StatusDetails& status) {
  std::string text;
  for (const StatusCause& cause : status.causes) {
    if (text.size() > kMaxText) break;
    if (!cause.message.empty() && status.message.find(cause.message) != std::string::npos) continue;
    text += text.empty() ? " (" : "; ";
    if (!cause.field.empty()) text += cause.field + ": ";
    text += cause.message.empty() ? cause.reason : cause.message;
  }
  if (!text.empty()) text += ')';
  return text;
}

/// The API server says no more than this when a JSON Patch cannot be applied.
bool IsPatchMisfit(const StatusDetails& status) {
  return status.code == 422 && status.causes.empty() &&
         status.message == "the server rejected our request due to an error in our request";
}

bool LooksLikeHtml(std::string_view body) {
  const std::size_t start = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return start != std::string_view::npos && body[start] == '<';
}

}  // namespace

std::optional<std::chrono::nanoseconds> ParseRetryAfter(std::string_view header) {
  std::int64_t seconds = 0;
  const char* const begin = header.data();
  const char* const end = begin + header.size();
  const auto [stopped, error] = std::from_chars(begin, end, seconds);
  if (error != std::errc() || stopped != end || seconds < 0 || seconds > 86400) return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::optional<StatusDetails> DecodeStatus(codec::JsonValue value) {
  if (value["kind"].StringOr("") != "Status") return std::nullopt;
  StatusDetails status;
  status.code = static_cast<int>(value["code"].IntegerOr(0));
  status.reason = Clean(value["reason"].StringOr(""));
  status.message = Clean(value["message"].StringOr(""));
  const codec::JsonValue details = value["details"];
  for (const codec::JsonValue cause : details["causes"].Elements()) {
    if (status.causes.size() == 32) break;
    status.causes.push_back({Clean(cause["reason"].StringOr("")),
                             Clean(cause["message"].StringOr("")),
                             Clean(cause["field"].StringOr(""))});
  }
  const std::int64_t wait = details["retryAfterSeconds"].IntegerOr(0);
  if (wait > 0 && wait <= 86400) status.retry_after = std::chrono::seconds(wait);
  return status;
}

Error ToError(const StatusDetails& status, std::string_view what) {
  if (IsPatchMisfit(status)) {
    return {ErrorKind::kConflict,
            fmt::format("{}: the patch does not fit the object as it is now (a test failed, or a "
                        "path is not there)",
                        what),
            std::nullopt};
  }
  const std::string reason = status.reason.empty() ? NameOfCode(status.code) : status.reason;
  const std::string said = status.message.empty() ? reason : status.message;
  Error error{KindOf(status), fmt::format("{}: {}{}", what, said, TextOfCauses(status)),
              status.retry_after};
  if (error.kind == ErrorKind::kUnauthorized) {
    error.message +=
        ": the server does not take our token or certificate; check that it has not "
        "expired and belongs to this cluster";
  }
  return error;
}

Error ErrorFromAnswer(int code, std::string_view retry_after, std::string_view body,
                      std::string_view what) {
  StatusDetails status;
  const auto document = Document::Parse(body);
  const auto decoded = document ? DecodeStatus(document->root()) : std::nullopt;
  if (decoded) {
    status = *decoded;
  } else if (LooksLikeHtml(body)) {
    status.message = fmt::format(
        "{} with a page of HTML: a proxy answered in place of the Kubernetes API server; check the "
        "server address",
        NameOfCode(code));
  } else {
    status.message =
        body.empty() ? NameOfCode(code) : fmt::format("{}: {}", NameOfCode(code), Clean(body));
  }
  if (status.code == 0) status.code = code;
  if (const auto wait = ParseRetryAfter(retry_after)) status.retry_after = wait;
  return ToError(status, what);
}

}  // namespace tracekeeper::kube
