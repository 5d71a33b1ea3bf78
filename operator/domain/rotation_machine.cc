#include "operator/domain/rotation_machine.h"

#include <algorithm>

namespace tracekeeper::domain {
namespace {

constexpr Duration kConsumersEvery = std::chrono::seconds(5);
constexpr Duration kSourceEvery = std::chrono::seconds(60);

bool HasVersionedSource(const RotationSpec& spec) {
  return spec.source == RotationSource::kGenerated || spec.source == RotationSource::kFollowed;
}

double ShareOf(const RotationJournal& journal, std::int64_t number) {
  return SplayShare(journal.uid, journal.credential, number);
}

std::optional<Instant> EndingDue(const RotationJournal& journal, const VersionRecord& version) {
  if (!version.valid_from || !version.valid_until) return std::nullopt;
  return RenewalDue({version.valid_from->at, version.valid_until->at},
                    ShareOf(journal, version.number));
}

class Chooser {
 public:
  Chooser(const RotationJournal& journal, const RotationSpec& spec, const RotationFacts& facts,
          Instant now)
      : journal_(journal), spec_(spec), facts_(facts), now_(now) {}

  RotationStep Choose() {
    if (const auto renewal = Renewal()) return *renewal;
    if (spec_.pause == RotationPause::kPaused) {
      return Wait(RotationWait::kPaused, now_ + kSourceEvery);
    }
    if (!NewRequests(journal_, facts_.requests).empty()) return Do(RotationAction::kAccept);
    if (IsHeld()) return Wait(RotationWait::kHeld, now_ + kSourceEvery);
    if (journal_.target_digest != spec_.target_digest) return Do(RotationAction::kRetarget);
    if (MustRepublish()) return Do(RotationAction::kRepublish);
    switch (journal_.phase) {
      case RotationPhase::kIdle:
        return InIdle();
      case RotationPhase::kPrepare:
        return InPrepare();
      case RotationPhase::kPublish:
        return Do(journal_.current ? RotationAction::kPublish : RotationAction::kShift);
      case RotationPhase::kActivate:
        return InActivate();
      case RotationPhase::kDrain:
        return InDrain();
      case RotationPhase::kRetire:
        return InRetire();
      case RotationPhase::kAudited:
        break;
    }
    return Do(RotationAction::kClose);
  }

 private:
  static RotationStep Do(RotationAction action) { return {.action = action}; }

  static RotationStep Open(RotationCause cause) {
    return {.action = RotationAction::kOpen, .cause = cause};
  }

  [[nodiscard]] RotationStep Wait(RotationWait waiting_for, Instant until) const {
    if (renewal_due_) until = std::min(until, *renewal_due_);
    return {.action = RotationAction::kWait,
            .waiting_for = waiting_for,
            .look_again = std::max(until, now_ + std::chrono::milliseconds(1))};
  }

  [[nodiscard]] bool IsReachable() const {
    return facts_.source.state != SourceState::kUnreachable;
  }

  /// A lease is renewed in every phase, and while paused: to let it end would take the credential
  /// from its consumers.
  std::optional<RotationStep> Renewal() {
    if (spec_.source != RotationSource::kLease) return std::nullopt;
    for (const auto* slot : {&journal_.current, &journal_.next, &journal_.previous}) {
      if (!*slot || (*slot)->fixed) continue;
      const auto due = EndingDue(journal_, **slot);
      if (!due) continue;
      if (*due <= now_ && IsReachable()) {
        return RotationStep{.action = RotationAction::kRenew, .version = (*slot)->number};
      }
      renewal_due_ = renewal_due_ ? std::min(*renewal_due_, *due) : *due;
    }
    return std::nullopt;
  }

  /// Whether its source is gone under it: the last good value stays, and only a request by hand
  /// for a new value of ours goes on.
  [[nodiscard]] bool IsHeld() const {
    if (!HasVersionedSource(spec_)) return false;
    const SourceState state = facts_.source.state;
    const bool is_gone = state == SourceState::kDeleted || state == SourceState::kDestroyed ||
                         (state == SourceState::kAbsent && journal_.current);
    if (!is_gone) return false;
    const bool is_asked_for =
        !journal_.requests.empty() ||
        (journal_.phase != RotationPhase::kIdle && journal_.cause == RotationCause::kManual);
    return spec_.source != RotationSource::kGenerated || !is_asked_for;
  }

  [[nodiscard]] bool MustRepublish() const {
    if (!journal_.current) return false;
    const bool publishes_anyway = journal_.phase == RotationPhase::kPublish ||
                                  journal_.phase == RotationPhase::kRetire ||
                                  (journal_.phase == RotationPhase::kActivate && !journal_.next);
    if (publishes_anyway) return false;
    return facts_.target == TargetState::kChanged ||
           journal_.published_digest != journal_.target_digest;
  }

