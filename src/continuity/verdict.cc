#include "src/continuity/verdict.h"

#include <array>

namespace tracekeeper::continuity {

std::string_view NameOf(Family family) {
  constexpr std::array<std::string_view, kFamilies> kNames = {"hop", "request", "in_process",
                                                              "logs"};
  return kNames[static_cast<std::size_t>(family)];
}

std::string_view NameOf(Outcome outcome) {
  constexpr std::array<std::string_view, kOutcomes> kNames = {"good", "bad", "excluded", "unknown"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view NameOf(Reason reason) {
  constexpr std::array<std::string_view, kReasons> kNames = {"",
                                                             "filtered",
                                                             "foreign_parent",
                                                             "mixed",
                                                             "sampled_out",
                                                             "counted_at_consumer",
                                                             "wrapper",
                                                             "not_delivered",
                                                             "uninstrumented_peer",
                                                             "legal_root",
                                                             "continued",
                                                             "probe",
                                                             "background",
                                                             "not_sampled",
                                                             "caller_samples",
                                                             "peer_silent",
                                                             "no_instance",
                                                             "shed",
                                                             "late"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::size_t CodeOf(Verdict verdict) {
  if (verdict.outcome == Outcome::kGood) return 0;
  if (verdict.is_bad()) return 1 + static_cast<std::size_t>(verdict.cause);
  return 1 + kCauseCount + static_cast<std::size_t>(verdict.reason);
}

Verdict VerdictOf(std::size_t code) {
  if (code == 0) return Verdict::Good();
  if (code <= kCauseCount) return Verdict::Bad(static_cast<Cause>(code - 1));
  const auto reason = static_cast<Reason>(code - 1 - kCauseCount);
  return reason >= Reason::kCallerSamples ? Verdict::Unknown(reason) : Verdict::Excluded(reason);
}

}  // namespace tracekeeper::continuity
