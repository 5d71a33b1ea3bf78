#pragma once
// A simulated shop whose traces are known: a dozen services run small programs in virtual time,
// with the same means that real ones have (contexts, goroutines, headers, batch processors), and
// faults are made where they are made in real programs. What is lost follows from that; no finished
// span is ever changed. What must be found is written down by the one who knows, the simulation, as
// SeededBreak. It knows nothing of how traces are judged.
//
// Threads:  pure functions of their options: equal options, equal bytes, on every platform.
// Failure:  none.

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

/// What goes wrong, where it goes wrong. The rate of each is the chance that it strikes at a place
/// where it can.
enum class Fault {
  kHeaderNotInjected,   // a call: the client library has no propagator
  kHeaderStripped,      // a call: a proxy on the way removes unknown headers
  kCalleeSamples,       // a request at payment, inventory, recommendation: its own sampler drops it
  kCallerNotExporting,  // a request at gateway or checkout: served by an instance without exporter
  kLeakedSpan,          // "reserve stock": an error path without End
  kLeakedClient,        // a call of checkout: the body is never closed, so the span never ends
  kLeakedStream,        // "stream prices": never ended while its ticks go on
  kUnfinishedSent,      // "validate cart": sent before it is ended
  kLostBatch,           // an export: the batch is lost
  kSlowExport,          // an export: the backend is slow for a while, and the queue overflows
  kGoroutineWithoutContext,  // "update loyalty": started with an empty context
  kClientWithoutContext,     // the event of a page: sent with an empty context
  kContextReplaced,       // a checkout at the frontend: middleware replaces the request's context
  kCorrelationId,         // a request at the gateway: ids of traces are made of correlation ids
  kProducerNotInjecting,  // a message: headers without context
  kStaleWorker,           // "render invoice": the worker still has the context it was started in
  kRepeatedTraceparent,   // a request at the gateway: a partner with one header for all
  kLeakedScope,           // a request at the gateway: the thread's last scope was not closed
  kKeyOverwrite,          // "price" and "tax": one key for two spans
  kZeroId,                // "read session": made from a context without a span
  kTruncatedId,           // a call of inventory: B3 with 64 bits
  kOwnSampler,            // a request at checkout: a coin decides; needs Sampling::kConsistent
  kTracestateDropped,     // a call: a proxy passes traceparent alone; needs Sampling::kConsistent
  kWorkAfterReply,        // "flush session": after the reply
  kCancelledWithParent,   // a request at the gateway: the user gives up
  kLogWithoutId,          // a log record: logger called without the context
  kLogZeroId,             // a log record: the context had no valid span
  kTraceLost,             // a request at the gateway: a Collector loses all spans of the trace
};
std::span<const Fault> AllFaults();
std::string_view NameOf(Fault fault);

enum class Sampling {
  kAll,         // parent-based, everything
  kConsistent,  // thresholds in tracestate (ot=th), R from the trace id
  kPerService,  // each service keeps a ratio of its own, by trace id and without asking the parent
};

struct SimulationOptions {
  std::uint64_t seed = 1;
  double requests_per_second = 10;  // one makes about 20 spans
  std::chrono::seconds duration{60};
  std::map<Fault, double> faults;
  /// A request that one fault has struck is left alone by others: what shows is of one cause.
  /// What happens to exports does not ask.
  bool one_fault_per_request = true;

  Sampling sampling = Sampling::kAll;
  double sampling_ratio = 1;  // of kConsistent, at roots

  double failure_share = 0.003;       // calls refused, and the same share answered with 503
  double load_generator_share = 0.3;  // requests with a CLIENT root; others come from browsers
  double foreign_share = 0;      // requests with a traceparent from outside; makes an entry point
  bool shared_span_ids = false;  // inventory joins its callers' spans, as Zipkin does
  bool long_traces = false;      // workflows with pauses of 35 to 90 s
  bool filtered_middleware = false;  // a Collector drops the spans of a scope, as the policy says
  bool single_instances = false;     // each service runs once
  bool probes = true;                // kube-probe asks each instance every 10 s
  bool background = true;            // cron job, loops
  double background_logs_per_second = 0;  // of each instance; no request is to blame for them

  std::chrono::milliseconds clock_skew{4};  // each host's clock is off by at most this
  std::chrono::milliseconds export_interval{5000};
  std::size_t export_batch = 512;  // at least 1
  std::size_t export_queue = 2048;
};

/// Something that a perfect judge reports: the cause, by its name in docs/reference/causes.md, and
/// the ids (bytes, as sent) of the span where it shows.
///
///   the call (CLIENT)        broken_hop, silent_hop
///   the second of these      mixed_traces, of all entries that repeat a traceparent
///   the second root          fragments
///   the ids of the record    log_*
///   the span itself          all others; of an absent parent, each of its children
struct SeededBreak {
  std::string cause;
  std::string trace_id;
  std::string span_id;

  auto operator<=>(const SeededBreak&) const = default;
};

/// Spans and logs in the order in which they arrive.
struct Simulated {
  std::vector<ModelSpan> spans;
  std::vector<ModelLog> logs;
  std::vector<std::uint64_t> span_arrivals;  // nanoseconds; those of one export are equal
  std::vector<std::uint64_t> log_arrivals;
  std::vector<SeededBreak> breaks;
  ModelPolicy policy;

  bool operator==(const Simulated& other) const {
    return spans == other.spans && logs == other.logs && span_arrivals == other.span_arrivals &&
           log_arrivals == other.log_arrivals && breaks == other.breaks;
  }
};

Simulated Simulate(const SimulationOptions& options);

/// The eight boundary cases of goroutines that the project grew from: a dozen requests each through
/// two or three services; where a case goes wrong, it does so in every third request.
enum class GoroutineCase {
  kFireAndForget,      // work without context: B3, B4, L1
  kExplicitPass,       // done right
  kCancelPropagation,  // the caller gives up: A2
  kDeferredAfterDone,  // work after the reply, with its context (A1) and without (B3)
  kWorkerPoolReuse,    // a worker with the context of an earlier request: B9
  kKeyOverwrite,       // one key for two spans: B10, and for the logger's id: L3
  kLeakedUnfinished,  // a goroutine that never ends its span: B2a, L4, and one that is sent so: B14
  kNestedFanOut,      // done right
};
Simulated Scenario(GoroutineCase which);

}  // namespace tracekeeper::truth
