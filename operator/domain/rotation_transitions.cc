// The table of phases, and what each step leaves in the journal.

#include <algorithm>
#include <array>
#include <utility>

#include "operator/domain/rotation_machine.h"

namespace tracekeeper::domain {
namespace {

using Action = RotationAction;
using Phase = RotationPhase;

constexpr std::array kTransitions = {
    RotationTransition{Phase::kIdle, Action::kOpen, Phase::kPrepare},
    RotationTransition{Phase::kPrepare, Action::kPropose, Phase::kPrepare},
    RotationTransition{Phase::kPrepare, Action::kAbandon, Phase::kPrepare},
    RotationTransition{Phase::kPrepare, Action::kCommit, Phase::kPublish},
    RotationTransition{Phase::kPrepare, Action::kTake, Phase::kPublish},
    RotationTransition{Phase::kPublish, Action::kPublish, Phase::kActivate},
    RotationTransition{Phase::kPublish, Action::kShift, Phase::kActivate},  // the first version
    RotationTransition{Phase::kActivate, Action::kShift, Phase::kActivate},
    RotationTransition{Phase::kActivate, Action::kActivate, Phase::kDrain},
    RotationTransition{Phase::kDrain, Action::kNoteStale, Phase::kDrain},
    RotationTransition{Phase::kDrain, Action::kNoteDrained, Phase::kDrain},
    RotationTransition{Phase::kDrain, Action::kBeginRetire, Phase::kRetire},
    RotationTransition{Phase::kDrain, Action::kFinish, Phase::kAudited},
    RotationTransition{Phase::kRetire, Action::kRetire, Phase::kAudited},
    RotationTransition{Phase::kAudited, Action::kClose, Phase::kIdle},
};

/// These leave every phase as it is.
constexpr std::array kInEveryPhase = {Action::kAccept, Action::kRetarget, Action::kRenew,
                                      Action::kRepublish};

/// What a record of the audit calls the step; empty: it has none.
std::string_view AuditStepOf(Action action) {
  switch (action) {
    case Action::kCommit:
    case Action::kTake:
      return "Prepared";
    case Action::kPublish:
      return "Published";
    case Action::kActivate:
      return "Activated";
    case Action::kBeginRetire:
      return "Drained";
    case Action::kRetire:
      return "Retired";
    case Action::kFinish:
      return "Adopted";
    case Action::kAbandon:
      return "Abandoned";
    default:
      return {};
  }
}

std::int64_t NumberOf(const std::optional<VersionRecord>& version) {
  return version ? version->number : 0;
}

class Applier {
 public:
  Applier(const RotationJournal& before, const RotationSpec& spec, const RotationFacts& facts,
          const RotationStep& step, const StepOutcome& outcome, Instant now)
      : before_(before),
        after_(before),
        spec_(spec),
        facts_(facts),
        step_(step),
        outcome_(outcome),
        now_(Moment::Of(now)) {}

  RotationJournal Run(Phase phase) {
    Change();
    after_.phase = phase;
    if (phase != before_.phase) after_.phase_began = now_;
    AppendAudit();
    return std::move(after_);
  }

 private:
  void Change() {
    switch (step_.action) {
      case Action::kAccept:
        return Accept();
      case Action::kOpen:
        return Open();
      case Action::kPropose:
        return Propose();
      case Action::kAbandon:
        return Begin();
      case Action::kCommit:
        return Commit();
      case Action::kShift:
        return Shift();
      case Action::kNoteStale:
        return NoteStale();
      case Action::kNoteDrained:
        return NoteDrained();
      case Action::kBeginRetire:
        after_.retiring = std::exchange(after_.previous, std::nullopt);
        return;
      case Action::kRetarget:
        after_.target_digest = spec_.target_digest;
        return;
      case Action::kPublish:
      case Action::kRepublish:
        after_.published_digest = after_.target_digest;
        return;
      case Action::kActivate:
        return Activate();
      case Action::kRetire:
        return Retire();
      case Action::kRenew:
        return Renew();
      case Action::kClose:
        after_.failure.reset();
        return;
      case Action::kWait:
      case Action::kLookAtConsumers:
      case Action::kTake:
      case Action::kFinish:
        return;
    }
  }

