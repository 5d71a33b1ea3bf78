#pragma once
// Credentials hands out the current token and TLS material of a Config. Files are read again while
// we run, because Kubernetes replaces them: a token lives an hour, and its file changes before it
// ends.
//
// Threads:  all methods are safe from any thread; a file is read under the lock, at most once a
//           period.
// Owner:    the client's wiring; outlives the clients and transports that use it.
// Failure:  when a file can't be read any more, the last good bytes stay in use and the failure is
//           logged once until it heals; only a first read that fails is an error.
// Time:     periods are measured on the monotonic clock: a jump of the wall clock changes nothing.
// Secrets:  never in a log line or an error.
// Source:   client-go: token every minute less 10 s of leeway, certificates every 5 min.

#include <memory>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/crypto/certificate.h"
#include "src/kube/config.h"

namespace tracekeeper::kube {

class Credentials {
 public:
  struct Options {
    Duration token_period = std::chrono::seconds(50);
    Duration certificate_period = std::chrono::minutes(5);
  };

  /// Reads everything once.
  static Result<std::unique_ptr<Credentials>> Make(const Config& config, const Clock& clock,
                                                   Logger log);
  static Result<std::unique_ptr<Credentials>> Make(const Config& config, const Clock& clock,
                                                   Logger log, Options options);
  ~Credentials();

  /// The value of the Authorization header, or an empty string where there is no token.
  [[nodiscard]] std::string Authorization();

  /// Reads the token file now, whatever its age: the server has just answered 401 to `refused`.
  /// True when there is another token by now, so that one more try makes sense.
  bool RefreshAuthorization(std::string_view refused);

  /// The certificates to trust, as PEM; empty where the configuration names none.
  [[nodiscard]] std::string AuthoritiesPem();

  /// The certificate to show, or null where there is none.
  [[nodiscard]] std::shared_ptr<const crypto::CertificatePair> ClientCertificate();

 private:
  struct State;
  explicit Credentials(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::kube
