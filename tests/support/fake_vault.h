#pragma once
// FakeVault is a Vault in memory behind Transport, on a clock that the test moves: for what a real
// server cannot do on demand (hours of leases in milliseconds, a standby, an answer that never
// comes). What it answers is pinned by a table that is also replayed against a real Vault
// (tests/src/vault/exchange_table.cc).
//
// Knows:    sys/health, init state, seal; mounts; tokens (login by kubernetes, jwt and approle,
//           create, lookup-self, renew-self, revoke-self, batch); KV 1 and 2; database credentials
//           and leases with a longest life; response wrapping.
// Lets do:  whoever holds a live token may do everything that Deny() does not forbid.
// Threads:  safe from any thread.
// Owner:    the test; outlives the transports' users.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/net/transport.h"
#include "tests/support/fake_vault_kv.h"

namespace tracekeeper::test_support {

class FakeVault final : public net::Transport {
 public:
  enum class State { kActive, kStandby, kPerformanceStandby, kDisasterRecovery, kSealed, kNew };

  explicit FakeVault(const Clock& clock) : clock_(clock) {}

  Result<net::Response> Send(const net::Request& request, const net::CallOptions& options,
                             const StopToken& stop) override;
  /// Vault's answers that we ask for do not stream: kInternal.
  Status Stream(const net::Request& request, net::StreamSink& sink, const net::CallOptions& options,
                const StopToken& stop) override;

  void SetState(State state);
  /// A token that may do everything and never ends.
  [[nodiscard]] static std::string_view root_token() { return "root"; }
  /// Requests whose path begins so are answered with 403.
  void Deny(std::string path_prefix);
  void Allow(std::string_view path_prefix);
  /// The next requests, whatever they ask, get this instead: an answer, or an error as when the
  /// connection breaks. Health is asked too.
  void AnswerNext(Result<net::Response> answer);
  /// Its clock is ahead of ours by this.
  void SkewClock(Duration by);
  /// Jwts that auth/kubernetes and auth/jwt take for a role.
  void AddRole(std::string role, std::string jwt, Duration token_life, Duration longest_life = {});

  /// "GET kv/data/shop" of all that was asked since the start, in order.
  [[nodiscard]] std::vector<std::string> log() const;
  [[nodiscard]] std::size_t CountOf(std::string_view logged) const;
  [[nodiscard]] std::size_t live_leases() const;

 private:
  struct Token {
    std::string accessor;
    std::optional<Instant> ends;  // unset: never
    Duration life{};
    Instant longest{};
    bool is_batch = false;
  };
  struct Lease {
    std::string token;
    Instant ends;
    Instant longest;
    Duration life;
  };
  struct Role {
    std::string jwt;
    Duration life;
    Duration longest;
  };
  struct Wrapped {
    std::string answer;
    Instant ends;
  };
  /// One request, taken apart.
  struct Asked {
    std::string method;
    std::string path;  // below /v1/, without its query
    std::string version;
    std::string token;
    std::string wrap;  // seconds
    codec::JsonValue body;
  };

  net::Response AnswerLocked(const Asked& asked);
  net::Response Health() const;
  net::Response System(const Asked& asked);
  net::Response Auth(const Asked& asked);
  net::Response LogIn(const Asked& asked);
  net::Response OwnToken(const Asked& asked);
  net::Response MakeToken(const Asked& asked);
  net::Response Leases(const Asked& asked);
  net::Response Credentials(const Asked& asked, std::string_view role);
  net::Response Wrap(net::Response answer, const Asked& asked);
  net::Response Unwrap(const Asked& asked);
  net::Response Mounted(const Asked& asked);
  std::string Issue(Duration life, Duration longest, bool is_batch);
  [[nodiscard]] bool IsAlive(const std::string& token) const;
  void EndDueLocked();
  [[nodiscard]] Instant Now() const { return clock_.Now() + skew_; }
  net::Response Stamped(net::Response answer);

  const Clock& clock_;
  mutable std::mutex mutex_;
  // All below: under mutex_.
  State state_ = State::kActive;
  Duration skew_{};
  std::map<std::string, Token> tokens_;
  std::map<std::string, Lease> leases_;
  std::map<std::string, Role> roles_;
  std::map<std::string, Wrapped> wrapped_;
  std::map<std::string, FakeKv> kv_;  // by mount
  std::set<std::string> databases_;   // mounts
  std::set<std::string, std::less<>> denied_;
  std::vector<Result<net::Response>> next_;
  std::vector<std::string> log_;
  std::uint64_t counter_ = 0;
};

}  // namespace tracekeeper::test_support
