#pragma once
// What really happened: every span that a program started, whatever became of it, every call, every
// log record, and what was done to them. The truth is read off this; no program can.
//
// Threads:  one thread.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/truth/simulation_time.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

using SpanIndex = std::uint32_t;
inline constexpr SpanIndex kNoSpan = std::numeric_limits<SpanIndex>::max();

/// Why a span does not arrive.
enum class Loss {
  kNone,           // it arrives
  kNotEnded,       // leaked
  kStream,         // leaked while children of it keep coming
  kBatch,          // its batch was lost
  kNoExporter,     // its instance exports nothing
  kCalleeSampler,  // its service samples by itself, as a fault
  kOwnSampler,     // the same against the thresholds that all others keep to
  kTrace,          // a Collector lost the whole trace
  kSampledOut,     // sampling as it should be
  kFiltered,       // a Collector drops it on purpose
};

/// One request, followed through everything that is done for it, even where its context is lost.
struct Journey {
  bool struck = false;  // by a fault
};

struct SpanRecord {
  ModelSpan span;
  std::size_t instance = 0;
  SpanIndex parent = kNoSpan;  // the span that it names as its parent
  bool remote_parent = false;
  bool entry = false;    // of a request or message from another process
  bool shared = false;   // it has the id of the call that it answers
  bool recorded = true;  // as its sampler decided
  bool unfinished_sent = false;
  Moment started_at = 0;  // true time
  Moment ended_at = 0;    // 0: never
  Loss loss = Loss::kNone;

  [[nodiscard]] bool arrives() const { return loss == Loss::kNone; }
};

struct CallRecord {
  SpanIndex client = kNoSpan;
  SpanIndex server = kNoSpan;
  bool context_lost = false;
};

enum class LogFault { kNone, kWithoutId, kZeroId, kForeignId };

struct LogRecord {
  ModelLog log;
  std::size_t instance = 0;
  SpanIndex span = kNoSpan;   // current when it was written
  SpanIndex entry = kNoSpan;  // of the request it was written for
  Moment written_at = 0;
  LogFault fault = LogFault::kNone;
};

/// A break that its maker knows of: it shows at `shows` where that and `needs` arrive.
struct Planted {
  std::string cause;
  SpanIndex shows = kNoSpan;
  SpanIndex needs = kNoSpan;
};

struct Ledger {
  std::deque<SpanRecord> spans;  // a reference stays good while others are added
  std::vector<CallRecord> calls;
  std::vector<LogRecord> logs;
  std::vector<Planted> planted;
  std::map<std::string, std::vector<SpanIndex>> repeated;  // entries by the traceparent they share
  std::set<std::string> lost_traces;
  std::deque<Journey> journeys;
};

}  // namespace tracekeeper::truth
