#include "operator/domain/rotation_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/operator/domain/rotation_samples.h"

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct StepCase {
  const char* name;
  RotationJournal journal;
  RotationSpec spec;
  RotationFacts facts;
  RotationAction want;
  RotationWait waiting_for = RotationWait::kNothing;
  RotationCause cause = RotationCause::kAdopted;
};

class Steps : public testing::TestWithParam<StepCase> {};

TEST_P(Steps, FollowTheTable) {
  const StepCase& c = GetParam();
  const RotationStep step = NextStep(c.journal, c.spec, c.facts, kNow);
  EXPECT_EQ(NameOf(step.action), NameOf(c.want));
  EXPECT_EQ(step.waiting_for, c.waiting_for);
  if (step.action == RotationAction::kOpen) {
    EXPECT_EQ(step.cause, c.cause);
  }
  if (step.action == RotationAction::kWait) {
    EXPECT_GT(step.look_again, kNow);
    return;
  }
  if (step.action == RotationAction::kLookAtConsumers) return;
  EXPECT_TRUE(PhaseAfter(c.journal.phase, step.action)) << "the table does not have it";
  const RotationJournal after = Apply(c.journal, c.spec, c.facts, step, {}, kNow);
  EXPECT_NE(after, c.journal) << "a step that leaves nothing would be done for ever";
  EXPECT_TRUE(RotationJournal::FromJson(after.ToJson()));
}

RotationJournal Ending(RotationJournal journal, Duration old, Duration left) {
  journal.current->valid_from = Moment::Of(kNow - old);
  journal.current->valid_until = Moment::Of(kNow + left);
  return journal;
}

using Action = RotationAction;
using Phase = RotationPhase;
using Wait = RotationWait;

RotationJournal Known(RotationJournal journal) {
  journal.target_digest = "target";
  return journal;
}
RotationJournal Old() {
  return But(Idle(), [](RotationJournal& j) { j.begun = Moment::Of(kNow - hours(72)); });
}

