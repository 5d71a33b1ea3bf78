#pragma once
// What programs have to work with: contexts that they pass along, spans, a logger, a clock, and the
// dice that say whether a fault strikes here.
//
// A Thread is a thread or goroutine: an instance and its own moment. A Context is a value; who is
// not given it does not have it. A context that is cancelled makes the rest of its program quick:
// no more work, no new spans, and what is open ends there with an error, as code does that looks
// at its context everywhere.
//
// Threads:  one thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/truth/simulation.h"
#include "tests/truth/simulation_ledger.h"
#include "tests/truth/simulation_propagation.h"
#include "tests/truth/simulation_random.h"
#include "tests/truth/simulation_time.h"
#include "tests/truth/simulation_topology.h"

namespace tracekeeper::truth {

// As OTLP numbers them.
inline constexpr int kInternal = 1;
inline constexpr int kServer = 2;
inline constexpr int kClient = 3;
inline constexpr int kProducer = 4;
inline constexpr int kConsumer = 5;
inline constexpr int kStatusError = 2;

struct Thread {
  std::size_t instance = 0;
  Moment now = 0;
};

struct Context {
  SpanContext span;            // the current one, as the program sees it
  bool remote = false;         // it came in headers
  SpanIndex record = kNoSpan;  // which one that is
  SpanIndex entry = kNoSpan;   // the one of the request in this process
  Journey* journey = nullptr;
  Moment deadline = kNever;  // when it is cancelled
  bool lost = false;         // it should have a span: a fault took it
};

struct SpanSpec {
  std::string name;
  int kind = kInternal;
  std::string_view scope;  // empty: of the service's own code
  Attributes attributes;
  bool entry = false;
  /// Ids that something else than the SDK's source of random ids decides.
  std::optional<SpanContext> ids = std::nullopt;
  /// The sampler says no, for this reason.
  Loss refused = Loss::kNone;
};

class Runtime {
 public:
  explicit Runtime(const SimulationOptions& options);

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// A child of what the context holds, or a root; the context that has it as its span.
  Context Start(const Thread& thread, const Context& parent, SpanSpec spec);
  void End(const Thread& thread, const Context& span);
  /// The span is never ended: as `how` says. End() has no effect any more.
  void Leak(const Context& span, Loss how);
  /// The span is sent as it is, and never again.
  void SendUnfinished(const Thread& thread, const Context& span);
  void Fail(const Context& span, std::string_view message, std::string_view error_type);
  void Set(const Context& span, std::string_view key, std::string_view value);
  void Link(const Context& span, const SpanContext& to);

  void Log(const Thread& thread, const Context& context);
  /// As Log, with ids that another library left under the logger's key.
  void LogWithForeignIds(const Thread& thread, const Context& context);
  /// A record that belongs to no request.
  void LogOfProcess(std::size_t instance, Moment when);

  /// Takes a while, unless the context is cancelled first.
  void Work(Thread& thread, const Context& context, Moment least, Moment most);
  [[nodiscard]] static bool Cancelled(const Thread& thread, const Context& context) {
    return thread.now >= context.deadline;
  }

  /// A new request, with an empty context.
  Context Background();
  /// What a program has that was not given the context, although it works for the same request.
  static Context WithoutSpan(const Context& context);
  /// For work that outlives the request.
  static Context WithoutCancel(Context context);

  /// Whether `fault` strikes here. Ask only where it would do its harm.
  bool Strikes(Fault fault, const Context& context);
  void Plant(std::string_view cause, const Context& shows, SpanIndex needs = kNoSpan);

  /// An instance of `service` to work for the next request.
  std::size_t PickInstance(ServiceName service);
  [[nodiscard]] const Service& ServiceOf(const Thread& thread) const {
    return topology_.services[topology_.instances[thread.instance].service];
  }
  [[nodiscard]] SpanRecord& RecordOf(SpanIndex index) { return ledger_.spans[index]; }

  [[nodiscard]] const SimulationOptions& options() const { return options_; }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  Random& random() { return random_; }
  Scheduler& scheduler() { return scheduler_; }
  Ledger& ledger() { return ledger_; }

 private:
  struct Decision {
    std::uint8_t flags = 0;
    std::string tracestate;
    Loss loss = Loss::kNone;
  };
  Decision Sample(const Thread& thread, const Context& parent, const SpanContext& ids) const;
  SpanContext MakeIds(const Context& parent, const SpanSpec& spec);
  std::uint32_t FlagsOf(const Thread& thread, const Context& parent, const SpanContext& span) const;
  [[nodiscard]] Moment ClockOf(const Thread& thread) const;
  LogRecord& NewLog(std::size_t instance, Moment when);

  SimulationOptions options_;
  Random random_;        // of programs
  Random fault_random_;  // apart, so that a rate of zero changes nothing
  Topology topology_;
  std::uint64_t threshold_ = 0;  // of Sampling::kConsistent
  Scheduler scheduler_;
  Ledger ledger_;
};

}  // namespace tracekeeper::truth
