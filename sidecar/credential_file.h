#pragma once
// CredentialFile is a credential from a mounted Secret, sent with every request to the backend and
// read again when the file changes: at most a look at the file's attributes before each attempt,
// so it follows the kubelet's symlink swap without a thread of its own.
//
// A file that is empty, broken or still being written does not replace the last good credential;
// report() says so.
//
// Threads:  all methods are safe from any thread.
// Owner:    shared by the exporter that sends it and by /status.
// Secrets:  the value is in SecretString and in the header field it is sent in; never in a log, an
//           error or a report.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "sidecar/file_stamp.h"
#include "sidecar/mounted_credential.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/config/sidecar_config.h"
#include "src/crypto/secret_string.h"
#include "src/otlp/exporter.h"

namespace tracekeeper::sidecar {

/// The value of a header that carries the credential in `text`, the content of a file. For Basic
/// that is "user:password". kInvalid, without a byte of it in the sentence, for what cannot be one.
Result<crypto::SecretString> HeaderValueOf(config::AuthScheme scheme, std::string_view text);

struct CredentialReport {
  std::string file;
  std::string version;  // of what is in use: the kubelet's name of it, or the file's time; or empty
  std::optional<std::int64_t> number;  // of what is in use, where the operator rotates it
  std::optional<Instant> since;
  std::uint64_t loaded = 0;
  std::uint64_t refused = 0;
  std::string problem;  // why the file, as it is now, is not what is in use
};

class CredentialFile final : public otlp::RequestCredential {
 public:
  CredentialFile(config::ExportAuth auth, const Clock& clock, const Logger& log);

  Status AddTo(net::Headers& headers) override;
  /// Looks at the file, too.
  [[nodiscard]] CredentialReport Report();

 private:
  void Refresh();
  void Take(const std::string& text, const MountedCredential& mounted);
  void Refuse(std::string problem);

  const config::ExportAuth auth_;
  const std::string header_;
  const Clock& clock_;
  const Logger log_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<FileStamp> seen_;  // what was read, good or not
  crypto::SecretString value_;
  CredentialReport report_;
};

}  // namespace tracekeeper::sidecar
