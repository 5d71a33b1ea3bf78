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

}  // namespace tracekeeper::otlp
