#include "tests/src/net/test_certificates.h"

#include <gtest/gtest.h>

#include <utility>

namespace tracekeeper::net {

namespace {

Instant Now() { return std::chrono::system_clock::now(); }

template <typename T>
T Expect(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name)
    : authority_(Expect(crypto::MakeCertificateAuthority(
          name, {.now = Now(), .back_dated_by = std::chrono::hours(48)}))) {}

CertificatePtr TestAuthority::Server() const {
  return ServerFor({"localhost"}, {"127.0.0.1", "::1"});
}

CertificatePtr TestAuthority::ServerFor(std::vector<std::string> dns_names,
                                        std::vector<std::string> ip_addresses) const {
  return Issue({.common_name = "test server",
                .dns_names = std::move(dns_names),
                .ip_addresses = std::move(ip_addresses)},
               {.now = Now()});
}

CertificatePtr TestAuthority::ExpiredServer() const {
  return Issue(
      {.common_name = "old server", .dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1"}},
      {.now = Now() - std::chrono::hours(25), .lifetime = std::chrono::hours(24)});
}

CertificatePtr TestAuthority::Client(const std::string& common_name) const {
  return Issue({.common_name = common_name, .use = crypto::CertificateUse::kClient},
               {.now = Now()});
}

CertificatePtr TestAuthority::Issue(const crypto::CertificateRequest& request,
                                    const crypto::CertificateValidity& validity) const {
  return std::make_shared<const crypto::CertificatePair>(
      Expect(crypto::IssueCertificate(authority_, request, validity)));
}

std::shared_ptr<crypto::ServerTlsSource> Showing(CertificatePtr certificate,
                                                 std::string client_authorities_pem,
                                                 const char* protocol) {
  auto source = std::make_shared<crypto::ServerTlsSource>(
      crypto::ServerTlsSource::Options{std::move(client_authorities_pem), protocol});
  if (const Status shown = source->Swap(std::move(certificate)); !shown) {
    throw std::runtime_error(shown.error().message);
  }
  return source;
}

}  // namespace tracekeeper::net
