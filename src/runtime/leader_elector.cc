#include "src/runtime/leader_elector.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "src/runtime/timer.h"
#include "src/runtime/uuid.h"

namespace tracekeeper::runtime {
namespace {

// Giving the lease up meets a conflict only when somebody edits it at that moment.
constexpr int kReleaseAttempts = 3;

std::int32_t WholeSeconds(Duration duration) {
  return static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// The record is not what we think it is: read it. After other errors the next try writes again.
bool MayHaveChanged(const Error& error) {
  return error.kind == ErrorKind::kConflict || error.kind == ErrorKind::kNotFound;
}

}  // namespace

Status Validate(const LeaderElectionOptions& options) {
  const auto second = std::chrono::seconds(1);
  if (options.identity.empty()) {
    return Fail(ErrorKind::kInvalid, "leader election needs an identity that no other replica has");
  }
  if (options.lease_duration < second || options.renew_deadline < second ||
      options.retry_period < second) {
    return Fail(ErrorKind::kInvalid,
                "leader election: lease duration, renew deadline and retry period must be at least "
                "1 s each");
  }
  if (options.lease_duration <= options.renew_deadline) {
    return Fail(ErrorKind::kInvalid,
                "leader election: the lease duration ({:.0f} s) must be longer than the renew "
                "deadline ({:.0f} s), or two replicas lead at once",
                Seconds(options.lease_duration), Seconds(options.renew_deadline));
  }
  if (Seconds(options.renew_deadline) <= options.jitter * Seconds(options.retry_period)) {
    return Fail(ErrorKind::kInvalid,
                "leader election: the renew deadline ({:.0f} s) must be longer than {:.1f} retry "
                "periods ({:.0f} s), or one failed try costs the lease",
                Seconds(options.renew_deadline), options.jitter, Seconds(options.retry_period));
  }
  return {};
}

Duration CallDeadline(const LeaderElectionOptions& options) {
  return std::max<Duration>(std::chrono::seconds(1), options.renew_deadline / 2);
}

std::string MakeIdentity() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return RandomUuid();
  return fmt::format("{}_{}", host.data(), RandomUuid());
}

struct LeaderElector::State {
  State(LeaderElectionOptions election_options, kube::Client& the_client, const Clock& the_clock,
        Metrics& metrics, const Logger& logger)
      : options(std::move(election_options)),
        client(the_client),
        clock(the_clock),
        log(logger.With({{"lease", options.lease.ToString()}, {"identity", options.identity}})),
        master_status(metrics.MakeGauge(
            "leader_election_master_status",
            "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, "
            "1 indicates master. 'name' is the string used to identify the lease.",
            {{"name", options.lease.name}})) {}

  void Run(const StopToken& stop);
  bool Acquire(const StopToken& stop);
  Status Renew(const StopToken& stop);
  Status TryOnce(const StopToken& stop);
  Status Write(MonotonicTime now, const StopToken& stop);
  void Observe(kube::Lease lease, MonotonicTime now);
  [[nodiscard]] bool HeldByOther(MonotonicTime now) const;
  [[nodiscard]] kube::LeaseRecord NextRecord() const;
  void Release();
  void SetLeading(bool leads);
  [[nodiscard]] Duration CandidateWait();
  [[nodiscard]] Duration RenewTimeLeft() const;

  const LeaderElectionOptions options;
  kube::Client& client;
  const Clock& clock;
  const Logger log;
  Gauge& master_status;
  Callbacks callbacks;

  // The thread alone.
  std::optional<kube::Lease> observed;
  MonotonicTime observed_at{};  // when the record was last seen to change, or was written by us
  std::mt19937_64 random{std::random_device{}()};

  mutable std::mutex mutex;
  bool leading = false;
  MonotonicTime renewed_at{};
  std::string holder;

