#include "src/otlp/relay_counters.h"

namespace tracekeeper::otlp {

std::string_view NameOf(DropReason reason) {
  switch (reason) {
    case DropReason::kSampled:
      return "sampled";
    case DropReason::kQueueFull:
      return "queue_full";
    case DropReason::kRejected:
      return "rejected";
    case DropReason::kTooLarge:
      return "too_large";
    case DropReason::kNoDestination:
      return "no_destination";
    case DropReason::kShutdown:
      return "shutdown";
  }
  return "";
}

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

}  // namespace tracekeeper::otlp
