#include "src/base/error.h"

namespace tracekeeper {

std::string_view NameOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kAlreadyExists:
      return "already_exists";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kExpired:
      return "expired";
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kUnauthorized:
      return "unauthorized";
    case ErrorKind::kForbidden:
      return "forbidden";
    case ErrorKind::kTooManyRequests:
      return "too_many_requests";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kDecode:
      return "decode";
    case ErrorKind::kTerminal:
      return "terminal";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::Within(std::string_view context) && {
  message.insert(0, ": ");
  message.insert(0, context);
  return std::move(*this);
}

}  // namespace tracekeeper
