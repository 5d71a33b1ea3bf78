#pragma once
// Credentials hands out the current token and TLS material of a Config. Files are read again while
// we run, because Kubernetes replaces them: a token lives an hour, and its file changes before it
// ends.
//
// Threads:  all methods are safe from any thread; a read of a file happens under the lock, at most
//           once a period.
// Owner:    the client's wiring; outlives the clients and transports that use it.
// Failure:  when a file can't be read the last good bytes stay in use and the failure is logged
//           once until it heals; only a first read that fails is an error.
// Secrets:  never in a log line or an error. Strings are wiped when they are replaced.

#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/kube/config.h"

namespace tracekeeper::kube {

/// PEM texts as the TLS layer takes them. Equal `version`s mean equal bytes.
struct TlsMaterial {
  std::string certificate_authority;
  std::string client_certificate;
  std::string client_key;
  std::uint64_t version = 0;
};

class Credentials {
 public:
  struct Options {
    /// A token file is read again when its last read is this old: a minute less 10 s of leeway.
    Duration token_period = std::chrono::seconds(50);
    Duration certificate_period = std::chrono::seconds(300);
  };

  /// Reads everything once.
  static Result<std::unique_ptr<Credentials>> Make(const Config& config, const Clock& clock,
                                                   Logger log);
  static Result<std::unique_ptr<Credentials>> Make(const Config& config, const Clock& clock,
                                                   Logger log, Options options);
  ~Credentials();

  /// The bearer token, or an empty string where the identity is a client certificate.
  [[nodiscard]] std::string Token();

  /// Reads the token file now, whatever its age: the server has just answered 401. True when the
  /// token is another than `refused`, so that one more try makes sense.
  bool RefreshToken(std::string_view refused);

  [[nodiscard]] TlsMaterial Tls();

 private:
  struct State;
  explicit Credentials(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::kube
