#include "operator/api/tracing_policy.h"

#include "src/codec/decode.h"
#include "src/codec/encode.h"

namespace tracekeeper::api {

Result<TracingPolicy> DecodeTracingPolicy(codec::JsonValue object) {
  TracingPolicy policy;
  policy.metadata = TRY(kube::DecodeMeta(object));
  const std::string kind(object["kind"].StringOr(kTracingPolicyKind));
  if (kind != kTracingPolicyKind) {
    return Fail(ErrorKind::kDecode, "{} is a {}, not a TracingPolicy",
                policy.metadata.key.ToString(), kind);
  }
  auto spec = codec::Decode<TracingPolicySpec>(object["spec"], "spec");
  if (!spec) {
    return Fail(std::move(spec.error()).Within("policy " + policy.metadata.key.ToString()));
  }
  policy.spec = *std::move(spec);
  policy.status = codec::Decode<TracingPolicyStatus>(object["status"], "status")
                      .value_or(TracingPolicyStatus());
  return policy;
}

std::string EncodeSpec(const TracingPolicySpec& spec) { return codec::EncodeJson(spec); }

std::string EncodeStatus(const TracingPolicyStatus& status) { return codec::EncodeJson(status); }

std::string EncodeRollout(const RolloutStatus& rollout) { return codec::EncodeJson(rollout); }

}  // namespace tracekeeper::api
