#pragma once
// TracingPolicy (tracekeeper.dev/v1alpha1): which pods propagate trace context, in which formats,
// and where their spans go. One field list per struct (src/codec/fields.h): decoder, encoder, CRD,
// `kubectl explain` text and docs/reference come from it.
//
// Threads:  plain values.
// Failure:  decoding refuses with the path and what may stand there. The CRD refuses the same at
//           apply; a decoder still meets it in files, and from a CRD newer than this build.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "operator/api/conditions.h"
#include "operator/api/configuration_status.h"
#include "operator/api/credential.h"
#include "operator/api/credential_status.h"
#include "operator/api/export.h"
#include "operator/api/injection.h"
#include "operator/api/label_selector.h"
#include "operator/api/propagation.h"
#include "operator/api/rollout_status.h"
#include "operator/api/sampling.h"
#include "operator/api/slo.h"
#include "src/base/result.h"
#include "src/codec/fields.h"
#include "src/codec/json_value.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"

namespace tracekeeper::api {

inline constexpr std::string_view kGroup = "tracekeeper.dev";
inline constexpr std::string_view kVersion = "v1alpha1";
inline constexpr std::string_view kTracingPolicyKind = "TracingPolicy";
inline constexpr kube::Resource kTracingPolicies{kGroup, kVersion, "tracingpolicies",
                                                 kTracingPolicyKind};

/// Pod label; "false" opts the pod out.
inline constexpr std::string_view kInjectLabel = "tracekeeper.dev/inject";
/// Annotation of a policy; "true" stops every write for it.
inline constexpr std::string_view kPausedAnnotation = "tracekeeper.dev/paused";

/// Rules on the whole object.
inline constexpr std::array kTracingPolicyRules = {
    codec::Rule{.expression = "self.metadata.name.size() <= 63",
                .message = "the name of a policy becomes a label value: choose one of at most 63 "
                           "characters"}};

struct TracingPolicySpec {
  std::optional<LabelSelector> selector;  // empty selector: every pod
  std::optional<LabelSelector> namespace_selector;
  std::int64_t priority = 0;
  Injection injection;
  Propagation propagation;
  Sampling sampling;
  std::optional<Export> export_to;  // absent: the sidecar propagates and exports nothing
  std::vector<Credential> credentials;
  Slo slo;

  bool operator==(const TracingPolicySpec&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("selector", &TracingPolicySpec::selector,
              {.doc = "The pods of this policy, by their labels. An empty selector, {}, selects "
                      "every pod."}),
        Field("namespaceSelector", &TracingPolicySpec::namespace_selector,
              {.doc = "Makes this policy a default for all namespaces with these labels. Works in "
                      "the operator's own namespace only; a policy of the pod's own namespace "
                      "always comes first."}),
        Field("priority", &TracingPolicySpec::priority,
              {.doc = "Where several policies of one kind select a pod, the highest priority "
                      "wins; then the older one, then the name.",
               .minimum = -1000000,
               .maximum = 1000000}),
        Field("injection", &TracingPolicySpec::injection, {.doc = "What is added to the pods."}),
        Field("propagation", &TracingPolicySpec::propagation,
              {.doc = "How trace context is accepted and sent."}),
        Field("sampling", &TracingPolicySpec::sampling,
              {.doc = "How many traces are recorded and exported. Default: all."}),
        Field("export", &TracingPolicySpec::export_to,
              {.doc = "Where spans go. Without it the sidecar propagates context and exports "
                      "nothing."}),
        Field("credentials", &TracingPolicySpec::credentials,
              {.doc = "Secrets that are rotated from Vault. In policies of one namespace only.",
               .max_items = 16,
               .list_type = codec::ListType::kMap,
               .list_key = "name"}),
        Field("slo", &TracingPolicySpec::slo,
              {.doc = "What the continuity of traces is measured by."}),
    };
  }

