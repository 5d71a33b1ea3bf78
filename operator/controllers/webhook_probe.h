#pragma once
// WebhookProbe asks the API server, by a dry run that stores nothing, whether it uses the webhook
// configuration named by a token and reaches the webhook. Background:
// operator/domain/webhook_probe.h.
//
// Threads:  Ask blocks its caller, the webhook configuration's worker.
// Owner:    WebhookController; the client outlives it.
// Failure:  that the API server cannot call the webhook is an answer, and so is that it refuses the
//           dry run; a call that got no answer is the client's error.

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/kube/client.h"

namespace tracekeeper::controllers {

enum class ProbeVerdict {
  kInForce,      // the API server called the webhook by this configuration
  kNotYet,       // the API server still uses an older one
  kUnreachable,  // it uses this one and cannot call the webhook
  kRefused,      // somebody else's rule refuses the dry run: nothing is known
};

struct ProbeResult {
  ProbeVerdict verdict = ProbeVerdict::kNotYet;
  std::string detail;  // the API server's own words, for the last two
};

class WebhookProbe {
 public:
  WebhookProbe(kube::Client& client, std::string namespace_name)
      : client_(client), namespace_name_(std::move(namespace_name)) {}

  Result<ProbeResult> Ask(std::string_view token, const StopToken& stop);

 private:
  kube::Client& client_;
  const std::string namespace_name_;
};

}  // namespace tracekeeper::controllers