  void Accept() {
    for (std::string& request : NewRequests(before_, facts_.requests)) {
      after_.accepted.push_back(request);
      after_.requests.push_back(std::move(request));
    }
    while (after_.accepted.size() > RotationJournal::kMostRequests) {
      after_.accepted.erase(after_.accepted.begin());
    }
  }

  void Open() {
    after_.cause = step_.cause;
    if (step_.cause != RotationCause::kAdopted) after_.begun = now_;
    if (step_.cause == RotationCause::kManual && !after_.requests.empty()) {
      after_.requests.erase(after_.requests.begin());
    }
    Begin();
  }

  void Begin() {
    ++after_.epoch;
    after_.rotation = RotationId(after_.uid, after_.credential, after_.epoch);
    after_.source_digest = spec_.source_digest;
    after_.next.reset();
    after_.drained.reset();
    after_.retire_not_before.reset();
    after_.stale_consumers = 0;
  }

  void Propose() {
    after_.next = outcome_.proposed;
    after_.next->number = after_.epoch;
    after_.next->created = now_;
    after_.next->source_digest = after_.source_digest;
  }

  void Commit() {
    after_.next->state = VersionState::kStored;
    after_.next->source_version = outcome_.source_version;
    if (outcome_.validity) SetValidity(*after_.next, *outcome_.validity);
  }

  /// The first version is not shown as the next of nothing: it is current at once.
  void Shift() {
    after_.previous = std::exchange(after_.current, std::exchange(after_.next, std::nullopt));
  }

  void Activate() {
    after_.current->activated = now_;
    after_.retire_not_before = Moment::Of(now_.at + spec_.overlap);
    after_.last_success = now_;
    after_.published_digest = after_.target_digest;
  }

  void NoteStale() {
    after_.drained.reset();
    after_.consumers = facts_.consumers->total;
    after_.stale_consumers = facts_.consumers->stale;
  }

  void NoteDrained() {
    after_.drained = now_;
    after_.consumers = facts_.consumers->total;
    after_.stale_consumers = 0;
  }

  void Retire() {
    after_.retiring.reset();
    after_.published_digest = after_.target_digest;
  }

  /// A lease that got no longer by its renewal has come to its longest life.
  void Renew() {
    for (auto* slot : {&after_.previous, &after_.current, &after_.next}) {
      if (!*slot || (*slot)->number != step_.version) continue;
      VersionRecord& version = **slot;
      const bool is_longer = outcome_.validity && version.valid_until &&
                             outcome_.validity->until > version.valid_until->at &&
                             !IsTruncated(version, *outcome_.validity);
      if (outcome_.validity) SetValidity(version, *outcome_.validity);
      version.fixed = !is_longer;
    }
  }

  static bool IsTruncated(const VersionRecord& version, const Validity& renewed) {
    const Duration granted = version.valid_until->at - version.valid_from->at;
    return renewed.until - renewed.from < granted / 10 * 9;
  }

  static void SetValidity(VersionRecord& version, const Validity& validity) {
    version.valid_from = Moment::Of(validity.from);
    version.valid_until = Moment::Of(validity.until);
  }

  void AppendAudit() {
    const std::string_view name = AuditStepOf(step_.action);
    if (name.empty()) return;
    AuditRecord record;
    record.object = after_.object;
    record.uid = after_.uid;
    record.credential = after_.credential;
    record.rotation = before_.rotation;
    record.step = name;
    record.cause = codec::NameOfEnum(before_.cause);
    record.from = OldVersion();
    record.to = before_.epoch;
    record.request_id = CleanText(outcome_.request_id);
    record.actor = CleanText(outcome_.actor);
    record.outcome = "ok";
    record.time = now_;
    AuditLine line = NextAuditLine(std::move(record), after_.audit);
    after_.unsent.push_back(std::move(line.text));
    after_.audit = std::move(line.head);
  }