INSTANTIATE_TEST_SUITE_P(
    Idle, Steps,
    testing::Values(
        StepCase{"target_first", New(), Spec(), Facts(0), Action::kRetarget},
        StepCase{"adopts", Known(New()), Spec(), Source(SourceState::kAbsent, 0), Action::kOpen},
        StepCase{"nothing_to_follow", Known(New()), With(RotationSource::kFollowed),
                 Source(SourceState::kAbsent, 0), Action::kWait, Wait::kSource},
        StepCase{"nothing_to_adopt_from", Known(New()), Spec(), Source(SourceState::kUnreachable),
                 Action::kWait, Wait::kSource},
        StepCase{"young", Idle(), Spec(), Facts(), Action::kWait, Wait::kDue},
        StepCase{"due", Old(), Spec(), Facts(), Action::kOpen, Wait::kNothing, RotationCause::kDue},
        StepCase{"due_and_sealed", Old(), Spec(), Source(SourceState::kUnreachable), Action::kWait,
                 Wait::kSource},
        StepCase{"due_and_paused", Old(),
                 But(Spec(), [](RotationSpec& s) { s.pause = RotationPause::kPaused; }), Facts(),
                 Action::kWait, Wait::kPaused},
        StepCase{"what_follows_is_never_due", Old(), With(RotationSource::kFollowed), Facts(),
                 Action::kWait, Wait::kDue},
        StepCase{"source_changed", Idle(), With(RotationSource::kFollowed), Facts(5), Action::kOpen,
                 Wait::kNothing, RotationCause::kSourceChanged},
        StepCase{"other_writer", Idle(), Spec(), Facts(5), Action::kOpen, Wait::kNothing,
                 RotationCause::kSourceChanged},
        StepCase{"other_source", Idle(),
                 But(Spec(), [](RotationSpec& s) { s.source_digest = "other"; }), Facts(),
                 Action::kOpen, Wait::kNothing, RotationCause::kSpecChanged},
        StepCase{"other_target", Idle(),
                 But(Spec(), [](RotationSpec& s) { s.target_digest = "other"; }), Facts(),
                 Action::kRetarget},
        StepCase{"retargeted", But(Idle(), [](RotationJournal& j) { j.published_digest = "old"; }),
                 Spec(), Facts(), Action::kRepublish},
        StepCase{"request", Idle(), Spec(),
                 But(Facts(), [](RotationFacts& f) { f.requests = {"a"}; }), Action::kAccept},
        StepCase{"accepted_request", But(Idle(), [](RotationJournal& j) { j.requests = {"a"}; }),
                 Spec(), Facts(), Action::kOpen, Wait::kNothing, RotationCause::kManual},
        StepCase{"deleted", Old(), Spec(), Source(SourceState::kDeleted), Action::kWait,
                 Wait::kHeld},
        StepCase{"destroyed", Old(), Spec(), Source(SourceState::kDestroyed), Action::kWait,
                 Wait::kHeld},
        StepCase{"gone", Old(), Spec(), Source(SourceState::kAbsent, 0), Action::kWait,
                 Wait::kHeld},
        StepCase{"deleted_and_asked_for",
                 But(Old(), [](RotationJournal& j) { j.requests = {"a"}; }), Spec(),
                 Source(SourceState::kDeleted), Action::kOpen, Wait::kNothing,
                 RotationCause::kManual},
        StepCase{"deleted_by_who_writes_it",
                 But(Old(), [](RotationJournal& j) { j.requests = {"a"}; }),
                 With(RotationSource::kFollowed), Source(SourceState::kDeleted), Action::kWait,
                 Wait::kHeld}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    UnderWay, Steps,
    testing::Values(
        StepCase{"proposes", In(Phase::kPrepare), Spec(), Facts(), Action::kPropose},
        StepCase{"proposes_when_unsealed", In(Phase::kPrepare), Spec(),
                 Source(SourceState::kUnreachable), Action::kWait, Wait::kSource},
        StepCase{"commits", WithNext(In(Phase::kPrepare), VersionState::kPending), Spec(), Facts(),
                 Action::kCommit},
        StepCase{"takes", WithNext(In(Phase::kPrepare), VersionState::kStored), Spec(), Facts(),
                 Action::kTake},
        StepCase{"abandons_another_source", WithNext(In(Phase::kPrepare), VersionState::kPending),
                 But(Spec(), [](RotationSpec& s) { s.source_digest = "other"; }), Facts(),
                 Action::kAbandon},
        StepCase{"finishes_what_is_stored", WithNext(In(Phase::kPrepare), VersionState::kStored),
                 But(Spec(), [](RotationSpec& s) { s.source_digest = "other"; }), Facts(),
                 Action::kTake},
        StepCase{"publishes", WithNext(In(Phase::kPublish), VersionState::kStored), Spec(), Facts(),
                 Action::kPublish},
        StepCase{"publishes_while_sealed", WithNext(In(Phase::kPublish), VersionState::kStored),
                 Spec(), Source(SourceState::kUnreachable), Action::kPublish},
        StepCase{"holds_in_the_middle", WithNext(In(Phase::kPublish), VersionState::kStored),
                 Spec(), Source(SourceState::kDeleted), Action::kWait, Wait::kHeld},
        StepCase{"the_first_is_current_at_once",
                 But(WithNext(In(Phase::kPublish), VersionState::kStored),
                     [](RotationJournal& j) { j.current.reset(); }),
                 Spec(), Facts(), Action::kShift},
        StepCase{"waits_for_verifiers",
                 WithNext(In(Phase::kActivate, minutes(10) - seconds(1)), VersionState::kStored),
                 Spec(), Facts(), Action::kWait, Wait::kActivation},
        StepCase{"shifts", WithNext(In(Phase::kActivate, minutes(10)), VersionState::kStored),
                 Spec(), Facts(), Action::kShift},
        StepCase{"does_not_shift_while_paused",
                 WithNext(In(Phase::kActivate, minutes(10)), VersionState::kStored),
                 But(Spec(), [](RotationSpec& s) { s.pause = RotationPause::kPaused; }), Facts(),
                 Action::kWait, Wait::kPaused},
        StepCase{"activates", In(Phase::kActivate), Spec(), Facts(), Action::kActivate}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Ending, Steps,
    testing::Values(
        StepCase{"looks", Draining(minutes(5)), Spec(), Facts(), Action::kLookAtConsumers},
        StepCase{"nothing_to_drain", In(Phase::kDrain), Spec(), Facts(), Action::kFinish},
        StepCase{"notes_stale", Draining(minutes(5)), Spec(), Consumers(2), Action::kNoteStale},
        StepCase{"waits_for_stale",
                 But(Draining(hours(100)), [](RotationJournal& j) { j.stale_consumers = 2; }),
                 Spec(), Consumers(1), Action::kWait, Wait::kConsumers},
        StepCase{"notes_drained", Draining(minutes(5)), Spec(), Consumers(0), Action::kNoteDrained},
        StepCase{"notes_stale_again", Draining(minutes(5), minutes(1)), Spec(), Consumers(1),
                 Action::kNoteStale},
        StepCase{"waits_for_overlap", Draining(hours(1) - seconds(1), minutes(40)), Spec(),
                 Consumers(0), Action::kWait, Wait::kOverlap},
        StepCase{"waits_for_tokens", Draining(hours(5), minutes(6) - seconds(1)), Spec(),
                 Consumers(0), Action::kWait, Wait::kOverlap},
        StepCase{"waits_for_a_longer_overlap", Draining(hours(2), minutes(40)),
                 But(Spec(), [](RotationSpec& s) { s.overlap = hours(3); }), Consumers(0),
                 Action::kWait, Wait::kOverlap},
        StepCase{"no_shorter_overlap_for_what_is_promised", Draining(minutes(30), minutes(20)),
                 But(Spec(), [](RotationSpec& s) { s.overlap = minutes(1); }), Consumers(0),
                 Action::kWait, Wait::kOverlap},
        StepCase{"begins_to_retire", Draining(hours(1), minutes(40)), Spec(), Consumers(0),
                 Action::kBeginRetire},
        StepCase{"retires",
                 But(In(Phase::kRetire), [](RotationJournal& j) { j.retiring = Version(3); }),
                 Spec(), Facts(), Action::kRetire},
        StepCase{"retires_when_unsealed",
                 But(In(Phase::kRetire), [](RotationJournal& j) { j.retiring = Version(3); }),
                 Spec(), Source(SourceState::kUnreachable), Action::kWait, Wait::kSource},
        StepCase{"closes", In(Phase::kAudited), Spec(), Facts(), Action::kClose},
        StepCase{"young_lease", Ending(Idle(), minutes(30), minutes(30)),
                 With(RotationSource::kLease), Facts(0), Action::kWait, Wait::kDue},
        StepCase{"renews", Ending(Idle(), minutes(41), minutes(19)), With(RotationSource::kLease),
                 Facts(0), Action::kRenew},
        StepCase{"renews_while_paused", Ending(Idle(), minutes(41), minutes(19)),
                 But(With(RotationSource::kLease),
                     [](RotationSpec& s) { s.pause = RotationPause::kPaused; }),
                 Facts(0), Action::kRenew},
        StepCase{"cannot_renew_while_sealed", Ending(Idle(), minutes(41), minutes(19)),
                 With(RotationSource::kLease), Source(SourceState::kUnreachable), Action::kWait,
                 Wait::kDue},
        StepCase{"replaces_a_fixed_lease",
                 But(Ending(Idle(), minutes(41), minutes(19)),
                     [](RotationJournal& j) { j.current->fixed = true; }),
                 With(RotationSource::kLease), Facts(0), Action::kOpen, Wait::kNothing,
                 RotationCause::kEnding},
        StepCase{"replaces_a_certificate", Ending(Idle(), hours(20), hours(9)),
                 With(RotationSource::kCertificate), Facts(0), Action::kOpen, Wait::kNothing,
                 RotationCause::kEnding},
        StepCase{"young_certificate", Ending(Idle(), hours(10), hours(20)),
                 With(RotationSource::kCertificate), Facts(0), Action::kWait, Wait::kDue}),
    [](const auto& param) { return param.param.name; });

/// The phases as a whole: each can be reached from Idle, and from each Idle can be reached.
TEST(RotationTransitions, LeadFromIdleThroughEveryPhaseBackToIdle) {
  const auto reach = [](RotationPhase start, auto from, auto to) {
    std::set<RotationPhase> seen = {start};
    for (std::size_t i = 0; i < RotationTransitions().size(); ++i) {
      for (const RotationTransition& row : RotationTransitions()) {
        if (seen.contains(row.*from)) seen.insert(row.*to);
      }
    }
    return seen.size();
  };
  EXPECT_EQ(reach(RotationPhase::kIdle, &RotationTransition::from, &RotationTransition::to), 7U);
  EXPECT_EQ(reach(RotationPhase::kIdle, &RotationTransition::to, &RotationTransition::from), 7U);
}

TEST(RotationTransitions, RetireIsEnteredFromDrainAloneAndLeftForward) {
  for (const RotationTransition& row : RotationTransitions()) {
    if (row.to == RotationPhase::kRetire) {
      EXPECT_EQ(row.from, RotationPhase::kDrain);
      EXPECT_EQ(row.action, RotationAction::kBeginRetire);
    }
    if (row.from == RotationPhase::kRetire) {
      EXPECT_EQ(row.to, RotationPhase::kAudited);
    }
  }
}

TEST(Apply, AStepThatThePhaseDoesNotAllowLeavesTheJournalAsItIs) {
  for (const RotationPhase phase : {Phase::kIdle, Phase::kPrepare, Phase::kPublish,
                                    Phase::kActivate, Phase::kDrain, Phase::kRetire}) {
    const RotationJournal journal = In(phase);
    for (const RotationAction action :
         {Action::kOpen, Action::kPropose, Action::kCommit, Action::kTake, Action::kShift,
          Action::kPublish, Action::kActivate, Action::kBeginRetire, Action::kRetire,
          Action::kFinish, Action::kClose}) {
      if (PhaseAfter(phase, action)) continue;
      EXPECT_EQ(Apply(journal, Spec(), Facts(), {.action = action}, {}, kNow), journal);
    }
  }
  EXPECT_EQ(Apply(In(Phase::kPrepare), Spec(), Facts(), {.action = Action::kCommit}, {}, kNow),
            In(Phase::kPrepare))
      << "there is nothing to commit";
}

TEST(Apply, ARenewalThatGainsNothingFixesTheLease) {
  const RotationJournal journal = Ending(Idle(), minutes(41), minutes(19));
  const RotationStep step{.action = Action::kRenew, .version = 4};
  const auto renewed = [&](std::optional<Validity> validity) {
    return *Apply(journal, Spec(), Facts(), step, {.validity = validity}, kNow).current;
  };
  EXPECT_FALSE(renewed(Validity{kNow, kNow + hours(1)}).fixed);
  EXPECT_EQ(renewed(Validity{kNow, kNow + hours(1)}).valid_until->at, kNow + hours(1));
  EXPECT_TRUE(renewed(Validity{kNow, kNow + minutes(30)}).fixed) << "truncated";
  EXPECT_TRUE(renewed(Validity{kNow, kNow + minutes(5)}).fixed) << "shorter than before";
  EXPECT_TRUE(renewed(std::nullopt).fixed) << "refused";
}

}  // namespace
}  // namespace tracekeeper::domain