  [[nodiscard]] std::optional<RotationCause> CauseToOpen() const {
    if (!journal_.current) return RotationCause::kAdopted;
    if (!journal_.requests.empty()) return RotationCause::kManual;
    if (journal_.source_digest != spec_.source_digest) return RotationCause::kSpecChanged;
    if (HasVersionedSource(spec_) && facts_.source.state == SourceState::kPresent &&
        facts_.source.version > journal_.current->source_version) {
      return RotationCause::kSourceChanged;
    }
    if (spec_.source == RotationSource::kLease && journal_.current->fixed) {
      return RotationCause::kEnding;
    }
    if (spec_.source == RotationSource::kCertificate) {
      const auto ending = EndingDue(journal_, *journal_.current);
      if (ending && *ending <= now_) return RotationCause::kEnding;
    }
    const auto due = NextRotation(journal_, spec_);
    if (due && *due <= now_) return RotationCause::kDue;
    return std::nullopt;
  }

  [[nodiscard]] RotationStep InIdle() const {
    const auto cause = CauseToOpen();
    if (!cause) {
      const auto due = NextRotation(journal_, spec_);
      return Wait(RotationWait::kDue, due.value_or(now_ + kSourceEvery));
    }
    const bool has_nothing_to_read =
        spec_.source == RotationSource::kFollowed && facts_.source.state == SourceState::kAbsent;
    if (!IsReachable() || has_nothing_to_read) {
      return Wait(RotationWait::kSource, now_ + kSourceEvery);
    }
    return Open(*cause);
  }

  [[nodiscard]] RotationStep InPrepare() const {
    if (journal_.next && journal_.next->state == VersionState::kStored) {
      return Do(RotationAction::kTake);
    }
    if (journal_.source_digest != spec_.source_digest) return Do(RotationAction::kAbandon);
    if (!IsReachable()) return Wait(RotationWait::kSource, now_ + kSourceEvery);
    return Do(journal_.next ? RotationAction::kCommit : RotationAction::kPropose);
  }

  [[nodiscard]] RotationStep InActivate() const {
    if (!journal_.next) return Do(RotationAction::kActivate);
    const Instant due = journal_.phase_began.at + std::max(spec_.activate_after, Duration::zero());
    if (now_ < due) return Wait(RotationWait::kActivation, due);
    return Do(RotationAction::kShift);
  }

  [[nodiscard]] RotationStep InDrain() const {
    if (!journal_.previous) return Do(RotationAction::kFinish);
    if (!facts_.consumers) return Do(RotationAction::kLookAtConsumers);
    if (facts_.consumers->stale > 0) {
      const bool is_news = journal_.drained || journal_.stale_consumers == 0;
      if (is_news) return Do(RotationAction::kNoteStale);
      return Wait(RotationWait::kConsumers, now_ + kConsumersEvery);
    }
    if (!journal_.drained) return Do(RotationAction::kNoteDrained);
    const Instant due = RetireNotBefore(journal_, spec_);
    if (now_ < due) return Wait(RotationWait::kOverlap, due);
    return Do(RotationAction::kBeginRetire);
  }

  [[nodiscard]] RotationStep InRetire() const {
    const bool asks_source = spec_.source != RotationSource::kFollowed;
    if (asks_source && !IsReachable()) return Wait(RotationWait::kSource, now_ + kSourceEvery);
    return Do(RotationAction::kRetire);
  }

  const RotationJournal& journal_;
  const RotationSpec& spec_;
  const RotationFacts& facts_;
  const Instant now_;
  std::optional<Instant> renewal_due_;
};

}  // namespace

RotationStep NextStep(const RotationJournal& journal, const RotationSpec& spec,
                      const RotationFacts& facts, Instant now) {
  return Chooser(journal, spec, facts, now).Choose();
}

std::optional<Instant> NextRotation(const RotationJournal& journal, const RotationSpec& spec) {
  if (spec.source == RotationSource::kFollowed || !journal.current) return std::nullopt;
  const Instant due = RotationDue(journal.begun.at, spec.every, ShareOf(journal, journal.epoch));
  if (spec.source != RotationSource::kCertificate) return due;
  return std::min(due, EndingDue(journal, *journal.current).value_or(due));
}

Instant RetireNotBefore(const RotationJournal& journal, const RotationSpec& spec) {
  Instant when = journal.retire_not_before ? journal.retire_not_before->at : Instant{};
  if (journal.current && journal.current->activated) {
    when = std::max(when, journal.current->activated->at + spec.overlap);
  }
  if (journal.drained) when = std::max(when, journal.drained->at + spec.linger);
  return when;
}

std::vector<std::string> NewRequests(const RotationJournal& journal,
                                     const std::vector<std::string>& seen) {
  std::vector<std::string> fresh;
  for (const std::string& request : seen) {
    const bool is_repeat = !fresh.empty() && fresh.back() == request;
    if (!request.empty() && !is_repeat) fresh.push_back(request);
  }
  const auto& accepted = journal.accepted;
  for (std::size_t common = std::min(fresh.size(), accepted.size()); common > 0; --common) {
    const auto end = fresh.begin() + static_cast<std::ptrdiff_t>(common);
    if (!std::equal(fresh.begin(), end, accepted.end() - static_cast<std::ptrdiff_t>(common))) {
      continue;
    }
    fresh.erase(fresh.begin(), end);
    break;
  }
  constexpr std::size_t kMost = RotationJournal::kMostRequests;
  const std::size_t room = kMost - std::min(journal.requests.size(), kMost);
  if (fresh.size() > room) fresh.resize(room);
  return fresh;
}

}  // namespace tracekeeper::domain
