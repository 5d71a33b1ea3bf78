#include "tests/operator/controllers/rotation_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/kube/timestamp.h"
#include "tests/operator/controllers/rotation_world_ports.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart{hours(24 * 365 * 56)};
constexpr Duration kLooksAtLeastEvery = hours(6);
constexpr int kDeepest = 3;

}  // namespace

RotationWorldOptions QuietWorld(std::uint64_t seed) {
  RotationWorldOptions options;
  options.seed = seed;
  options.spec.every = std::chrono::hours(72);
  options.spec.overlap = std::chrono::hours(1);
  options.spec.activate_after = std::chrono::minutes(10);
  options.spec.linger = std::chrono::minutes(6);
  options.spec.source_digest = "source";
  options.spec.target_digest = "target";
  return options;
}

RotationWorldOptions TroubledWorld(std::uint64_t seed) {
  RotationWorldOptions options = QuietWorld(seed);
  options.crash = 0.03;
  options.hang = 0.01;
  options.seal = 0.004;
  options.jump = 0.02;
  if (seed % 2 == 0) options.consumer_delay = std::chrono::hours(5);  // longer than the overlap
  return options;
}

RotationWorld::RotationWorld(RotationWorldOptions options)
    : options_(std::move(options)),
      random_(options_.seed),
      now_(kStart),
      next_hour_(kStart + hours(1)),
      consumers_(static_cast<std::size_t>(options_.consumers)),
      verifiers_(static_cast<std::size_t>(options_.verifiers)) {
  RestartLeader();
}

RotationWorld::~RotationWorld() = default;

void RotationWorld::RestartLeader() {
  const Instant floor = journal_ ? journal_->journal.phase_began.at : Instant{};
  leader_ = std::make_unique<Leader>(*this, floor);
  leader_->again = now_;
  if (!annotation_.empty()) leader_->requests.push_back(annotation_);
}

domain::ClockReading RotationWorld::Clocks() const {
  return {now_ + wall_error_, MonotonicTime(now_ - kStart)};
}

Duration RotationWorld::Below(Duration bound) {
  return Duration(std::uniform_int_distribution<Duration::rep>(0, bound.count())(random_));
}

bool RotationWorld::Happens(double chance) {
  return chance > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < chance;
}

void RotationWorld::RunFor(Duration duration) { RunUntil(now_ + duration); }

void RotationWorld::RunUntilRetired(int count) {
  const Instant end = now_ + 100 * options_.spec.every;
  while (retired_ < count && now_ < end) RunFor(options_.spec.every / 8);
}

Instant RotationWorld::NextEvent() const {
  Instant next = next_hour_;
  if (leader_) next = std::min(next, leader_->again);
  for (const Consumer& consumer : consumers_)
    next = std::min(next, consumer.loads_at.value_or(next));
  for (const Verifier& verifier : verifiers_)
    next = std::min(next, verifier.loads_at.value_or(next));
  return next;
}

void RotationWorld::RunUntil(Instant end) {
  while (true) {
    const Instant next = std::max(NextEvent(), now_);
    if (next > end) break;
    Pass(next);
    Reload();
    if (next_hour_ <= now_) Hour();
    if (leader_ && leader_->again <= now_) RunLeader();
    Check();
  }
  Pass(end);
}

/// Time goes on to `until`, if it is not there yet: a leader that hung may have taken it further.
void RotationWorld::Pass(Instant until) {
  if (until <= now_) return;
  if (IsSealed()) excused_ += std::min(until, sealed_until_) - now_;
  now_ = until;
}

void RotationWorld::Hour() {
  next_hour_ = now_ + hours(1);
  if (!IsSealed() && Happens(options_.seal)) SealFor(minutes(30) + Below(hours(5)));
  if (Happens(options_.jump)) wall_error_ = Below(hours(12)) - hours(6);
  std::erase_if(tokens_, [&](const Token& token) { return token.until < now_; });
}