  std::jthread thread;
};

void LeaderElector::State::Run(const StopToken& stop) {
  if (!Acquire(stop)) return;
  SetLeading(true);
  log.Info("Became leader");
  callbacks.on_elected();

  const Status lost = Renew(stop);
  if (stop.stop_requested()) {
    Release();
    SetLeading(false);
    return;
  }
  SetLeading(false);
  log.Error("Lost the lease", {{"error", lost.error()}});
  callbacks.on_lost(lost.error());
}

bool LeaderElector::State::Acquire(const StopToken& stop) {
  log.Info("Waiting to become leader");
  while (!stop.stop_requested()) {
    const Status taken = TryOnce(stop);
    if (taken) return true;
    if (taken.error().kind != ErrorKind::kConflict) {
      log.Warn("Failed to take the lease", {{"error", taken.error()}});
    }
    if (!clock.SleepFor(CandidateWait(), stop)) return false;
  }
  return false;
}

// Returns the reason for which the lease is lost, or success when `stop` was asked for.
Status LeaderElector::State::Renew(const StopToken& stop) {
  std::string trouble = "no call has ended";
  while (clock.SleepFor(options.retry_period, stop)) {
    const DeadlineStop deadline(clock, RenewTimeLeft(), stop);
    const Status renewed = TryOnce(deadline.token());
    if (renewed || stop.stop_requested()) continue;
    // What our own deadline cut off says less than what went wrong before.
    if (!deadline.expired()) trouble = renewed.error().message;
    if (HeldByOther(clock.Monotonic())) {
      return Fail(ErrorKind::kConflict, "lease {} was taken by {}", options.lease.ToString(),
                  observed->record.holder_identity);
    }
    if (RenewTimeLeft() == Duration::zero()) {
      return Fail(ErrorKind::kTimeout, "lease {} was not renewed for {:.0f} s: {}",
                  options.lease.ToString(), Seconds(clock.Monotonic() - renewed_at), trouble);
    }
    log.Warn("Failed to renew the lease", {{"error", trouble}});
  }
  return {};
}

// A call that hangs ends with the renew deadline, so that the loss is noticed in time.
Duration LeaderElector::State::RenewTimeLeft() const {
  return std::max(renewed_at + options.renew_deadline - clock.Monotonic(), Duration::zero());
}

// Takes or renews the lease. A leader whose record is fresh writes at once; everybody else reads
// first. kConflict: somebody else has it.
Status LeaderElector::State::TryOnce(const StopToken& stop) {
  const MonotonicTime start = clock.Monotonic();
  const bool ours = observed && observed->record.holder_identity == options.identity;
  if (ours) {
    Status written = Write(start, stop);
    if (written || !MayHaveChanged(written.error())) return written;
  }

  Result<kube::Lease> read = kube::GetLease(client, options.lease, stop);
  if (!read && read.error().kind == ErrorKind::kNotFound) {
    observed.reset();
    return Write(start, stop);
  }
  if (!read) return Fail(std::move(read).error());
  Observe(*std::move(read), start);
  if (HeldByOther(start)) {
    return Fail(ErrorKind::kConflict, "held by {}", observed->record.holder_identity);
  }
  return Write(start, stop);
}

Status LeaderElector::State::Write(MonotonicTime now, const StopToken& stop) {
  const kube::LeaseRecord record = NextRecord();
  Result<kube::Lease> written = observed ? kube::UpdateLease(client, *observed, record, stop)
                                         : kube::CreateLease(client, options.lease, record, stop);
  if (!written) return Fail(std::move(written).error());
  observed = *std::move(written);
  // From before the call: others can have seen the write from then on, and count from there.
  observed_at = now;
  const std::scoped_lock lock(mutex);
  renewed_at = now;
  holder = options.identity;
  return {};
}

void LeaderElector::State::Observe(kube::Lease lease, MonotonicTime now) {
  const bool changed = !observed || !(observed->record == lease.record);
  if (changed) observed_at = now;
  const std::scoped_lock lock(mutex);
  if (holder != lease.record.holder_identity) {
    holder = lease.record.holder_identity;
    if (!holder.empty()) log.Info("Saw a new leader", {{"leader", holder}});
  }
  observed = std::move(lease);
}

bool LeaderElector::State::HeldByOther(MonotonicTime now) const {
  if (!observed) return false;
  const kube::LeaseRecord& record = observed->record;
  if (record.holder_identity.empty() || record.holder_identity == options.identity) return false;
  return now < observed_at + std::chrono::seconds(record.lease_duration_seconds);
}

kube::LeaseRecord LeaderElector::State::NextRecord() const {
  kube::LeaseRecord record;
  record.holder_identity = options.identity;
  record.lease_duration_seconds = WholeSeconds(options.lease_duration);
  record.renew_time = clock.Now();
  record.acquire_time = record.renew_time;
  if (!observed) return record;
  const bool ours = observed->record.holder_identity == options.identity;
  if (ours) record.acquire_time = observed->record.acquire_time;
  record.lease_transitions = observed->record.lease_transitions + (ours ? 0 : 1);
  return record;
}

void LeaderElector::State::Release() {
  const StopToken never;  // our own stop must not cut this off; the client's deadline does
  for (int attempt = 0; attempt < kReleaseAttempts; ++attempt) {
    const Result<kube::Lease> released = kube::ReleaseLease(client, *observed, clock.Now(), never);
    if (released) {
      log.Info("Gave the lease up");
      return;
    }
    if (released.error().kind != ErrorKind::kConflict) {
      log.Warn("Failed to give the lease up: another replica waits until it ends",
               {{"error", released.error()}});
      return;
    }
    Result<kube::Lease> newest = kube::GetLease(client, options.lease, never);
    if (!newest || newest->record.holder_identity != options.identity) return;
    observed = *std::move(newest);
  }
}

void LeaderElector::State::SetLeading(bool leads) {
  master_status.Set(leads ? 1 : 0);
  const std::scoped_lock lock(mutex);
  leading = leads;
}

Duration LeaderElector::State::CandidateWait() {
  const double extra = std::uniform_real_distribution<double>(0.0, options.jitter)(random);
  return options.retry_period + std::chrono::duration_cast<Duration>(options.retry_period * extra);
}

LeaderElector::LeaderElector(LeaderElectionOptions options, kube::Client& client,
                             const Clock& clock, Metrics& metrics, const Logger& log)
    : state_(std::make_unique<State>(std::move(options), client, clock, metrics, log)) {}

LeaderElector::~LeaderElector() { Stop(); }

Status LeaderElector::Start(Callbacks callbacks) {
  TRY(Validate(state_->options));
  state_->callbacks = std::move(callbacks);
  state_->thread =
      std::jthread([state = state_.get()](const StopToken& stop) { state->Run(stop); });
  return {};
}

void LeaderElector::Stop() { state_->thread = std::jthread(); }

bool LeaderElector::is_leader() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->leading;
}

Duration LeaderElector::grace_after_loss() const {
  return state_->options.lease_duration - state_->options.renew_deadline;
}

std::string LeaderElector::leader() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->holder;
}

Status LeaderElector::Check() const {
  const State& state = *state_;
  const std::scoped_lock lock(state.mutex);
  const Duration age = state.clock.Monotonic() - state.renewed_at;
  if (!state.leading || age <= state.options.lease_duration + state.options.watchdog_tolerance) {
    return {};
  }
  return Fail(ErrorKind::kTimeout,
              "leader election has not renewed lease {} for {:.0f} s: its thread is stuck",
              state.options.lease.ToString(), Seconds(age));
}

}  // namespace tracekeeper::runtime
