#pragma once
// CertificateWatcher reads a certificate and its key from files and notices when they change: by
// inotify at once, and by a look every ten seconds where inotify is silent (network file systems).
// It follows the kubelet's way of replacing a mounted Secret, a renamed symlink above the files.
//
// Threads:  two of its own between Start and Stop (or destruction); the others may be called from
//           any thread. `on_change` runs on one of those, or within Reload() on the caller's.
// Owner:    the program's wiring; clock, metrics and log outlive it.
// Failure:  a pair that cannot be read or does not fit together is counted, logged once a cause,
//           and the last good pair stays.
// Metrics:  certwatcher_read_certificate_total, certwatcher_read_certificate_errors_total.

#include <functional>
#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/crypto/certificate.h"

namespace tracekeeper::crypto {

class CertificateWatcher {
 public:
  struct Options {
    std::string certificate_file;
    std::string private_key_file;
    Duration poll_period = std::chrono::seconds(10);
  };
  using OnChange = std::function<void(std::shared_ptr<const CertificatePair>)>;

  CertificateWatcher(Options options, OnChange on_change, const Clock& clock, Metrics& metrics,
                     Logger log);
  ~CertificateWatcher();
  CertificateWatcher(const CertificateWatcher&) = delete;
  CertificateWatcher& operator=(const CertificateWatcher&) = delete;

  /// Reads the files, reports the pair through `on_change` and begins to watch. Fails when there is
  /// no usable pair to begin with.
  Status Start();
  void Stop();

  /// Looks at the files now; calls `on_change` when they hold another good pair.
  Status Reload();

  /// The last good pair; null before Start.
  [[nodiscard]] std::shared_ptr<const CertificatePair> Current() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace tracekeeper::crypto