  static constexpr std::array kRules = {
      codec::Rule{
          .expression = "has(self.selector)",
          .message = "selector is missing: write selector: {matchLabels: {app: ...}}, or selector: "
                     "{} for every pod",
          .field_path = ".selector",
          .reason = "FieldValueRequired"},
      codec::Rule{.expression = "!has(self.namespaceSelector) || !has(self.credentials) || "
                                "self.credentials.size() == 0",
                  .message =
                      "credentials are written beside their policy, for pods of its namespace "
                      "alone: remove namespaceSelector, or move them to a policy of the "
                      "namespace that needs them",
                  .field_path = ".credentials",
                  .reason = "FieldValueForbidden"},
      codec::Rule{.expression = "!has(self.credentials) || self.credentials.all(a, "
                                "self.credentials.exists_one(b, b.secret.name == a.secret.name))",
                  .message = "two credentials write to one Secret: give each a secret.name of its "
                             "own",
                  .field_path = ".credentials"},
      codec::Rule{.expression =
                      "!has(self.credentials) || self.credentials.all(a, !has(a.secret.publicKeys) "
                      "|| self.credentials.exists_one(b, has(b.secret.publicKeys) && "
                      "b.secret.publicKeys == a.secret.publicKeys))",
                  .message = "two credentials write to one ConfigMap: give each a "
                             "secret.publicKeys of its own",
                  .field_path = ".credentials"},
      codec::Rule{.expression =
                      "!has(self.export) || !has(self.export.auth) || "
                      "!has(self.export.auth.credential) || (has(self.credentials) && "
                      "self.credentials.exists(c, c.name == self.export.auth.credential))",
                  .message_expression =
                      "'credentials has none of the name \"' + self.export.auth.credential + '\": "
                      "write ' + (has(self.credentials) && self.credentials.size() > 0 ? "
                      "self.credentials[0].name : 'it there')",
                  .field_path = ".export.auth.credential"},
      codec::Rule{.expression =
                      "!has(self.credentials) || self.credentials.all(c, (has(c.consumers) && "
                      "c.consumers.reload != 'Sidecar') || (has(self.export) && "
                      "has(self.export.auth) && has(self.export.auth.credential) && "
                      "self.export.auth.credential == c.name))",
                  .message = "sidecars take the credential that export.auth names and no other: "
                             "for each other one write consumers: {reload: Restart}, or {reload: "
                             "None} where its consumers follow by themselves",
                  .field_path = ".credentials"},
  };
};

/// Pods to which one reason applies. Reasons are those of metric, Event and `explain`.
struct ReasonCount {
  std::string reason;
  std::int64_t pods = 0;

  bool operator==(const ReasonCount&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("reason", &ReasonCount::reason,
              {.doc = "The reason, as `tracekeeper explain` prints it.",
               .required = true,
               .max_length = 128}),
        Field("pods", &ReasonCount::pods,
              {.doc = "How many pods it applies to.", .required = true, .minimum = 0}),
    };
  }
};

struct TracingPolicyStatus {
  std::int64_t observed_generation = 0;
  std::vector<kube::Condition> conditions;
  std::int64_t matched_pods = 0;
  std::int64_t injected_pods = 0;
  std::int64_t outdated_pods = 0;
  std::vector<ReasonCount> reasons;
  std::optional<ConfigurationStatus> configuration;
  std::optional<RolloutStatus> rollout;
  std::vector<CredentialStatus> credentials;

  bool operator==(const TracingPolicyStatus&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field(
            "observedGeneration", &TracingPolicyStatus::observed_generation,
            {.doc = "The metadata.generation that this status is about; -1: nothing was seen yet.",
             .always = true,
             .minimum = -1,
             .schema_default = false}),
        Field("conditions", &TracingPolicyStatus::conditions,
              {.doc = "What is true of this policy: Ready, Reconciling, Stalled, Injected, "
                      "ConfigurationInSync.",
               .max_items = 32,
               .list_type = codec::ListType::kMap,
               .list_key = "type"}),
        Field("matchedPods", &TracingPolicyStatus::matched_pods,
              {.doc = "Pods that this policy applies to.",
               .always = true,
               .minimum = 0,
               .schema_default = false}),
        Field("injectedPods", &TracingPolicyStatus::injected_pods,
              {.doc = "Of these, pods that carry the sidecar.",
               .always = true,
               .minimum = 0,
               .schema_default = false}),
        Field("outdatedPods", &TracingPolicyStatus::outdated_pods,
              {.doc = "Of these, pods that run without, or with an older, injection.",
               .always = true,
               .minimum = 0,
               .schema_default = false}),
        Field("reasons", &TracingPolicyStatus::reasons,
              {.doc = "Why selected pods are not injected, or not as the policy says now. A pod "
                      "may count under two reasons: why, and why it is not renewed.",
               .max_items = 64,
               .list_type = codec::ListType::kMap,
               .list_key = "reason"}),
        Field("configuration", &TracingPolicyStatus::configuration,
              {.doc = "Which configuration the running sidecars use."}),
        Field("rollout", &TracingPolicyStatus::rollout,
              {.doc = "Which workloads are being renewed. Absent: none ever was."}),
        Field("credentials", &TracingPolicyStatus::credentials,
              {.doc = "How far each credential is.",
               .max_items = 16,
               .list_type = codec::ListType::kMap,
               .list_key = "name"}),
    };
  }
};

struct TracingPolicy {
  kube::ObjectMeta metadata;
  TracingPolicySpec spec;
  TracingPolicyStatus status;

  bool operator==(const TracingPolicy&) const = default;
};

/// Reads a whole object. A status that cannot be read is taken as empty: it is ours, and the next
/// reconcile writes it again.
Result<TracingPolicy> DecodeTracingPolicy(codec::JsonValue object);

/// The spec as canonical JSON with defaults left out: equal specs give equal text.
std::string EncodeSpec(const TracingPolicySpec& spec);

/// The status as JSON, the value of "status" in a server-side apply.
std::string EncodeStatus(const TracingPolicyStatus& status);
/// Its part "rollout" alone, which another field manager owns.
std::string EncodeRollout(const RolloutStatus& rollout);

}  // namespace tracekeeper::api
