#pragma once
// An authority for tests, and what it signs. Real certificates, made anew in each test.

#include <memory>
#include <string>
#include <vector>

#include "src/crypto/certificate_maker.h"
#include "src/crypto/server_tls_source.h"

namespace tracekeeper::net {

using CertificatePtr = std::shared_ptr<const crypto::CertificatePair>;

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority");

  [[nodiscard]] const std::string& pem() const { return authority_.chain_pem(); }

  /// A server certificate for 127.0.0.1, ::1 and localhost.
  [[nodiscard]] CertificatePtr Server() const;
  [[nodiscard]] CertificatePtr ServerFor(std::vector<std::string> dns_names,
                                         std::vector<std::string> ip_addresses) const;
  /// One that ended an hour ago.
  [[nodiscard]] CertificatePtr ExpiredServer() const;
  [[nodiscard]] CertificatePtr Client(const std::string& common_name) const;

 private:
  [[nodiscard]] CertificatePtr Issue(const crypto::CertificateRequest& request,
                                     const crypto::CertificateValidity& validity) const;

  crypto::CertificatePair authority_;
};

/// A source that shows `certificate`, and demands client certificates of `client_authorities_pem`
/// where that is given. `protocol` is agreed to by ALPN.
std::shared_ptr<crypto::ServerTlsSource> Showing(CertificatePtr certificate,
                                                 std::string client_authorities_pem = {},
                                                 const char* protocol = nullptr);

}  // namespace tracekeeper::net
