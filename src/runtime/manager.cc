#include "src/runtime/manager.h"

#include <algorithm>

#include "src/runtime/leader_elector.h"
#include "src/runtime/timer.h"

namespace tracekeeper::runtime {
namespace {

constexpr Phase kStartOrder[] = {Phase::kHttp, Phase::kWebhook, Phase::kCache, Phase::kAlways};
constexpr Phase kStopOrder[] = {Phase::kAlways, Phase::kLeader, Phase::kCache, Phase::kWebhook,
                                Phase::kHttp};

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Manager::Manager(Options options, const Clock& clock, const Logger& log)
    : options_(std::move(options)), clock_(clock), log_(log) {}

void Manager::Add(Phase phase, Runnable& part) { parts_.push_back({phase, &part}); }

void Manager::UseLeaderElection(LeaderElector& elector) { elector_ = &elector; }

void Manager::Fail(Error error) {
  {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  ending_.request_stop();
}

Status Manager::Run(const StopToken& stop) {
  const std::stop_callback pass_on(stop, [this] { ending_.request_stop(); });
  if (Status started = StartAll(); !started) Fail(std::move(started).error());
  WaitForEnd();
  StopAll();
  const std::scoped_lock lock(mutex_);
  if (failure_) return tracekeeper::Fail(*failure_);
  return {};
}

// A wish to stop while parts are starting is no failure: what was started is stopped again.
Status Manager::StartAll() {
  for (const Phase phase : kStartOrder) {
    TRY(StartPhase(phase));
    if (ending_.stop_requested()) return {};
  }
  if (elector_ == nullptr) return StartPhase(Phase::kLeader);

  TRY(elector_->Start({.on_elected = [this] { OnElected(); },
                       .on_lost = [this](Error error) { OnLost(std::move(error)); }}));
  elector_started_ = true;
  std::unique_lock lock(mutex_);
  const bool elected = changed_.wait(lock, ending_.get_token(), [this] { return elected_; });
  lock.unlock();
  if (!elected || ending_.stop_requested()) return {};
  return StartPhase(Phase::kLeader);
}

Status Manager::StartPhase(Phase phase) {
  for (Part& part : parts_) {
    if (part.phase != phase || ending_.stop_requested()) continue;
    log_.Debug("Starting part", {{"part", part.runnable->name()}});
    if (Status status = part.runnable->Start(); !status) {
      return tracekeeper::Fail(
          std::move(status).error().Within(fmt::format("start {}", part.runnable->name())));
    }
    part.started = true;
  }
  return WaitUntilReady(phase);
}

Status Manager::WaitUntilReady(Phase phase) {
  const DeadlineStop limit(clock_, options_.ready_timeout, ending_.get_token());
  for (const Part& part : parts_) {
    if (part.phase != phase || !part.started) continue;
    Status status = part.runnable->WaitUntilReady(limit.token());
    if (status) continue;
    if (ending_.stop_requested()) return {};
    if (!limit.expired()) {
      return tracekeeper::Fail(
          std::move(status).error().Within(fmt::format("start {}", part.runnable->name())));
    }
    return tracekeeper::Fail(ErrorKind::kTimeout, "{} was not ready within {:.0f} s: {}",
                             part.runnable->name(), Seconds(options_.ready_timeout),
                             status.error().message);
  }
  return {};
}

void Manager::OnElected() {
  {
    const std::scoped_lock lock(mutex_);
    elected_ = true;
  }
  changed_.notify_all();
}

void Manager::OnLost(Error error) {
  {
    const std::scoped_lock lock(mutex_);
    lost_lease_ = true;
  }
  Fail(std::move(error));
}

void Manager::WaitForEnd() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, ending_.get_token(), [] { return false; });
  if (failure_) {
    log_.Error("Began to stop because of a failure", {{"error", *failure_}});
  } else {
    log_.Info("Began to stop");
  }
}

void Manager::StopAll() {
  std::unique_lock lock(mutex_);
  const bool lost_lease = lost_lease_;
  lock.unlock();

  const Duration grace = lost_lease ? std::min(options_.stop_grace, elector_->grace_after_loss())
                                    : options_.stop_grace;
  const Timer timer(clock_, grace, [this] { OnGraceExceeded(); });
  // Another replica may lead soon: what only a leader does ends before all else.
  if (lost_lease) StopPhase(Phase::kLeader);
  for (const Phase phase : kStopOrder) StopPhase(phase);
  if (elector_started_) {
    SetStopping("leader election");
    elector_->Stop();
  }
  log_.Info("Stopped");
}

// Last started, first stopped.
void Manager::StopPhase(Phase phase) {
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    if (part->phase != phase || !part->started) continue;
    SetStopping(part->runnable->name());
    part->runnable->Stop();
    part->started = false;
  }
}

void Manager::SetStopping(std::string_view part) {
  const std::scoped_lock lock(mutex_);
  stopping_ = part;
}

void Manager::OnGraceExceeded() {
  std::unique_lock lock(mutex_);
  const std::string part = stopping_;
  lock.unlock();
  log_.Error("Gave up waiting for a part to stop", {{"part", part}});
  if (options_.on_grace_exceeded) options_.on_grace_exceeded(part);
}

}  // namespace tracekeeper::runtime
