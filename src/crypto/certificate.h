#pragma once
// Certificates as values: what a PEM certificate says, whether a bundle vouches for it, and a
// certificate together with its private key.
//
// Threads:  values and pure functions.
// Failure:  kDecode with a sentence that names what could not be read; key bytes are never in it.

#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::crypto {

/// What one certificate says about itself.
struct CertificateInfo {
  std::string subject;      // "CN = webhook"
  std::string issuer;       // equals subject in a self-signed one
  std::string serial;       // lower-case hexadecimal
  std::string fingerprint;  // SHA-256 of the DER form, lower-case hexadecimal
  Instant not_before;
  Instant not_after;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool is_authority = false;
};

/// Every certificate of a PEM bundle, in order. An empty bundle is an error; other PEM blocks and
/// text between the blocks are skipped.
Result<std::vector<CertificateInfo>> ParseCertificates(std::string_view pem);

/// Checks at `now` that a certificate of `authorities_pem` vouches for the first certificate of
/// `chain_pem` (by way of the rest of it) as a server certificate.
Status VerifyServerCertificate(std::string_view chain_pem, std::string_view authorities_pem,
                               Instant now);

/// A certificate chain (leaf first) and the private key of its leaf, checked to belong together.
/// Shared between threads as std::shared_ptr<const CertificatePair>.
class CertificatePair {
 public:
  static Result<CertificatePair> Parse(std::string chain_pem, SecretString private_key_pem);

  [[nodiscard]] const std::string& chain_pem() const { return chain_pem_; }
  [[nodiscard]] const SecretString& private_key_pem() const { return private_key_pem_; }
  [[nodiscard]] const CertificateInfo& leaf() const { return leaf_; }

 private:
  CertificatePair(std::string chain_pem, SecretString private_key_pem, CertificateInfo leaf)
      : chain_pem_(std::move(chain_pem)),
        private_key_pem_(std::move(private_key_pem)),
        leaf_(std::move(leaf)) {}

  std::string chain_pem_;
  SecretString private_key_pem_;
  CertificateInfo leaf_;
};

}  // namespace tracekeeper::crypto
