#pragma once
// Makes certificates: an authority of our own, and what it vouches for. Keys are P-256, signatures
// ECDSA with SHA-256, serials 128 random bits.
//
// Threads:  pure functions but for the randomness, which is OpenSSL's.
// Failure:  kInvalid for a request that no certificate can answer (no name, bad IP address).

#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/certificate.h"

namespace tracekeeper::crypto {

/// From when until when. Starts in the past so that peers whose clocks lag accept it at once.
struct CertificateValidity {
  Instant now;
  Duration lifetime = std::chrono::hours(24 * 365);
  Duration back_dated_by = std::chrono::hours(1);
};

enum class CertificateUse { kServer, kClient };

struct CertificateRequest {
  std::string common_name;
  /// Groups of a client certificate, as Kubernetes reads them.
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  CertificateUse use = CertificateUse::kServer;
};

/// A self-signed authority that may sign leaves and nothing else (path length 0).
Result<CertificatePair> MakeCertificateAuthority(const std::string& common_name,
                                                 const CertificateValidity& validity);

/// A leaf signed by `authority`. It ends no later than its authority does. A server certificate
/// needs at least one DNS name or IP address.
Result<CertificatePair> IssueCertificate(const CertificatePair& authority,
                                         const CertificateRequest& request,
                                         const CertificateValidity& validity);

}  // namespace tracekeeper::crypto
