#include "src/vault/session.h"

#include <algorithm>
#include <utility>

#include "src/vault/lease.h"
#include "src/vault/retry.h"

namespace tracekeeper::vault {
namespace {

// For so long a token that lookup-self found alive is taken to be so, however many calls are
// denied.
constexpr Duration kConfirmedFor = std::chrono::seconds(30);
constexpr Duration kTruncationTolerance = std::chrono::seconds(2);

enum class NextStep : std::uint8_t { kRenew, kLogIn };

tl::unexpected<Error> Closed() {
  return Fail(ErrorKind::kCancelled, "the session with Vault is closed");
}

/// What a renewal answers when the token itself is the reason, so that only a login helps.
bool NeedsLogin(const Error& error) {
  const auto failure = FailureOf(error);
  return failure == Failure::kTokenRevoked || failure == Failure::kBatchToken ||
         failure == Failure::kPermissionDenied || failure == Failure::kRequestRefused ||
         failure == Failure::kLeaseNotRenewable;
}

}  // namespace

struct Session::Held {
  std::shared_ptr<const crypto::SecretString> value;
  std::string accessor_hash;
  std::uint64_t generation = 0;
  Duration full_lease{};  // as the login gave it
  bool is_batch = false;
  NextStep next = NextStep::kLogIn;
  std::optional<MonotonicTime> due;  // nullopt: the token does not end
  std::optional<MonotonicTime> ends;

