#pragma once
// Answer is what came of one attempt to deliver a batch, as a plain value for the retry policy.

#include <string>
#include <variant>

#include "src/base/error.h"
#include "src/net/grpc.h"

namespace tracekeeper::otlp {

struct HttpAnswer {
  int status = 200;
  std::string content_type;
  std::string retry_after;
  std::string body;
};
struct GrpcAnswer {
  net::GrpcStatus status;
  std::string message;
  std::string retry_after;  // of a proxy that answered in the server's place
};
struct NoAnswer {
  Error error;
};
using Answer = std::variant<HttpAnswer, GrpcAnswer, NoAnswer>;

}  // namespace tracekeeper::otlp
