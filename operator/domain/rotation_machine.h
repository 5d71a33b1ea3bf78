#pragma once
// The rotation of one credential, as a machine of phases:
//
//   Idle      until it is due, or asked for, or its source changed
//   Prepare   the next version is made, kept beside the journal, then stored in its source
//   Publish   consumers and verifiers see current and next side by side
//   Activate  after its delay the next version becomes the current, the current the previous
//   Drain     until no consumer uses the previous version, and both were valid for the overlap
//   Retire    the previous version is withdrawn from the target, then revoked
//   Audited   the last records are written; then Idle
//
// NextStep says what to do, Apply what the journal is once it was done. Steps are of two kinds.
// A decision changes the journal and nothing else. An effect is done to the world, and only ever
// follows from a journal that was persisted: so a crash at any point leaves a journal whose next
// step is to do the effect again, and every effect may be done twice (rotation_runner.h).
// The journal alone says how the target Secret looks: its slots previous, current and next.
//
// Threads:  pure functions of values; `now` is trusted time (trusted_time.h).
// Failure:  none. A step that its phase does not allow leaves the journal as it is.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/rotation_journal.h"
#include "operator/domain/rotation_schedule.h"

namespace tracekeeper::domain {

enum class RotationSource {
  kGenerated,    // we make the value and write it to KV
  kFollowed,     // somebody else writes KV
  kLease,        // the database engine
  kCertificate,  // the PKI engine
  kTransitKey,
};

enum class RotationPause { kRunning, kPaused };

/// What the policy asks for, resolved.
struct RotationSpec {
  RotationSource source = RotationSource::kGenerated;
  Duration every = std::chrono::hours(72);
  /// How long previous and current are both valid, at least.
  Duration overlap = std::chrono::hours(1);
  /// Between showing the next version and using it: what verifiers cache.
  Duration activate_after{};
  /// How long what was signed with the previous version is still presented after the last
  /// consumer left it: the longest life of a token.
  Duration linger{};
  /// After that, consumers that still use the previous version are told of.
  Duration drain_patience = std::chrono::minutes(15);
  RotationPause pause = RotationPause::kRunning;
  std::string source_digest;  // of what says where the value comes from
  std::string target_digest;  // of what says how the target Secret looks
};

enum class SourceState { kUnreachable, kAbsent, kPresent, kDeleted, kDestroyed };

struct SourceFacts {
  SourceState state = SourceState::kUnreachable;
  std::int64_t version = 0;  // the newest, deleted or not; 0 where its engine has none
};

struct ConsumerFacts {
  std::int64_t total = 0;
  std::int64_t stale = 0;  // do not report the current version
};

/// Whether the target Secret is as it was last written.
enum class TargetState { kIntact, kChanged };

/// What was seen in this run.
struct RotationFacts {
  SourceFacts source;
  TargetState target = TargetState::kIntact;
  std::optional<ConsumerFacts> consumers;  // absent: not looked at yet
  /// Digests of the annotation's values in the order in which they were seen since this replica
  /// leads: first the one that was there, the present one last. What was accepted may be dropped.
  std::vector<std::string> requests;
};

enum class RotationAction {
  kWait,
  kLookAtConsumers,  // and ask those that must restart to do so
  // Decisions.
  kAccept,       // requests join the queue
  kOpen,         // a rotation begins
  kAbandon,      // what was made is not wanted: begin anew
  kTake,         // the source has it already
  kShift,        // next becomes current
  kNoteStale,    // consumers still use the previous version
  kNoteDrained,  // none does
  kBeginRetire,
  kFinish,    // there is no previous version to drain
  kRetarget,  // the target shall look otherwise
  kClose,
  // Effects.
  kPropose,    // make or issue the next version
  kCommit,     // store it in its source
  kPublish,    // show next beside current
  kActivate,   // show the new current and the previous
  kRetire,     // withdraw, then revoke
  kRenew,      // the lease of one version
  kRepublish,  // write the target as it should be
};

/// Stable name, for logs: "BeginRetire".
[[nodiscard]] std::string_view NameOf(RotationAction action);

enum class RotationWait {
  kNothing,
  kDue,
  kActivation,
  kConsumers,
  kOverlap,
  kSource,
  kHeld,
  kPaused
};

struct RotationStep {
  RotationAction action = RotationAction::kWait;
  RotationWait waiting_for = RotationWait::kNothing;
  /// Of kWait: when there is something to do again, unless something is seen before.
  Instant look_again{};
  /// Of kOpen.
  RotationCause cause = RotationCause::kAdopted;
  /// Of kRenew: the number of the version.
  std::int64_t version = 0;
};

[[nodiscard]] RotationStep NextStep(const RotationJournal& journal, const RotationSpec& spec,
                                    const RotationFacts& facts, Instant now);

/// What an effect brought.
struct StepOutcome {
  /// Of kPropose: all but number, created and source_digest, which are filled in.
  VersionRecord proposed;
  std::int64_t source_version = 0;   // of kCommit
  std::optional<Validity> validity;  // of kRenew, and of kCommit where its source says so
  std::string request_id;            // Vault's, where it was asked
  std::string actor;                 // who did it: the replica
};

/// The journal once `step` was done; its sequence is the caller's to raise with each write.
[[nodiscard]] RotationJournal Apply(const RotationJournal& journal, const RotationSpec& spec,
                                    const RotationFacts& facts, const RotationStep& step,
                                    const StepOutcome& outcome, Instant now);

/// One allowed change of phase. The table is what Apply goes by.
struct RotationTransition {
  RotationPhase from;
  RotationAction action;
  RotationPhase to;
};
[[nodiscard]] std::span<const RotationTransition> RotationTransitions();

/// The phase after `action`; nothing where the phase does not allow it.
[[nodiscard]] std::optional<RotationPhase> PhaseAfter(RotationPhase from, RotationAction action);

/// What the target Secret carries of the journal that it was last written for; nothing where there
/// is no target.
struct TargetMarks {
  std::int64_t sequence = 0;
  std::int64_t epoch = 0;
  std::optional<Instant> begun;
};

struct CredentialIdentity {
  std::string object;  // "shop/checkout"
  std::string uid;
  std::string credential;
};
/// A journal for a credential that has none. It goes on from what the target carries: so a journal
/// that was lost neither repeats a rotation's id, nor is refused by the target, nor comes late.
[[nodiscard]] RotationJournal NewRotationJournal(const CredentialIdentity& identity,
                                                 const TargetMarks& marks, Instant now);

/// When the next rotation is due by itself; nothing for what only follows its source.
[[nodiscard]] std::optional<Instant> NextRotation(const RotationJournal& journal,
                                                  const RotationSpec& spec);

/// The earliest moment at which the previous version may be retired, consumers permitting.
[[nodiscard]] Instant RetireNotBefore(const RotationJournal& journal, const RotationSpec& spec);

/// The requests in `seen` that were not accepted before: those that are left when its beginning is
/// laid over the end of what was accepted.
[[nodiscard]] std::vector<std::string> NewRequests(const RotationJournal& journal,
                                                   const std::vector<std::string>& seen);

}  // namespace tracekeeper::domain
