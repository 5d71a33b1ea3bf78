#include "operator/controllers/rotation_runner.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tracekeeper::controllers {

using domain::RotationAction;
using domain::RotationJournal;

/// One run: what was read, and how far it came.
class RotationRunner::Drive {
 public:
  Drive(RotationRunner& runner, const RotationInput& input)
      : runner_(runner), ports_(runner.ports_), input_(input), now_(ports_.Now()) {
    facts_.target = input.target;
    facts_.requests = input.requests;
  }

  RotationRun Run() {
    Status status = Begin();
    if (status) status = GoOn();
    RotationRun run;
    run.again = waiting_.look_again;
    const bool waits_for_source = waiting_.waiting_for == domain::RotationWait::kSource ||
                                  waiting_.waiting_for == domain::RotationWait::kDue;
    // A source that cannot be asked is a failure where it is needed; while consumers drain it is
    // not.
    if (status && source_error_ && waits_for_source) status = Fail(*std::move(source_error_));
    if (status) {
      Recover();
    } else {
      Record(std::move(status).error(), run);
    }
    run.accepted_requests = accepted_;
    run.report = domain::ReportOf(journal_, input_.spec, facts_, waiting_.waiting_for, now_);
    if (run.failure != nullptr) {
      run.report = domain::WithFailure(std::move(run.report), *run.failure, run.error->message);
    }
    if (is_persisted_) run.journal = std::move(journal_);
    return run;
  }

 private:
  // More than any rotation has; what is left is done in the next run.
  static constexpr int kMostSteps = 40;

  [[nodiscard]] bool IsPaused() const {
    return input_.spec.pause == domain::RotationPause::kPaused;
  }

  Status Begin() {
    may_write_ = false;
    auto loaded = ports_.Load();
    if (!loaded) {
      Error error = std::move(loaded).error();
      if (error.kind == ErrorKind::kDecode) error.reason = domain::failure::kJournalUnreadable;
      return Fail(std::move(error));
    }
    may_write_ = true;
    if (*loaded) {
      journal_ = std::move((*loaded)->journal);
      resource_version_ = std::move((*loaded)->resource_version);
      is_persisted_ = true;
      TRY(SendAudit());
    } else {
      TRY(Adopt());
    }
    auto source = ports_.ObserveSource();
    if (source) {
      facts_.source = *source;
    } else {
      source_error_ = std::move(source).error();
    }
    return {};
  }

  Status Adopt() {
    journal_ = domain::NewRotationJournal(input_.identity, {}, now_);
    if (IsPaused()) return {};
    const domain::TargetMarks marks = TRY(ports_.ObserveTarget());
    journal_ = domain::NewRotationJournal(input_.identity, marks, now_);
    return Save(journal_);
  }

  Status GoOn() {
    for (int i = 0; i < kMostSteps; ++i) {
      now_ = ports_.Now();
      domain::RotationStep step = domain::NextStep(journal_, input_.spec, facts_, now_);
      if (step.action == RotationAction::kWait) {
        waiting_ = step;
        return {};
      }
      if (step.action == RotationAction::kLookAtConsumers) {
        facts_.consumers = TRY(ports_.ObserveConsumers(journal_));
        continue;
      }
      TRY(Take(step));
    }
    waiting_.look_again = now_ + std::chrono::seconds(1);
    return {};
  }

  /// One step: the effect, then what it leaves.
  Status Take(domain::RotationStep step) {
    domain::StepOutcome outcome;
    Status done = Perform(step, outcome);
    now_ = ports_.Now();
    if (!done && !IsOvercome(done.error(), step)) return done;
    outcome.actor = input_.actor;
    const std::size_t accepted = step.action == RotationAction::kAccept ? SeenBy() : accepted_;
    const RotationJournal after = domain::Apply(journal_, input_.spec, facts_, step, outcome, now_);
    if (after == journal_) {
      return Fail(ErrorKind::kInternal, "rotation step {} changes nothing in phase {}",
                  NameOf(step.action), codec::NameOfEnum(journal_.phase));
    }
    facts_.consumers.reset();  // to write may take long: they are looked at again
    Status saved = Save(after);
    const bool is_unused = step.action == RotationAction::kPropose && !saved &&
                           saved.error().kind == ErrorKind::kConflict;
    if (is_unused) ports_.Discard();
    if (!saved) return saved;
    accepted_ = accepted;
    return {};
  }

  /// How many of the requests are accepted once all that fit the queue are.
  [[nodiscard]] std::size_t SeenBy() const {
    const std::size_t room = RotationJournal::kMostRequests - journal_.requests.size();
    const auto fresh = domain::NewRequests(journal_, facts_.requests);
    return fresh.size() < room ? facts_.requests.size() : 0;
  }

