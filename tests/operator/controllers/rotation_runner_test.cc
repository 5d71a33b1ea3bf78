// What the simulation of KV does not meet: leases, refusals, journals that cannot be read.

#include "operator/controllers/rotation_runner.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "src/vault/failure.h"

namespace tracekeeper::controllers {
namespace {

using domain::RotationJournal;
using domain::RotationPhase;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

/// A database that gives leases of an hour, and everything else in memory. Every call is noted.
class LeasePorts final : public RotationPorts {
 public:
  Instant Now() override { return now; }
  Result<std::optional<Loaded>> Load() override {
    TRY(Note("load"));
    if (!journal) return std::nullopt;
    return Loaded{*journal, std::to_string(resource_version)};
  }
  Result<std::string> Persist(const RotationJournal& written,
                              const std::string& expected) override {
    TRY(Note("persist"));
    if (before_persist) TRY(before_persist(written));
    EXPECT_EQ(expected, journal ? std::to_string(resource_version) : "");
    journal = written;
    return std::to_string(++resource_version);
  }
  Result<domain::SourceFacts> ObserveSource() override {
    TRY(Note("source"));
    return domain::SourceFacts{domain::SourceState::kPresent, 0};
  }
  Result<domain::TargetMarks> ObserveTarget() override {
    TRY(Note("target"));
    return domain::TargetMarks{};
  }
  Result<domain::VersionRecord> Propose(const RotationJournal&) override {
    TRY(Note("propose"));
    domain::VersionRecord lease;
    lease.state = domain::VersionState::kStored;
    lease.source_id = fmt::format("lease-{}", ++leases);
    lease.valid_from = domain::Moment::Of(now);
    lease.valid_until = domain::Moment::Of(now + hours(1));
    return lease;
  }
  void Discard() override { calls.emplace_back("discard"); }
  Result<Done> Commit(const RotationJournal&) override {
    TRY(Note("commit"));
    return Done{};
  }
  Status Publish(const RotationJournal&) override { return Note("publish"); }
  Result<domain::ConsumerFacts> ObserveConsumers(const RotationJournal&) override {
    TRY(Note("consumers"));
    return domain::ConsumerFacts{1, 0};
  }
  Result<Done> Retire(const RotationJournal& retired) override {
    TRY(Note("retire"));
    revoked.push_back(retired.retiring->source_id);
    return Done{};
  }
  Result<Done> Renew(const domain::VersionRecord& version) override {
    TRY(Note("renew"));
    renewed.push_back(version.source_id);
    return Done{.validity = domain::Validity{now, now + hours(1)}};
  }
  Status Audit(std::span<const std::string> lines) override {
    TRY(Note("audit"));
    audit.insert(audit.end(), lines.begin(), lines.end());
    return {};
  }

  Status Note(const std::string& call) {
    calls.push_back(call);
    if (call != refused) return {};
    return Fail(refusal);
  }

  Instant now{hours(24 * 365 * 56)};
  std::optional<RotationJournal> journal;
  int resource_version = 0;
  int leases = 0;
  std::vector<std::string> calls, revoked, renewed, audit;
  std::string refused;  // the call that fails
  std::function<Status(const RotationJournal&)> before_persist;
  Error refusal;
};

Error As(ErrorKind kind, std::string_view label) {
  Error error{kind, "refused", std::nullopt};
  error.reason = label;
  return error;
}

class RotationRunnerTest : public testing::Test {
 protected:
  RotationRunnerTest() {
    input_.identity = {"shop/checkout", "uid", "database"};
    input_.spec.source = domain::RotationSource::kLease;
    input_.spec.every = hours(72);
    input_.spec.overlap = minutes(5);
    input_.spec.source_digest = "source";
    input_.spec.target_digest = "target";
    input_.actor = "replica";
    input_.random = 0.5;
  }
  RotationRun Run() {
    ports_.calls.clear();
    return runner_.Run(input_);
  }
  RotationRun RunAfter(Duration passed) {
    ports_.now += passed;
    return Run();
  }
  void Refuse(const std::string& call, ErrorKind kind, std::string_view label) {
    ports_.refused = call;
    ports_.refusal = As(kind, label);
  }
  /// From `passed` on, as often as the runner wants to.
  void RunFor(Duration passed) {
    const Instant end = ports_.now + passed;
    while (true) {
      const RotationRun run = Run();
      if (run.again > end) break;
      ports_.now = std::max(run.again, ports_.now + std::chrono::milliseconds(1));
    }
    ports_.now = end;
  }