  [[nodiscard]] bool IsAlive(MonotonicTime now) const { return !ends || now < *ends; }
  [[nodiscard]] bool IsDue(MonotonicTime now) const { return due && now >= *due; }
};

Session::Session(SessionOptions options, Endpoint& endpoint, std::unique_ptr<Login> login,
                 const Clock& clock)
    : options_(std::move(options)), endpoint_(endpoint), login_(std::move(login)), clock_(clock) {}

Sender Session::As(const Held& held) const {
  return {.token = held.value.get(), .name_space = options_.name_space};
}

Result<Answer> Session::Send(Call call, const StopToken& stop) {
  HeldToken held = TRY(Acquire(stop));
  auto answer = endpoint_.Send(call, As(*held), stop);
  if (answer) return answer;
  const auto failure = FailureOf(answer.error());
  if (failure != Failure::kPermissionDenied && failure != Failure::kTokenRevoked) return answer;
  if (!TRY(IsDead(held, stop))) return answer;
  held = TRY(Acquire(stop));
  return endpoint_.Send(call, As(*held), stop);
}

Status Session::Tend(const StopToken& stop) {
  TRY(Acquire(stop));
  return {};
}

bool Session::WaitUntilIdleLocked(std::unique_lock<std::mutex>& lock, const StopToken& stop) {
  return idle_.wait(lock, stop, [this] { return !is_busy_; });
}

Result<Session::HeldToken> Session::Acquire(const StopToken& stop) {
  std::unique_lock lock(mutex_);
  std::optional<std::uint64_t> attempts_before;
  while (true) {
    if (is_closed_) return Closed();
    const MonotonicTime now = clock_.Monotonic();
    const bool is_alive = held_ && held_->IsAlive(now);
    const bool is_waiting = is_busy_ || now < hold_off_until_;
    if (is_alive && (!held_->IsDue(now) || is_waiting)) return held_;
    if (!is_busy_) {
      const bool has_waited = attempts_before && *attempts_before != attempts_;
      if (has_waited && last_error_) return Fail(*last_error_);
      if (auto error = HoldOffLocked(now)) return Fail(*std::move(error));
      break;
    }
    if (!attempts_before) attempts_before = attempts_;
    if (!WaitUntilIdleLocked(lock, stop)) {
      return Fail(ErrorKind::kCancelled, "stopped while waiting for a login to Vault");
    }
  }
  is_busy_ = true;
  const HeldToken held = held_;
  lock.unlock();
  auto outcome = Refresh(held, stop);
  lock.lock();
  is_busy_ = false;
  auto taken = TakeOutcomeLocked(std::move(outcome));
  idle_.notify_all();
  return taken;
}

std::optional<Error> Session::HoldOffLocked(MonotonicTime now) const {
  if (now >= hold_off_until_ || !last_error_) return std::nullopt;
  Error error = *last_error_;
  error.retry_after = hold_off_until_ - now;
  return error;
}

Result<Session::HeldToken> Session::TakeOutcomeLocked(Result<HeldToken> outcome) {
  if (outcome) {
    ++attempts_;
    held_ = *outcome;
    generation_ = held_->generation;
    failures_ = 0;
    last_error_.reset();
    hold_off_until_ = {};
    confirmed_at_.reset();
    return outcome;
  }
  // A caller that was stopped says nothing: the next one tries for itself.
  if (outcome.error().kind == ErrorKind::kCancelled) return outcome;
  ++attempts_;
  NoteFailureLocked(outcome.error());
  if (held_ && held_->IsAlive(clock_.Monotonic())) {
    ShortenHoldOffLocked();
    return held_;
  }
  if (auto error = HoldOffLocked(clock_.Monotonic())) return Fail(*std::move(error));
  return outcome;
}

void Session::NoteFailureLocked(const Error& error) {
  last_error_ = error;
  const MonotonicTime now = clock_.Monotonic();
  const auto failure = FailureOf(error);
  // The endpoint's breaker holds off by itself, and ends it with the first good probe.
  if (failure && RowOf(*failure).retry == Retry::kAfterProbe) {
    hold_off_until_ = now;
    return;
  }
  const Duration jittered = FullJitter(failures_++, options_.random ? options_.random() : 1.0);
  hold_off_until_ = now + std::max(jittered, error.retry_after.value_or(Duration::zero()));
}

void Session::ShortenHoldOffLocked() {
  if (held_ && held_->ends && held_->IsAlive(clock_.Monotonic())) {
    hold_off_until_ = std::min(hold_off_until_, *held_->ends);
  }
}

Result<Token> Session::LogInApart(const StopToken& stop) {
  std::unique_lock lock(mutex_);
  if (!WaitUntilIdleLocked(lock, stop)) {
    return Fail(ErrorKind::kCancelled, "stopped while waiting for a login to Vault");
  }
  if (is_closed_) return Closed();
  if (auto error = HoldOffLocked(clock_.Monotonic())) return Fail(*std::move(error));
  is_busy_ = true;
  lock.unlock();
  auto token = login_->LogIn(endpoint_, options_.name_space, stop);
  lock.lock();
  is_busy_ = false;
  // A good one says nothing to those who wait: it is not theirs.
  if (!token && token.error().kind != ErrorKind::kCancelled) {
    ++attempts_;
    NoteFailureLocked(token.error());
    ShortenHoldOffLocked();
  }
  idle_.notify_all();
  return token;
}

TokenCaller Session::CallerWith(crypto::SecretString token) const {
  return {endpoint_, options_.name_space, std::move(token)};
}

Result<Session::HeldToken> Session::Refresh(const HeldToken& held, const StopToken& stop) {
  const bool can_renew =
      held && held->next == NextStep::kRenew && held->IsAlive(clock_.Monotonic());
  if (!can_renew) return LogIn(stop);
  auto renewed = Renew(*held, stop);
  if (renewed || !NeedsLogin(renewed.error())) return renewed;
  if (FailureOf(renewed.error()) == Failure::kTokenRevoked) {
    const std::lock_guard lock(mutex_);
    held_.reset();
  }
  return LogIn(stop);
}

Result<Session::HeldToken> Session::LogIn(const StopToken& stop) {
  const MonotonicTime since = clock_.Monotonic();
  Token token = TRY(login_->LogIn(endpoint_, options_.name_space, stop));
  auto value = std::make_shared<const crypto::SecretString>(std::move(token.value));
  const Duration full_lease = token.lease;
  return Hold(std::move(token), std::move(value), generation() + 1, full_lease, since);
}

Result<Session::HeldToken> Session::Renew(const Held& held, const StopToken& stop) {
  const MonotonicTime since = clock_.Monotonic();
  Call call{.operation = Operation::kTokenRenew,
            .method = "POST",
            .path = "auth/token/renew-self",
            .what = "renew our token"};
  call.body.Begin()
      .Number("increment",
              std::chrono::duration_cast<std::chrono::seconds>(held.full_lease).count())
      .End();
  const Answer answer = TRY(endpoint_.Send(call, As(held), stop));
  Token token = TRY(ReadToken(answer, call.what));
  if (token.lease + kTruncationTolerance < held.full_lease) token.is_renewable = false;
  return Hold(std::move(token), held.value, held.generation, held.full_lease, since);
}

Session::HeldToken Session::Hold(Token token, std::shared_ptr<const crypto::SecretString> value,
                                 std::uint64_t generation, Duration full_lease,
                                 MonotonicTime since) const {
  auto held = std::make_shared<Held>();
  held->value = std::move(value);
  held->accessor_hash = std::move(token.accessor_hash);
  held->generation = generation;
  held->full_lease = full_lease;
  held->is_batch = token.is_batch;
  held->next = token.is_renewable && !token.is_batch ? NextStep::kRenew : NextStep::kLogIn;
  if (token.lease > Duration::zero()) {
    held->due = since + RenewAfter(token.lease, options_.renewal_share);
    held->ends = since + token.lease;
  }
  return held;
}

Result<bool> Session::IsDead(const HeldToken& held, const StopToken& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (is_closed_) return Closed();
    if (!held_ || held_->generation != held->generation) return true;
    if (confirmed_at_ && clock_.Monotonic() - *confirmed_at_ < kConfirmedFor) return false;
    if (!is_busy_) break;
    if (!WaitUntilIdleLocked(lock, stop)) {
      return Fail(ErrorKind::kCancelled, "stopped while Vault was asked about our token");
    }
  }
  is_busy_ = true;
  lock.unlock();
  const Call call{.operation = Operation::kTokenLookup,
                  .path = "auth/token/lookup-self",
                  .what = "look up our token"};
  const auto answer = endpoint_.Send(call, As(*held), stop);
  lock.lock();
  is_busy_ = false;
  const bool is_dead = !answer && FailureOf(answer.error()) == Failure::kTokenRevoked;
  if (answer) confirmed_at_ = clock_.Monotonic();
  if (is_dead) held_.reset();
  idle_.notify_all();
  return is_dead;
}

std::optional<MonotonicTime> Session::next_due() const {
  const std::lock_guard lock(mutex_);
  if (!held_ || !held_->due) return std::nullopt;
  return std::max(*held_->due, hold_off_until_);
}

std::uint64_t Session::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::string Session::accessor_hash() const {
  const std::lock_guard lock(mutex_);
  return held_ ? held_->accessor_hash : std::string();
}

Status Session::Close(const StopToken& stop) {
  HeldToken held;
  {
    std::unique_lock lock(mutex_);
    is_closed_ = true;
    if (!WaitUntilIdleLocked(lock, stop)) {
      return Fail(ErrorKind::kCancelled, "stopped before our token could be revoked");
    }
    held = std::exchange(held_, nullptr);
  }
  if (!held || held->is_batch || !held->IsAlive(clock_.Monotonic())) return {};
  const Call call{.operation = Operation::kTokenRevoke,
                  .method = "POST",
                  .path = "auth/token/revoke-self",
                  .what = "revoke our token"};
  const auto answer = endpoint_.Send(call, As(*held), stop);
  if (answer || FailureOf(answer.error()) == Failure::kTokenRevoked) return {};
  return Fail(answer.error());
}

}  // namespace tracekeeper::vault
