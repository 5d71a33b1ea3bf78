#pragma once
// HttpReceiver answers OTLP/HTTP: POST /v1/{traces,metrics,logs} with protobuf or JSON, plain,
// gzip, deflate or zstd.
//
//   400 no OTLP     404 no such path    405 no POST    413 too large    415 another type or
//   encoding 429 no room, 503 ending, both with Retry-After
//
// Errors carry a google.rpc.Status in the format of the request, whose message is a sentence.
//
// A request that was taken in part is answered 200 with a partial success.
//
// Threads:  Handle from any thread: the server's workers call it.
// Owner:    the program's wiring; the intake outlives it.

#include <string>
#include <string_view>

#include "src/net/http.h"
#include "src/otlp/export_response.h"
#include "src/otlp/intake.h"
#include "src/otlp/receiver_limits.h"
#include "src/otlp/request_scratch.h"

namespace tracekeeper::otlp {

class HttpReceiver {
 public:
  explicit HttpReceiver(Intake& intake, ReceiverLimits limits = {})
      : intake_(intake), limits_(limits), scratch_(limits.kept_bytes) {}

  net::Response Handle(const net::Request& request);

 private:
  net::Response Take(Signal signal, const net::Request& request, PayloadFormat format);
  /// The request in protobuf: within the body, or in `scratch`.
  [[nodiscard]] tl::expected<std::string_view, Refusal> Decode(Signal signal,
                                                               const net::Request& request,
                                                               PayloadFormat format,
                                                               RequestScratch& scratch) const;

  Intake& intake_;
  const ReceiverLimits limits_;
  ScratchPool scratch_;
};

}  // namespace tracekeeper::otlp
