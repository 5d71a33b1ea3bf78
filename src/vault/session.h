#pragma once
// Session is one identity at one Vault: it logs in once for everybody who asks, keeps the token
// alive, logs in again when it ends, and revokes it at the end.
//
// Threads:  all methods are safe from any thread and block. One thread at a time logs in or renews;
//           those who need the outcome wait for it, those who can use the old token do not.
// Owner:    the wiring of a connection. Destroy after Close(), and after the last call returned.
// Failure:  rows of kFailures, or kCancelled. A login that failed holds off the next one with full
//           jitter of 1 to 60 s: meanwhile everybody gets its error at once, with retry_after.
// Time:     no thread of its own: a call renews when it is due, and Tend() at next_due() does so
//           where calls are rare.
// Leases:   Vault revokes what was lent under a token when the token ends. generation() changes
//           with every new login; leases of an older one will not outlive its token. What shall
//           outlive this session is lent under a token of its own: LogInApart() and CallerWith().

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "src/vault/answer.h"
#include "src/vault/endpoint.h"
#include "src/vault/login.h"
#include "src/vault/token_caller.h"

namespace tracekeeper::vault {

struct SessionOptions {
  std::string name_space;
  /// In [0, 1): where within its tenth a renewal falls. Of the identity, so it is the same after a
  /// restart and another one for each.
  double renewal_share = 0;
  /// Uniform in [0, 1), for the jitter after a failed login.
  std::function<double()> random;
};

class Session final : public Caller {
 public:
  Session(SessionOptions options, Endpoint& endpoint, std::unique_ptr<Login> login,
          const Clock& clock);

  /// Sends with the token. A 403 is believed once lookup-self says that the token still lives;
  /// if not, the call is sent once more with a new one.
  Result<Answer> Send(Call call, const StopToken& stop) override;

  /// One more login of the same identity. The token is the caller's: this session neither renews
  /// nor revokes it, nor counts it in generation(). Waits where somebody logs in, and fails at once
  /// in the hold-off after a failure; its own failure holds off others as any.
  Result<Token> LogInApart(const StopToken& stop);
  /// Sends with such a token; also one that another session logged in for. Valid as long as the
  /// endpoint.
  [[nodiscard]] TokenCaller CallerWith(crypto::SecretString token) const;

  /// Logs in or renews now if that is due.
  Status Tend(const StopToken& stop);
  /// When Tend() has something to do; nullopt: never by itself (no login yet, or an endless token).
  [[nodiscard]] std::optional<MonotonicTime> next_due() const;
  /// Counts logins; 0 before the first.
  [[nodiscard]] std::uint64_t generation() const;
  /// What stands for the token wherever people can read it; empty before the first login.
  [[nodiscard]] std::string accessor_hash() const;

  /// Revokes the token; later calls are kCancelled.
  Status Close(const StopToken& stop);

 private:
  struct Held;
  using HeldToken = std::shared_ptr<const Held>;

  Result<HeldToken> Acquire(const StopToken& stop);
  Result<HeldToken> Refresh(const HeldToken& held, const StopToken& stop);
  Result<HeldToken> LogIn(const StopToken& stop);
  Result<HeldToken> Renew(const Held& held, const StopToken& stop);
  HeldToken Hold(Token token, std::shared_ptr<const crypto::SecretString> value,
                 std::uint64_t generation, Duration full_lease, MonotonicTime since) const;
  /// The answer of the last attempt, where nothing else may be tried now.
  std::optional<Error> HoldOffLocked(MonotonicTime now) const;
  Result<HeldToken> TakeOutcomeLocked(Result<HeldToken> outcome);
  void NoteFailureLocked(const Error& error);
  /// Once the token has ended, a login may not wait for what a renewal has earned.
  void ShortenHoldOffLocked();
  bool WaitUntilIdleLocked(std::unique_lock<std::mutex>& lock, const StopToken& stop);
  /// Whether the token that was answered with 403 is dead.
  Result<bool> IsDead(const HeldToken& held, const StopToken& stop);
  [[nodiscard]] Sender As(const Held& held) const;

  const SessionOptions options_;
  Endpoint& endpoint_;
  const std::unique_ptr<Login> login_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable_any idle_;
  // All below: under mutex_.
  bool is_busy_ = false;
  bool is_closed_ = false;
  HeldToken held_;
  std::uint64_t generation_ = 0;
  std::uint64_t attempts_ = 0;  // logins and renewals that ended
  unsigned failures_ = 0;       // in a row
  std::optional<Error> last_error_;
  MonotonicTime hold_off_until_{};
  std::optional<MonotonicTime> confirmed_at_;  // the last time that lookup-self found it alive
};

}  // namespace tracekeeper::vault
