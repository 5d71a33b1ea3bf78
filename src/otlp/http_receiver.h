#pragma once
// HttpReceiver answers OTLP/HTTP: POST /v1/{traces,metrics,logs} with protobuf or JSON, plain,
// gzip, deflate or zstd.
//
//   400 no OTLP     404 no such path    405 no POST    413 too large    415 another type or
//   encoding 429 no room, 503 ending, both with Retry-After
//
// Errors carry a google.rpc.Status in the format of the request, whose message is a sentence.
//
// Threads:  one thread at a time: its server has one.
// Owner:    the sidecar's wiring; relay outlives it.

#include "src/codec/compression.h"
#include "src/net/http.h"
#include "src/otlp/export_response.h"
#include "src/otlp/relay.h"

namespace tracekeeper::otlp {

class HttpReceiver {
 public:
  explicit HttpReceiver(Relay& relay) : relay_(relay) {}

  net::Response Handle(const net::Request& request);

 private:
  struct Problem {
    int status;
    RefuseReason reason;
    std::string sentence;
  };

  tl::expected<std::string_view, Problem> Decode(Signal signal, const net::Request& request,
                                                 PayloadFormat format);
  net::Response Refuse(const Problem& problem, PayloadFormat format);

  Relay& relay_;
  codec::Decompressor decompressor_;
  std::string transcoded_;
};

}  // namespace tracekeeper::otlp
