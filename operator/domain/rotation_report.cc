#include "operator/domain/rotation_report.h"

#include <fmt/format.h>

#include "src/codec/duration.h"
#include "src/vault/failure.h"

namespace tracekeeper::domain {
namespace {

using kube::ConditionStatus;

void Say(CredentialReport& report, ConditionStatus status, std::string_view reason,
         std::string message) {
  report.rotated = status;
  report.reason = reason;
  report.message = std::move(message);
}

void SayFailure(CredentialReport& report, const RotationFailure& row) {
  Say(report, ConditionStatus::kFalse, row.reason, fmt::format("{}: {}", row.what, row.remedy));
}

/// Whether the last success is older than it may be. What only follows its source has no period.
bool IsTooOld(const RotationJournal& journal, const RotationSpec& spec, Instant now) {
  if (spec.source == RotationSource::kFollowed || !journal.last_success) return false;
  return now > journal.last_success->at + spec.every + spec.every / 2;
}

const RotationFailure& HeldRow(vault::Failure failure) {
  return *FindRotationFailure(vault::RowOf(failure).label);
}

const RotationFailure& HoldOf(const RotationFacts& facts) {
  switch (facts.source.state) {
    case SourceState::kDeleted:
      return HeldRow(vault::Failure::kVersionDeleted);
    case SourceState::kDestroyed:
      return HeldRow(vault::Failure::kVersionDestroyed);
    default:
      return HeldRow(vault::Failure::kNotFound);
  }
}

void SayUnderWay(CredentialReport& report, const RotationJournal& journal, const RotationSpec& spec,
                 Instant now) {
  const bool is_stuck = journal.phase == RotationPhase::kDrain && journal.stale_consumers > 0 &&
                        now - journal.phase_began.at > spec.drain_patience;
  if (is_stuck) {
    return Say(report, ConditionStatus::kFalse, "ConsumersStale",
               fmt::format("{} of {} consumers have not taken version {} in {}: the previous one "
                           "stays valid until they do. Are their pods stuck, or their sidecars "
                           "without an answer?",
                           journal.stale_consumers, journal.consumers, report.version,
                           codec::FormatDuration(now - journal.phase_began.at)));
  }
  Say(report, ConditionStatus::kTrue, "Rotating",
      fmt::format("Rotation {} is in phase {}.", journal.rotation,
                  codec::NameOfEnum(journal.phase)));
}

void SayState(CredentialReport& report, const RotationJournal& journal, const RotationSpec& spec,
              const RotationFacts& facts, RotationWait waiting_for, Instant now) {
  if (waiting_for == RotationWait::kPaused) {
    return Say(report, ConditionStatus::kFalse, "Paused",
               "The policy is paused: nothing is rotated or written until the annotation "
               "tracekeeper.dev/paused is taken away.");
  }
  if (waiting_for == RotationWait::kHeld) {
    SayFailure(report, HoldOf(facts));
    report.is_stalled = true;
    report.may_be_ready = false;
    return;
  }
  if (journal.failure) {
    const RotationFailure* row = FindRotationFailure(journal.failure->label);
    return SayFailure(report, row != nullptr ? *row : *FindRotationFailure(failure::kInternal));
  }
  if (!journal.current || !journal.current->activated) {
    return Say(report, ConditionStatus::kUnknown, "Adopting",
               waiting_for == RotationWait::kSource ? "Its source holds no value yet."
                                                    : "The first version is being published.");
  }
  const bool is_overdue = spec.source != RotationSource::kFollowed &&
                          journal.phase == RotationPhase::kIdle &&
                          IsOverdue(journal.begun.at, spec.every, now);
  if (is_overdue) {
    return Say(report, ConditionStatus::kFalse, "Overdue",
               fmt::format("It was to be rotated every {}, and that time has passed.",
                           codec::FormatDuration(spec.every)));
  }
  if (journal.phase != RotationPhase::kIdle) return SayUnderWay(report, journal, spec, now);
  Say(report, ConditionStatus::kTrue, "Rotated",
      fmt::format("Version {} is in use.", report.version));
}

}  // namespace

CredentialReport WithFailure(CredentialReport report, const RotationFailure& failure,
                             std::string_view message) {
  if (failure.retry == RetryClass::kReload) return report;
  SayFailure(report, failure);
  if (!message.empty()) report.message = message;
  if (failure.retry == RetryClass::kHold) {
    report.is_stalled = true;
    report.may_be_ready = false;
  }
  return report;
}

CredentialReport ReportOf(const RotationJournal& journal, const RotationSpec& spec,
                          const RotationFacts& facts, RotationWait waiting_for, Instant now) {
  CredentialReport report;
  report.phase = journal.phase;
  report.phase_began = journal.phase_began.at;
  if (journal.current) {
    report.version = journal.current->number;
    const auto& in_use = journal.current->activated ? journal.current : journal.previous;
    if (in_use && in_use->activated) report.last_rotation = in_use->activated->at;
  }
  report.next_rotation = NextRotation(journal, spec);
  report.consumers = journal.consumers;
  report.stale_consumers = journal.stale_consumers;
  if (facts.consumers) {
    report.consumers = facts.consumers->total;
    report.stale_consumers = facts.consumers->stale;
  }
  SayState(report, journal, spec, facts, waiting_for, now);
  if (!journal.last_success || IsTooOld(journal, spec, now)) report.may_be_ready = false;
  if (IsTooOld(journal, spec, now) && report.rotated == ConditionStatus::kTrue) {
    Say(report, ConditionStatus::kFalse, "Overdue",
        fmt::format("The last version was activated {} ago; its period is {}.",
                    codec::FormatDuration(now - journal.last_success->at),
                    codec::FormatDuration(spec.every)));
  }
  return report;
}

}  // namespace tracekeeper::domain
