#pragma once
// CertificateController keeps the webhook's certificate fresh: one key, one Secret, one step of
// domain::PlanCertificate at a time. Runs on the leader; every replica loads what it writes
// (CertificateLoader).
//
// Threads:  Reconcile on the controller's one worker.
// Owner:    wiring. Client, trust and clock outlive it.
// Failure:  a lost race is kConflict and runs again on what the other wrote. A Secret that cannot
//           be read is replaced, with a warning: serving matters more than what was in it.

#include "operator/controllers/webhook_certificate.h"
#include "operator/controllers/webhook_trust.h"
#include "src/crypto/server_tls_source.h"
#include "src/kube/client.h"
#include "src/runtime/controller.h"

namespace tracekeeper::controllers {

class CertificateController {
 public:
  struct Options {
    kube::ObjectKey secret;
    WebhookNames names;
    domain::CertificatePolicy policy;
  };

  CertificateController(Options options, kube::Client& client, WebhookTrust& trust)
      : options_(std::move(options)), client_(client), trust_(trust) {}

  /// The key of its one object, for the queue.
  [[nodiscard]] const kube::ObjectKey& key() const { return options_.secret; }

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  struct Seen {
    std::optional<WebhookCertificate> stored;
    std::string resource_version;  // empty: there is no Secret
  };
  Result<Seen> Read(runtime::ReconcileContext& context);
  Result<WebhookCertificate> Perform(domain::CertificateStep step, const Seen& seen,
                                     runtime::ReconcileContext& context);
  Status Write(const WebhookCertificate& next, const Seen& seen,
               runtime::ReconcileContext& context);

  const Options options_;
  kube::Client& client_;
  WebhookTrust& trust_;
};

/// CertificateLoader serves what the Secret holds: on every replica, whenever it changes.
class CertificateLoader {
 public:
  CertificateLoader(kube::ObjectKey secret, kube::Client& client, crypto::ServerTlsSource& tls)
      : secret_(std::move(secret)), client_(client), tls_(tls) {}

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  const kube::ObjectKey secret_;
  kube::Client& client_;
  crypto::ServerTlsSource& tls_;
};

}  // namespace tracekeeper::controllers
