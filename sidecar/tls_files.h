#pragma once
// TlsFiles reads what TLS towards the backend needs, from mounted files, at every new connection: a
// renewed file is used without a restart. A file that cannot be used keeps the last good content.
//
// Threads:  all methods are safe from any thread.
// Owner:    shared by the exporter's transport and by whoever watches for changes.
// Failure:  an error when there never was anything usable, which fails that connection.

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "sidecar/file_stamp.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/config/sidecar_config.h"
#include "src/crypto/certificate.h"

namespace tracekeeper::sidecar {

class TlsFiles {
 public:
  TlsFiles(config::ExportTls tls, const Logger& log) : tls_(std::move(tls)), log_(log) {}

  /// The authorities to trust, as PEM: caFile, else those of the system.
  Result<std::string> Authorities();
  /// The certificate to show; null where none is configured.
  Result<std::shared_ptr<const crypto::CertificatePair>> Certificate();
  /// True when a file is another than at the last call: connections should be made anew.
  bool TakeChange();

 private:
  struct Stamps {
    std::optional<FileStamp> authorities;
    std::optional<FileStamp> certificate;
    std::optional<FileStamp> key;
    bool operator==(const Stamps&) const = default;
  };
  [[nodiscard]] Stamps CurrentStamps() const;

  const config::ExportTls tls_;
  const Logger log_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string authorities_;
  std::shared_ptr<const crypto::CertificatePair> certificate_;
  std::optional<Stamps> stamps_;
};

}  // namespace tracekeeper::sidecar
