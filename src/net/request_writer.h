#pragma once
// Writes the head of a Request as HTTP/1.1 bytes. Host, Content-Length and Connection are the
// client's; a Host of the caller's is dropped, because the certificate is checked against ours.
//
// Threads:  pure.
// Failure:  kInvalid when a method, target or header would break out of its line.

#include <string>

#include "src/base/result.h"
#include "src/net/http.h"
#include "src/net/origin.h"

namespace tracekeeper::net {

Result<std::string> WriteRequestHead(const Request& request, const Origin& origin);

/// kInvalid when a part of `request` holds a line break, NUL or (method, target) a space.
Status CheckRequest(const Request& request);

}  // namespace tracekeeper::net
