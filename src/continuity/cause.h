#pragma once
// Cause is the one list of what breaks a trace: metric label, API, report and `tracekeeper explain
// cause` take name, sentence and advice from here.
//
// Names are public API: a new cause may come, an old one never changes its name. Each has a class
// (B1, A1, L1, ...), by which documents and reports point at it.
//
// Threads:  constants and pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tracekeeper::continuity {

enum class Cause : std::uint8_t {
  // A parent that is not there.
  kOrphanRemoteParent,
  kOrphanLocalParent,
  kOpenParent,
  kLostBatch,
  // A root where there should be none.
  kNewInternalRoot,
  kNewClientRoot,
  // A call whose two sides do not meet.
  kBrokenHop,
  kSilentHop,
  kMessageWithoutContext,
  // Ids that do not hold a trace together.
  kFragments,
  kMixedTraces,
  kSpanIdCollision,
  kInvalidId,
  kTruncatedId,
  kSamplingBreak,
  // Findings, which are bad in no ratio.
  kUnfinished,
  kTracestateLost,
  kWorkAfterReply,
  kCancelledWithParent,
  // Log records.
  kLogWithoutId,
  kLogZeroId,
  kLogUnknownTrace,
  kLogUnknownSpan,
  // Broken, and none of the above.
  kUnknownCause,
};

inline constexpr std::size_t kCauseCount = 24;

/// The ratios in which a break with this cause is bad.
struct CountsIn {
  bool hop = false;
  bool request = false;
  bool in_process = false;
  bool logs = false;

  bool operator==(const CountsIn&) const = default;
  /// True where it is reported only.
  [[nodiscard]] bool nowhere() const { return *this == CountsIn(); }
};

/// "orphan_remote_parent": metric label and the word that users type.
std::string_view NameOf(Cause cause);
/// "B1"; "-" for kUnknownCause.
std::string_view ClassOf(Cause cause);
/// One sentence that says what is seen.
std::string_view SentenceOf(Cause cause);
/// What usually did it, and what to do.
std::string_view AdviceOf(Cause cause);
CountsIn CountsInOf(Cause cause);

/// By name or class, in any case of letters.
std::optional<Cause> FindCause(std::string_view name);

}  // namespace tracekeeper::continuity
