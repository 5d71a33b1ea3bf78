#pragma once
// The retry policy: what an answer of the backend means for the batch that it was given for. One
// decision table, no clock, no state.
//
//   delivered              the backend has it, perhaps but for some records that it names
//   come again             the batch is kept and sent again after a wait; there is no last attempt:
//                          only the queue's budget and the program's end give a batch up
//   in smaller pieces      it is too large, or one record of it is bad: halves are sent, until the
//                          bad record stands alone
//   dropped                no attempt could succeed; counted with its reason
//
// Beyond the OTLP specification, which would drop them, these come again, because they say nothing
// about the data and somebody is about to mend them: a refused credential, a redirect, an answer
// in HTML (an ingress or a login page instead of a backend).
//
// Threads:  pure functions.
// Source:   OTLP specification 1.x, "Failures" and "Throttling"; RFC 9110.

#include <cstddef>
#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/otlp/answer.h"
#include "src/otlp/relay_counters.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

struct Verdict {
  enum class Action { kDelivered, kRetry, kSplit, kDrop };

  Action action = Action::kDelivered;
  /// kDelivered: records that the backend did not take.
  std::size_t rejected = 0;
  /// kDrop, and kSplit of a single record.
  DropReason reason = DropReason::kRejected;
  /// kRetry: the backend asked for this wait.
  std::optional<Duration> wait = std::nullopt;
  /// kRetry: mended by another credential, so the next one is tried at once.
  bool is_credential = false;
  /// One sentence for a person; empty where all is well.
  std::string why = {};
};

/// What `answer`, received at `now`, means.
[[nodiscard]] Verdict Judge(const Answer& answer, Instant now);

/// The wait before retry `attempt` (0 is the first): what the backend asked for, else exponential
/// from one second to half a minute with full jitter. `random` is uniform in [0, 1).
[[nodiscard]] Duration WaitBefore(const Verdict& verdict, unsigned attempt, double random);

}  // namespace tracekeeper::otlp