  /// The version that this rotation replaces, wherever it stands by now.
  [[nodiscard]] std::int64_t OldVersion() const {
    if (before_.retiring) return before_.retiring->number;
    if (before_.previous) return before_.previous->number;
    const std::int64_t current = NumberOf(before_.current);
    return current == before_.epoch ? 0 : current;
  }

  const RotationJournal& before_;
  RotationJournal after_;
  const RotationSpec& spec_;
  const RotationFacts& facts_;
  const RotationStep& step_;
  const StepOutcome& outcome_;
  const Moment now_;
};

/// Whether the versions that the step works on are there.
bool IsPossible(const RotationJournal& journal, const RotationFacts& facts, Action action) {
  switch (action) {
    case Action::kPropose:
      return !journal.next.has_value();
    case Action::kCommit:
    case Action::kTake:
    case Action::kPublish:
    case Action::kShift:
      return journal.next.has_value();
    case Action::kActivate:
      return journal.current.has_value() && !journal.next;
    case Action::kNoteStale:
    case Action::kNoteDrained:
      return facts.consumers.has_value();
    case Action::kBeginRetire:
      return journal.previous.has_value();
    default:
      return true;
  }
}

}  // namespace

std::span<const RotationTransition> RotationTransitions() { return kTransitions; }

std::optional<RotationPhase> PhaseAfter(RotationPhase from, RotationAction action) {
  if (std::ranges::find(kInEveryPhase, action) != kInEveryPhase.end()) return from;
  const auto* const found = std::ranges::find_if(kTransitions, [&](const RotationTransition& row) {
    return row.from == from && row.action == action;
  });
  if (found == kTransitions.end()) return std::nullopt;
  return found->to;
}

RotationJournal Apply(const RotationJournal& journal, const RotationSpec& spec,
                      const RotationFacts& facts, const RotationStep& step,
                      const StepOutcome& outcome, Instant now) {
  const auto phase = PhaseAfter(journal.phase, step.action);
  if (!phase || !IsPossible(journal, facts, step.action)) return journal;
  return Applier(journal, spec, facts, step, outcome, now).Run(*phase);
}

RotationJournal NewRotationJournal(const CredentialIdentity& identity, const TargetMarks& marks,
                                   Instant now) {
  RotationJournal journal;
  journal.object = identity.object;
  journal.uid = identity.uid;
  journal.credential = identity.credential;
  journal.sequence = marks.sequence;
  journal.epoch = marks.epoch;
  journal.phase_began = Moment::Of(now);
  journal.begun = Moment::Of(std::min(marks.begun.value_or(now), now));
  return journal;
}

std::string_view NameOf(RotationAction action) {
  switch (action) {
    case Action::kWait:
      return "Wait";
    case Action::kLookAtConsumers:
      return "LookAtConsumers";
    case Action::kAccept:
      return "Accept";
    case Action::kOpen:
      return "Open";
    case Action::kAbandon:
      return "Abandon";
    case Action::kTake:
      return "Take";
    case Action::kShift:
      return "Shift";
    case Action::kNoteStale:
      return "NoteStale";
    case Action::kNoteDrained:
      return "NoteDrained";
    case Action::kBeginRetire:
      return "BeginRetire";
    case Action::kFinish:
      return "Finish";
    case Action::kRetarget:
      return "Retarget";
    case Action::kClose:
      return "Close";
    case Action::kPropose:
      return "Propose";
    case Action::kCommit:
      return "Commit";
    case Action::kPublish:
      return "Publish";
    case Action::kActivate:
      return "Activate";
    case Action::kRetire:
      return "Retire";
    case Action::kRenew:
      return "Renew";
    case Action::kRepublish:
      return "Republish";
  }
  return "Unknown";
}

}  // namespace tracekeeper::domain
