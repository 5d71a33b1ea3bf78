#pragma once
// VaultConnections holds the open connection of each VaultConnection object: one login for all who
// use it. It opens what a connection says, with what the connection's own namespace holds, and
// opens it anew when the connection's spec changed.
//
// Threads:  all methods are safe from any thread. Open() and Close() block while a token is asked
//           for or revoked; Find() does not.
// Owner:    wiring; clients, clock and metrics outlive it. What Find() gave stays usable while it
//           is held, also after Close(): hold it for one piece of work.
// Failure:  Open: kUnavailable while somebody holds what it replaces, since both would count in
//           the same metrics, and the one that ends takes them away. Find: kNotFound for a
//           connection that is not open, kForbidden for a namespace that the
//           connection does not allow, each with a sentence and a row of rotation_failure.h.
//           Providers pass on the API server's refusals.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "operator/api/vault_connection.h"
#include "src/base/clock.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/vault/connection.h"

namespace tracekeeper::controllers {

class VaultConnections {
 public:
  struct Parts {
    kube::Client& everyday;
    kube::Client& secrets;  // calls whose bodies are secret
    const Clock& clock;
    Metrics& metrics;
    /// Uniform in [0, 1), for the jitter after a failed login.
    std::function<double()> random;
  };

  explicit VaultConnections(Parts parts) : parts_(std::move(parts)) {}

  /// The open connection of that object, as its spec says now. Nothing is asked of Vault, but to
  /// revoke the token of what the spec said before.
  Result<std::shared_ptr<vault::Connection>> Open(const api::VaultConnection& connection,
                                                  const StopToken& stop);

  /// Forgets the connection and revokes its token.
  void Close(const kube::ObjectKey& key, const StopToken& stop);
  /// At the end of a leader's term: all of them.
  void CloseAll(const StopToken& stop);

  /// For whoever works in `namespace_name`.
  Result<std::shared_ptr<vault::Connection>> Find(const kube::ObjectKey& key,
                                                  std::string_view namespace_name) const;

 private:
  struct Entry {
    api::VaultConnection object;
    std::shared_ptr<vault::Connection> connection;
  };

  std::shared_ptr<vault::Connection> TakeLocked(const kube::ObjectKey& key);
  Result<std::unique_ptr<vault::Connection>> Make(const api::VaultConnection& connection) const;
  Result<std::unique_ptr<vault::Login>> MakeLogin(const api::VaultConnection& connection) const;
  [[nodiscard]] vault::SecretProvider TokenOf(const kube::ObjectKey& service_account,
                                              const std::vector<std::string>& audiences) const;

  const Parts parts_;
  mutable std::mutex mutex_;
  std::map<kube::ObjectKey, Entry> open_;
  std::map<kube::ObjectKey, std::weak_ptr<vault::Connection>> ending_;  // somebody may hold it
};

}  // namespace tracekeeper::controllers