void RotationWorld::RunLeader() {
  auto leader = std::move(leader_);
  RotationInput input{.identity = {"shop/checkout", "uid-" + std::to_string(options_.seed), "otlp"},
                      .spec = options_.spec,
                      .requests = leader->requests,
                      .actor = "replica",
                      .random = std::uniform_real_distribution<double>(0, 1)(random_)};
  // A health check is answered also while Vault is sealed, and its answer has a date.
  leader->time = leader->time.Heard(std::chrono::floor<seconds>(now_), Clocks());
  const RotationRun run = leader->runner.Run(input);
  if (leader->is_dead) {
    ++crashes_;
    if (leader_) return;  // it was replaced before it died
    RestartLeader();
    const Duration away = seconds(1) + Below(seconds(30));
    leader_->again = now_ + away;
    excused_ += away;
    return;
  }
  if (leader_) return;  // it was replaced while it hung: it does not lead any more
  report_ = run.report;
  leader->requests.erase(
      leader->requests.begin(),
      leader->requests.begin() + static_cast<std::ptrdiff_t>(run.accepted_requests));
  const Duration wait = run.again - *leader->time.Now(Clocks());
  leader->again =
      now_ + std::clamp<Duration>(wait, std::chrono::milliseconds(1), kLooksAtLeastEvery);
  leader_ = std::move(leader);
}

std::optional<Strike> RotationWorld::NextStrike() {
  ++calls_;
  if (strike_at_ && calls_ >= *strike_at_) {
    strike_at_.reset();
    hang_ = strike_hang_;
    return strike_;
  }
  if (Happens(options_.crash)) return Happens(0.5) ? Strike::kDieBefore : Strike::kDieAfter;
  if (depth_ < kDeepest && Happens(options_.hang)) {
    const Duration lengths[] = {minutes(2), hours(3),
                                options_.spec.every + options_.spec.every / 2};
    hang_ = lengths[random_() % 3];
    return Happens(0.7) ? Strike::kHangAndBeReplaced : Strike::kHang;
  }
  return std::nullopt;
}

/// Inside a call: the world goes on, with or without another leader.
void RotationWorld::Hang(Strike strike) {
  Duration hang = hang_;
  ++hangs_;
  ++depth_;
  if (strike == Strike::kHangAndBeReplaced) {
    if (!leader_) RestartLeader();
  } else {
    hang = std::min<Duration>(hang, hours(3));
    excused_ += hang;
  }
  RunFor(hang);
  --depth_;
}

void RotationWorld::StrikeAt(int call, Strike strike, Duration hang) {
  strike_at_ = calls_ + call;
  strike_ = strike;
  strike_hang_ = hang;
}

void RotationWorld::RequestRotation(const std::string& value) {
  annotation_ = value;
  if (!leader_) return;
  leader_->requests.push_back(value);
  leader_->again = now_;
}

void RotationWorld::SealFor(Duration duration) {
  sealed_until_ = now_ + duration;
  excused_ += minutes(1);  // the wait after a failure
}

void RotationWorld::DeleteTip() { source_.back().state = SourceVersion::State::kDeleted; }

void RotationWorld::UndeleteTip() { source_.back().state = SourceVersion::State::kPresent; }

void RotationWorld::WriteSource(const std::string& value) { source_.push_back({value, "", {}}); }

void RotationWorld::SetSpec(const domain::RotationSpec& spec) {
  options_.spec = spec;
  if (leader_) leader_->again = now_;
}

std::string RotationWorld::current_value() const { return target_.current; }

domain::RotationJournal RotationWorld::journal() const {
  return journal_ ? journal_->journal : domain::RotationJournal{};
}

domain::AuditVerdict RotationWorld::CheckAudit() const {
  const domain::RotationJournal journal = this->journal();
  const std::vector<domain::KnownAuditHead> heads = {
      {journal.object, journal.uid, journal.credential, journal.audit}};
  return domain::VerifyAudit(audit_, heads);
}

/// Consumers and verifiers whose time has come take what the target shows.
void RotationWorld::Reload() {
  for (Consumer& consumer : consumers_) {
    if (!consumer.loads_at || *consumer.loads_at > now_) continue;
    consumer.loads_at.reset();
    if (!consumer.value.empty() && consumer.value != target_.current) {
      tokens_.push_back({consumer.value, now_ + options_.token_life});
    }
    consumer.value = target_.current;
    consumer.number = target_.number;
  }
  for (Verifier& verifier : verifiers_) {
    if (!verifier.loads_at || *verifier.loads_at > now_) continue;
    verifier.loads_at.reset();
    verifier.known = {target_.previous, target_.current, target_.next};
  }
}

