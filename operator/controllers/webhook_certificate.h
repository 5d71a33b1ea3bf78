#pragma once
// The Secret in which the operator keeps its webhook's certificate, read and written:
//
//   tls.crt, tls.key                 the pair every replica serves
//   ca.crt                           the authority that vouches for it
//   next.crt, next.key, next-ca.crt  the pair that is served next, while one is prepared
//   previous-ca.crt                  the authority before, while replicas may still serve under it
//   annotation tracekeeper.dev/activated-at   when the served pair replaced another
//
// No authority's key is in it: it is thrown away as soon as it has signed (docs/adr/0003).
//
// Threads:  values and pure functions.
// Failure:  a Secret that cannot be read is reported with the key that is wrong; the caller makes a
//           new pair then. No key bytes are ever in a message.

#include <memory>
#include <optional>
#include <string>

#include "operator/domain/certificate_rotation.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/crypto/certificate.h"
#include "src/kube/meta.h"

namespace tracekeeper::controllers {

/// A certificate pair and the authority that signed it.
struct VouchedPair {
  std::shared_ptr<const crypto::CertificatePair> pair;
  std::string authority_pem;
};

struct WebhookCertificate {
  VouchedPair serving;
  std::optional<VouchedPair> next;
  std::string previous_authority_pem;
  std::optional<Instant> activated_at;

  /// All authorities to trust now: what goes into caBundle.
  [[nodiscard]] std::string TrustBundle() const;
};

/// Reads the Secret object.
Result<WebhookCertificate> ReadWebhookCertificate(const codec::JsonValue& secret);

/// The Secret as JSON for create and server-side apply. With `resource_version` the write succeeds
/// only if nobody wrote in between.
std::string WriteWebhookCertificate(const kube::ObjectKey& key, const WebhookCertificate& stored,
                                    std::string_view resource_version);

/// A new pair for the webhook, signed by an authority made for it alone. `names` are the DNS names
/// and IP addresses by which API servers call it.
struct WebhookNames {
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};
Result<VouchedPair> MakeVouchedPair(const WebhookNames& names, Duration lifetime, Instant now);

/// The names of a Service, or of the host of an https URL.
WebhookNames NamesOfService(std::string_view service, std::string_view namespace_name);
Result<WebhookNames> NamesOfUrl(std::string_view url);

/// What the plan needs to know. `next_trusted_since` comes from whoever applies caBundle.
domain::CertificateState StateOf(const WebhookCertificate& stored,
                                 std::optional<Instant> next_trusted_since);

/// What a step makes of what is stored. `fresh` is used by Prepare.
WebhookCertificate Prepared(WebhookCertificate stored, VouchedPair fresh);
WebhookCertificate Activated(WebhookCertificate stored, Instant now);
WebhookCertificate Retired(WebhookCertificate stored);

}  // namespace tracekeeper::controllers
