#pragma once
// Verdict is what became of one unit: of a hop, a request, a step in a process, a log record.
//
// Threads:  values; names are constants.
// Source:   docs/reference/verdicts.md, section 1.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/continuity/cause.h"
#include "src/continuity/shape.h"
#include "src/continuity/trace_tree.h"

namespace tracekeeper::continuity {

enum class Family : std::uint8_t { kHop, kRequest, kInProcess, kLog };
inline constexpr std::size_t kFamilies = 4;

enum class Outcome : std::uint8_t { kGood, kBad, kExcluded, kUnknown };
inline constexpr std::size_t kOutcomes = 4;

/// Why a unit is excluded or unknown.
enum class Reason : std::uint8_t {
  kNone,
  // Excluded.
  kFiltered,
  kForeignParent,
  kMixed,
  kSampledOut,
  kCountedAtConsumer,
  kWrapper,
  kNotDelivered,
  kUninstrumentedPeer,
  kLegalRoot,
  kContinued,
  kProbe,
  kBackground,
  kNotSampled,
  // Unknown.
  kCallerSamples,
  kPeerSilent,
  kNoInstance,
  kShed,
  kLate,
};
inline constexpr std::size_t kReasons = 19;

std::string_view NameOf(Family family);
std::string_view NameOf(Outcome outcome);
/// "uninstrumented_peer"
std::string_view NameOf(Reason reason);

struct Verdict {
  Outcome outcome = Outcome::kGood;
  Cause cause = Cause::kUnknownCause;  // where it is bad
  Reason reason = Reason::kNone;       // where it is excluded or unknown

  static Verdict Good() { return {}; }
  static Verdict Bad(Cause cause) { return {.outcome = Outcome::kBad, .cause = cause}; }
  static Verdict Excluded(Reason reason) {
    return {.outcome = Outcome::kExcluded, .reason = reason};
  }
  static Verdict Unknown(Reason reason) { return {.outcome = Outcome::kUnknown, .reason = reason}; }

  [[nodiscard]] bool is_bad() const { return outcome == Outcome::kBad; }
  bool operator==(const Verdict&) const = default;
};

/// Verdicts as small numbers, to count them by: good, each cause, each reason.
inline constexpr std::size_t kVerdictCodes = 1 + kCauseCount + kReasons;
std::size_t CodeOf(Verdict verdict);
Verdict VerdictOf(std::size_t code);

/// One unit, and where it is counted.
struct Unit {
  Family family = Family::kHop;
  Protocol protocol = Protocol::kHttp;  // of a hop
  Verdict verdict;
  NameId service = 0;  // of a hop its client; of a request its entry
  NameId server = 0;   // of a hop
  NameId policy = 0;
  SpanIndex span = 0;  // where it shows
};

/// A break that is no unit's own, or something worth telling that breaks nothing.
struct Finding {
  Cause cause = Cause::kUnknownCause;
  SpanIndex span = 0;
};

}  // namespace tracekeeper::continuity