  Status Perform(const domain::RotationStep& step, domain::StepOutcome& outcome) {
    switch (step.action) {
      case RotationAction::kPropose:
        outcome.proposed = TRY(ports_.Propose(journal_));
        return {};
      case RotationAction::kCommit:
        return Keep(ports_.Commit(journal_), outcome);
      case RotationAction::kRepublish:
      case RotationAction::kPublish:
      case RotationAction::kActivate:
        return Publish();
      case RotationAction::kRetire:
        // Withdrawn first: nobody finds it in the target when it is revoked.
        TRY(Publish());
        return journal_.retiring ? Keep(ports_.Retire(journal_), outcome) : Status();
      case RotationAction::kRenew:
        return Renew(step.version, outcome);
      default:
        return {};
    }
  }

  static Status Keep(Result<RotationPorts::Done> done, domain::StepOutcome& outcome) {
    if (!done) return Fail(std::move(done).error());
    outcome.source_version = done->source_version;
    outcome.validity = done->validity;
    outcome.request_id = std::move(done->request_id);
    return {};
  }

  Status Publish() {
    TRY(ports_.Publish(journal_));
    facts_.target = domain::TargetState::kIntact;
    return {};
  }

  Status Renew(std::int64_t number, domain::StepOutcome& outcome) {
    for (const auto* slot : {&journal_.current, &journal_.next, &journal_.previous}) {
      if (*slot && (*slot)->number == number) return Keep(ports_.Renew(**slot), outcome);
    }
    return {};
  }

  /// Failures that the machine has a way on from: what was made is given up, or the lease ends.
  [[nodiscard]] static bool IsOvercome(const Error& error, domain::RotationStep& step) {
    if (domain::RotationFailureOf(error).retry != domain::RetryClass::kAnew) return false;
    if (step.action == RotationAction::kCommit) {
      step.action = RotationAction::kAbandon;
      return true;
    }
    return step.action == RotationAction::kRenew;
  }

  Status Save(RotationJournal after) {
    after.sequence = journal_.sequence + 1;
    auto written = ports_.Persist(after, resource_version_);
    if (!written) {
      may_write_ = false;  // what lies there is not what was read
      return Fail(std::move(written).error());
    }
    journal_ = std::move(after);
    resource_version_ = *std::move(written);
    is_persisted_ = true;
    return SendAudit();
  }

  Status SendAudit() {
    if (journal_.audit.count > runner_.audited_ && !journal_.unsent.empty()) {
      TRY(ports_.Audit(journal_.unsent));
      runner_.audited_ = journal_.audit.count;
    }
    journal_.unsent.clear();
    return {};
  }

  /// Nothing failed: what failed before is over.
  void Recover() {
    runner_.failures_ = 0;
    if (!journal_.failure || !may_write_ || IsPaused()) return;
    RotationJournal after = journal_;
    after.failure.reset();
    static_cast<void>(Save(std::move(after)));  // else the next run does it
  }

  void Record(Error error, RotationRun& run) {
    const domain::RotationFailure& row = domain::RotationFailureOf(error);
    run.failure = &row;
    if (row.retry != domain::RetryClass::kReload) Count(row);
    const Instant again =
        now_ + domain::RetryDelay(row, runner_.failures_, input_.random, error.retry_after);
    const bool has_own_time = waiting_.look_again > now_;
    run.again = has_own_time ? std::min(waiting_.look_again, again) : again;
    run.error = std::move(error);
  }

  /// Written down when it is new and then ever more seldom: thousands may fail at once.
  void Count(const domain::RotationFailure& row) {
    const bool is_same = journal_.failure && journal_.failure->label == row.label;
    if (is_same) {
      const auto known =
          static_cast<unsigned>(std::min<std::int64_t>(journal_.failure->count, 1000));
      runner_.failures_ = std::max(runner_.failures_, known);
    }
    ++runner_.failures_;
    const bool is_news = !is_same || std::has_single_bit(runner_.failures_);
    if (!is_news || !may_write_ || !is_persisted_ || IsPaused()) return;
    RotationJournal after = journal_;
    if (!is_same) after.failure = domain::FailureRecord{std::string(row.label), {}, 0};
    if (!is_same) after.failure->since = domain::Moment::Of(now_);
    after.failure->count = runner_.failures_;
    static_cast<void>(Save(std::move(after)));  // it is in the report all the same
  }

  RotationRunner& runner_;
  RotationPorts& ports_;
  const RotationInput& input_;
  Instant now_;

  RotationJournal journal_;
  std::string resource_version_;
  bool is_persisted_ = false;
  bool may_write_ = false;
  domain::RotationFacts facts_;
  domain::RotationStep waiting_;
  std::optional<Error> source_error_;
  std::size_t accepted_ = 0;
};

RotationRun RotationRunner::Run(const RotationInput& input) { return Drive(*this, input).Run(); }

}  // namespace tracekeeper::controllers