  LeasePorts ports_;
  RotationRunner runner_{ports_};
  RotationInput input_;
};

TEST_F(RotationRunnerTest, PersistsBeforeEveryEffect) {
  Run();
  for (std::size_t i = 0; i < ports_.calls.size(); ++i) {
    const std::string& call = ports_.calls[i];
    if (call != "propose" && call != "publish" && call != "commit") continue;
    const auto before = std::find_if(
        ports_.calls.rend() - static_cast<std::ptrdiff_t>(i), ports_.calls.rend(),
        [](const std::string& c) { return c == "persist" || c == "propose" || c == "publish"; });
    ASSERT_NE(before, ports_.calls.rend());
    EXPECT_EQ(*before, "persist") << "before " << call;
  }
  EXPECT_EQ(ports_.journal->phase, RotationPhase::kIdle);
  EXPECT_EQ(ports_.journal->current->source_id, "lease-1");
}

TEST_F(RotationRunnerTest, RenewsALeaseUntilItsRotationIsDueAndThenRevokesIt) {
  RunFor(hours(60));
  EXPECT_GT(ports_.renewed.size(), 80U) << "every two thirds of an hour";
  EXPECT_THAT(ports_.renewed, Not(Contains("lease-2")));
  RunFor(hours(14));
  EXPECT_EQ(ports_.leases, 2);
  EXPECT_THAT(ports_.revoked, ElementsAre("lease-1"));
  EXPECT_EQ(ports_.journal->current->source_id, "lease-2");
}

TEST_F(RotationRunnerTest, ALeaseThatCannotBeRenewedIsReplacedBeforeItEnds) {
  RunFor(minutes(10));
  Refuse("renew", ErrorKind::kInvalid, vault::RowOf(vault::Failure::kLeaseNotRenewable).label);
  RunFor(minutes(50));
  EXPECT_EQ(ports_.leases, 2);
  EXPECT_THAT(ports_.revoked, ElementsAre("lease-1"));
  EXPECT_EQ(ports_.journal->cause, domain::RotationCause::kEnding);
}

TEST_F(RotationRunnerTest, PausedItRenewsButRotatesNothing) {
  RunFor(hours(1));
  const std::size_t renewed = ports_.renewed.size();
  input_.spec.pause = domain::RotationPause::kPaused;
  input_.requests = {"now"};
  RunFor(hours(100));
  EXPECT_EQ(ports_.leases, 1);
  EXPECT_GT(ports_.renewed.size(), renewed + 100);
  EXPECT_EQ(Run().accepted_requests, 0U);
  input_.spec.pause = domain::RotationPause::kRunning;
  EXPECT_EQ(Run().accepted_requests, 1U);
}

TEST_F(RotationRunnerTest, PausedFromTheStartItWritesNothing) {
  input_.spec.pause = domain::RotationPause::kPaused;
  const RotationRun run = Run();
  EXPECT_THAT(ports_.calls, ElementsAre("load", "source"));
  EXPECT_FALSE(run.journal);
  EXPECT_EQ(run.report.reason, "Paused");
  EXPECT_FALSE(run.report.may_be_ready);
}

TEST_F(RotationRunnerTest, AJournalThatCannotBeReadStopsEverything) {
  Refuse("load", ErrorKind::kDecode, "");
  const RotationRun run = Run();
  EXPECT_THAT(ports_.calls, ElementsAre("load"));
  EXPECT_EQ(run.report.reason, "JournalUnreadable");
  EXPECT_TRUE(run.report.is_stalled);
  EXPECT_EQ(run.again, ports_.now + seconds(60));
}

TEST_F(RotationRunnerTest, ALeaseThatLostTheRaceForTheJournalIsGivenBack) {
  ports_.before_persist = [](const RotationJournal& written) -> Status {
    if (!written.next) return {};
    return Fail(ErrorKind::kConflict, "somebody else wrote");
  };
  const RotationRun run = Run();
  EXPECT_THAT(ports_.calls, Contains("discard"));
  EXPECT_THAT(ports_.calls, Not(Contains("publish")));
  ASSERT_NE(run.failure, nullptr);
  EXPECT_EQ(run.failure->label, "fenced");
  EXPECT_EQ(run.again, ports_.now + seconds(1));
}

TEST_F(RotationRunnerTest, ALeaseWhoseWriteMayHaveArrivedIsNotGivenBack) {
  ports_.before_persist = [](const RotationJournal& written) -> Status {
    if (!written.next) return {};
    return Fail(ErrorKind::kTimeout, "no answer");
  };
  Run();
  EXPECT_THAT(ports_.calls, Contains("propose"));
  EXPECT_THAT(ports_.calls, Not(Contains("discard")));
}

struct RefusalCase {
  const char* name;
  const char* call;
  ErrorKind kind;
  std::string_view label;
  const char* reason;
};

class Refusals : public RotationRunnerTest, public testing::WithParamInterface<RefusalCase> {};

TEST_P(Refusals, AreReportedCountedAndOvercome) {
  Refuse(GetParam().call, GetParam().kind, GetParam().label);
  const RotationRun first = Run();
  ASSERT_TRUE(first.error);
  EXPECT_EQ(first.report.reason, GetParam().reason);
  EXPECT_EQ(first.report.rotated, kube::ConditionStatus::kFalse);
  EXPECT_GE(first.again, ports_.now + seconds(1));
  EXPECT_LE(first.again, ports_.now + seconds(60));
  for (int i = 0; i < 9; ++i) RunAfter(seconds(60));
  if (ports_.journal) {
    ASSERT_TRUE(ports_.journal->failure);
    EXPECT_EQ(ports_.journal->failure->label, GetParam().label);
    EXPECT_EQ(ports_.journal->failure->count, 8) << "written at 1, 2, 4 and 8";
  }
  ports_.refused.clear();
  const RotationRun last = RunAfter(seconds(60));
  EXPECT_FALSE(last.error);
  EXPECT_FALSE(ports_.journal->failure);
  EXPECT_EQ(last.report.reason, "Rotated");
  EXPECT_GT(ports_.leases, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Refusals,
    testing::Values(RefusalCase{"sealed", "source", ErrorKind::kUnavailable,
                                vault::RowOf(vault::Failure::kSealed).label, "VaultSealed"},
                    RefusalCase{"login", "propose", ErrorKind::kForbidden,
                                vault::RowOf(vault::Failure::kLoginRefused).label,
                                "VaultLoginRefused"},
                    RefusalCase{"owned", "publish", ErrorKind::kTerminal,
                                domain::failure::kTargetOwned, "TargetOwned"},
                    RefusalCase{"template", "publish", ErrorKind::kInvalid,
                                domain::failure::kTemplateFailed, "TemplateFailed"},
                    RefusalCase{"audit", "audit", ErrorKind::kUnavailable,
                                vault::RowOf(vault::Failure::kUnavailable).label,
                                "VaultUnavailable"},
                    RefusalCase{"target", "target", ErrorKind::kForbidden,
                                domain::failure::kTargetForbidden, "TargetForbidden"}),
    [](const auto& param) { return param.param.name; });

TEST_F(RotationRunnerTest, AuditLinesThatWereRefusedAreSentAgainAndFormOneChain) {
  Refuse("audit", ErrorKind::kUnavailable, "");
  Run();
  Run();
  EXPECT_THAT(ports_.audit, IsEmpty());
  ports_.refused.clear();
  Run();
  std::string text;
  for (const std::string& line : ports_.audit) text += line + "\n";
  const domain::AuditVerdict verdict = domain::VerifyAudit(text);
  EXPECT_FALSE(verdict.fault) << verdict.fault->sentence;
  EXPECT_EQ(verdict.records, static_cast<std::size_t>(ports_.journal->audit.count));
  EXPECT_GT(verdict.records, 2U);
}

}  // namespace
}  // namespace tracekeeper::controllers
