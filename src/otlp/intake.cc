#include "src/otlp/intake.h"

namespace tracekeeper::otlp {

std::string_view NameOf(Ingress ingress) {
  switch (ingress) {
    case Ingress::kGrpc:
      return "grpc";
    case Ingress::kHttpProtobuf:
      return "http/protobuf";
    case Ingress::kHttpJson:
      return "http/json";
  }
  return "";
}

std::string_view NameOf(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kMalformed:
      return "malformed";
    case RefuseReason::kUnsupported:
      return "unsupported";
    case RefuseReason::kTooLarge:
      return "too_large";
    case RefuseReason::kQueueFull:
      return "queue_full";
    case RefuseReason::kDraining:
      return "draining";
  }
  return "";
}

net::GrpcCode GrpcCodeOf(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kMalformed:
      return net::GrpcCode::kInvalidArgument;
    case RefuseReason::kUnsupported:
      return net::GrpcCode::kUnimplemented;
    case RefuseReason::kTooLarge:
    case RefuseReason::kQueueFull:
      return net::GrpcCode::kResourceExhausted;
    case RefuseReason::kDraining:
      return net::GrpcCode::kUnavailable;
  }
  return net::GrpcCode::kUnknown;
}

int HttpStatusOf(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kMalformed:
      return 400;
    case RefuseReason::kUnsupported:
      return 415;
    case RefuseReason::kTooLarge:
      return 413;
    case RefuseReason::kQueueFull:
      return 429;
    case RefuseReason::kDraining:
      return 503;
  }
  return 500;
}

}  // namespace tracekeeper::otlp
