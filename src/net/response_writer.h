#pragma once
// Writes a Response as HTTP/1.1 bytes. The framing (Content-Length, Connection, Date) is the
// server's: what a handler puts into those headers is dropped.
//
// Threads:  pure but for the clock behind Date, read at most once a second a thread.
// Failure:  a header with a line break or NUL would let its writer forge an answer; the whole
//           response becomes a 500 then, and `forged_header` names the culprit.

#include <string>
#include <string_view>

#include "src/net/http.h"

namespace tracekeeper::net {

struct ResponseFraming {
  bool keep_alive = true;
  /// HTTP/1.0 closes unless told otherwise, so a kept connection must be announced.
  bool announce_keep_alive = false;
  /// HEAD: the length of the body without the body.
  bool omit_body = false;
};

struct WireResponse {
  std::string head;  // with a small body already behind it
  std::string body;  // the rest, possibly empty
  std::string forged_header;
};

[[nodiscard]] WireResponse WriteResponse(Response response, const ResponseFraming& framing);

}  // namespace tracekeeper::net