void RotationWorld::TargetChanged(const Target& before) {
  if (target_.number < newest_in_use_) {
    Violated(
        fmt::format("the target went back from version {} to {}", newest_in_use_, target_.number));
  }
  newest_in_use_ = std::max(newest_in_use_, target_.number);
  if (target_.current != before.current) {
    current_since_ = now_;
    for (Consumer& consumer : consumers_) {
      const bool is_first = consumer.value.empty();
      consumer.loads_at = now_ + (is_first ? Duration::zero() : Below(options_.consumer_delay));
    }
  }
  for (Verifier& verifier : verifiers_) {
    const bool is_first = verifier.known.empty();
    const Instant loads =
        now_ + (is_first ? Duration::zero() : Below(options_.spec.activate_after));
    verifier.loads_at = verifier.loads_at ? std::min(*verifier.loads_at, loads) : loads;
  }
  Check();
}

bool RotationWorld::IsValid(const std::string& value) const {
  return std::ranges::any_of(source_, [&](const SourceVersion& version) {
    return version.value == value && version.state != SourceVersion::State::kDestroyed;
  });
}

void RotationWorld::Check() {
  for (const Consumer& consumer : consumers_) {
    if (consumer.value.empty()) continue;
    if (!IsValid(consumer.value))
      Violated("a consumer holds only what is invalid: " + consumer.value);
    for (const Verifier& verifier : verifiers_) {
      if (verifier.known.empty() || std::ranges::count(verifier.known, consumer.value) > 0)
        continue;
      Violated("a verifier does not know what a consumer signs with: " + consumer.value);
    }
  }
  for (const Token& token : tokens_) {
    if (token.until < now_) continue;
    for (const Verifier& verifier : verifiers_) {
      if (std::ranges::count(verifier.known, token.value) > 0) continue;
      Violated("a verifier does not know what a token was signed with: " + token.value);
    }
  }
}

void RotationWorld::CheckCommit(const domain::RotationJournal& journal) {
  const auto same = std::ranges::count(source_, journal.rotation, &SourceVersion::mark);
  if (same != 1) Violated(fmt::format("rotation {} made {} versions", journal.rotation, same));
  if (last_commit_) {
    const Duration gap = now_ - *last_commit_;
    const Duration slack = seconds(2) + excused_;
    if (gap > options_.spec.every + slack) {
      Violated(fmt::format("late by {} s", (gap - options_.spec.every).count() / 1000000000));
    }
    const Duration apart = journal.begun.at - last_begun_;
    if (journal.cause == domain::RotationCause::kDue &&
        apart < options_.spec.every * 9 / 10 - seconds(2)) {
      Violated(fmt::format("early: after {} s", apart.count() / 1000000000));
    }
  }
  last_commit_ = now_;
  last_begun_ = journal.begun.at;
  excused_ = Duration::zero();
}

void RotationWorld::CheckRetire(const domain::VersionRecord& version) {
  const std::string& value = source_.at(static_cast<std::size_t>(version.source_version - 1)).value;
  for (const Consumer& consumer : consumers_) {
    if (consumer.value == value) Violated("revoked while a consumer holds it: " + value);
  }
  for (const Token& token : tokens_) {
    if (token.value == value && token.until > now_) Violated("revoked while tokens live: " + value);
  }
  if (value == target_.current || value == target_.previous || value == target_.next) {
    Violated("revoked while the target shows it: " + value);
  }
  if (now_ - current_since_ < options_.spec.overlap - seconds(2)) {
    Violated(fmt::format("revoked {} s after its successor was activated",
                         (now_ - current_since_).count() / 1000000000));
  }
}

void RotationWorld::Violated(std::string sentence) {
  if (violations_.size() >= 20) return;
  violations_.push_back(kube::FormatTimestamp(now_) + " " + std::move(sentence));
}

}  // namespace tracekeeper::controllers
