#pragma once
// ServerTlsFiles keeps a ServerTlsSource equal to PEM files that somebody else replaces: the
// kubelet in a mounted Secret, cert-manager, a person.
//
//   auto files = TRY(ServerTlsFiles::Make({.certificate = "tls.crt", .key = "tls.key"}));
//   server_options.tls = files->source();
//   ...
//   TRY(files->ReadAgain());  // now and then
//
// Threads:  Make and ReadAgain from one thread at a time; what source() gives is safe from any.
// Owner:    the program's wiring; servers share the source.
// Failure:  a sentence that begins with the file's name. ReadAgain then leaves in use what is.
// Limits:   kMaxBytes a file.

#include <cstddef>
#include <memory>
#include <string>

#include "src/base/result.h"
#include "src/crypto/server_tls_source.h"

namespace tracekeeper::crypto {

class ServerTlsFiles {
 public:
  static constexpr std::size_t kMaxBytes = 1U << 20U;

  struct Paths {
    std::string certificate;  // the chain, the server's own first
    std::string key;
    /// Clients must show a certificate signed by one of these; empty asks for none.
    std::string client_authorities;
  };
  enum class Change { kNone, kTaken };

  static Result<std::unique_ptr<ServerTlsFiles>> Make(Paths paths);

  /// Connections from now on are shown what the files hold; open ones keep what they have.
  Result<Change> ReadAgain();

  [[nodiscard]] const std::shared_ptr<ServerTlsSource>& source() const { return source_; }

 private:
  explicit ServerTlsFiles(Paths paths) : paths_(std::move(paths)) {}

  const Paths paths_;
  const std::shared_ptr<ServerTlsSource> source_ = std::make_shared<ServerTlsSource>();
};

}  // namespace tracekeeper::crypto
