#include "tests/truth/simulation.h"

#include <array>
#include <cstddef>

#include "tests/truth/simulation_export.h"
#include "tests/truth/simulation_shop.h"

namespace tracekeeper::truth {
namespace {

struct Named {
  Fault fault;
  std::string_view name;
};

constexpr std::array kNames = {
    Named{Fault::kHeaderNotInjected, "header not injected"},
    Named{Fault::kHeaderStripped, "header stripped"},
    Named{Fault::kCalleeSamples, "callee samples"},
    Named{Fault::kCallerNotExporting, "caller not exporting"},
    Named{Fault::kLeakedSpan, "leaked span"},
    Named{Fault::kLeakedClient, "leaked client"},
    Named{Fault::kLeakedStream, "leaked stream"},
    Named{Fault::kUnfinishedSent, "unfinished sent"},
    Named{Fault::kLostBatch, "lost batch"},
    Named{Fault::kSlowExport, "slow export"},
    Named{Fault::kGoroutineWithoutContext, "goroutine without context"},
    Named{Fault::kClientWithoutContext, "client without context"},
    Named{Fault::kContextReplaced, "context replaced"},
    Named{Fault::kCorrelationId, "correlation id"},
    Named{Fault::kProducerNotInjecting, "producer not injecting"},
    Named{Fault::kStaleWorker, "stale worker"},
    Named{Fault::kRepeatedTraceparent, "repeated traceparent"},
    Named{Fault::kLeakedScope, "leaked scope"},
    Named{Fault::kKeyOverwrite, "key overwrite"},
    Named{Fault::kZeroId, "zero id"},
    Named{Fault::kTruncatedId, "truncated id"},
    Named{Fault::kOwnSampler, "own sampler"},
    Named{Fault::kTracestateDropped, "tracestate dropped"},
    Named{Fault::kWorkAfterReply, "work after reply"},
    Named{Fault::kCancelledWithParent, "cancelled with parent"},
    Named{Fault::kLogWithoutId, "log without id"},
    Named{Fault::kLogZeroId, "log with zero id"},
    Named{Fault::kTraceLost, "trace lost"},
};

constexpr auto kFaults = [] {
  std::array<Fault, kNames.size()> faults{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    faults[i] = kNames[i].fault;
  }
  return faults;
}();

}  // namespace

std::span<const Fault> AllFaults() { return kFaults; }

std::string_view NameOf(Fault fault) { return kNames[static_cast<std::size_t>(fault)].name; }

Simulated Simulate(const SimulationOptions& options) {
  Runtime runtime(options);
  Shop shop(runtime);
  shop.Run();
  return Collect(runtime);
}

}  // namespace tracekeeper::truth
