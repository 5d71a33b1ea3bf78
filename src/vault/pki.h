#pragma once
// Pki is Vault's PKI engine at one mount: certificates with their keys, and the authority that
// signs them.
//
// Threads:  safe from any thread, blocking, as their Caller.
// Failure:  rows of kFailures; kRequestRefused with Vault's words where the role does not allow the
//           name; kInvalid for names that no request can carry.
// Secrets:  the private key is a SecretString.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/vault/answer.h"

namespace tracekeeper::vault {

struct IssueRequest {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  /// Zero: as the role says.
  Duration lifetime{};
};

struct IssuedCertificate {
  std::string certificate_pem;
  /// What signed it, nearest first; what a server sends behind its certificate.
  std::string chain_pem;
  crypto::SecretString private_key_pem;
  std::string serial;  // "39:dd:2e:..."
  Instant not_after;
  std::string request_id;
};

class Pki {
 public:
  Pki(std::string mount, Caller& caller) : mount_(std::move(mount)), caller_(caller) {}

  Result<IssuedCertificate> Issue(std::string_view role, const IssueRequest& request,
                                  const StopToken& stop);
  /// A certificate that is revoked already is a success.
  Status Revoke(std::string_view serial, const StopToken& stop);
  /// What clients must trust, as PEM: the authority's chain, or the authority alone.
  Result<std::string> Authorities(const StopToken& stop);

 private:
  Result<std::string> ReadCertificate(std::string_view name, const StopToken& stop);

  const std::string mount_;
  Caller& caller_;
};

Result<IssuedCertificate> ReadIssuedCertificate(const Answer& answer, std::string_view tried);

}  // namespace tracekeeper::vault
