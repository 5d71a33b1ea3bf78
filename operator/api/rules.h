#pragma once
// CEL rules that several structs share. Each sentence says what stands there and what to write
// instead. Form first, in one rule: a `pattern` would only say which expression did not match, and
// rules that come after it would run all the same.

#include <array>

#include "src/codec/fields.h"

namespace tracekeeper::api {

/// The key of a label: "app", "example.com/team".
inline constexpr std::array kLabelKeyRules = {codec::Rule{
    .expression = "self.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?"
                  "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",
    .message_expression =
        "'label key \"' + self + '\" must be a name of at most 63 letters, digits, - _ and ., with "
        "an optional DNS prefix: write app or example.com/team'"}};

/// The same for the keys of a map, which have no length that a sentence could be made of.
inline constexpr std::array kLabelKeysRules = {codec::Rule{
    .expression = "self.all(k, k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?"
                  "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",
    .message = "label keys must be names of at most 63 letters, digits, - _ and ., with an "
               "optional DNS prefix: write app or example.com/team"}};

inline constexpr std::array kLabelValueRules = {codec::Rule{
    .expression = "self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$')",
    .message_expression =
        "'label value \"' + self + '\" must be at most 63 letters, digits, - _ and ., with a "
        "letter or digit at both ends: no pod can carry it as it stands'"}};

inline constexpr std::array kImageRules = {codec::Rule{
    .expression = "self.matches('^([A-Za-z0-9.-]+(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*"
                  "(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
                  "(@sha256:[0-9a-f]{64})?$')",
    .message_expression =
        "'image \"' + self + '\" must be an image reference, in lower case and without a scheme: "
        "write registry.example.com/team/name:1.2.3'"}};

/// The name of a Secret or ConfigMap.
inline constexpr std::array kObjectNameRules = {codec::Rule{
    .expression = "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    .message_expression =
        "'name \"' + self + '\" must be lower-case letters, digits, - and .: it names an object in "
        "the namespace of the pods, without the namespace itself'"}};

/// A key in the data of a Secret or ConfigMap.
inline constexpr std::array kDataKeyRules = {codec::Rule{
    .expression = "self.matches('^[-._A-Za-z0-9]+$')",
    .message_expression =
        "'key \"' + self + '\" must be letters, digits, - _ and .: it names one entry of data, "
        "such as token or ca.crt'"}};

/// A key that the operator writes to a Secret. It writes KEY.previous and KEY.next beside it.
inline constexpr std::array kShownKeyRules = {
    codec::Rule{.expression = "self.matches('^([-_A-Za-z0-9]|[.][-_A-Za-z0-9])[-._A-Za-z0-9]*$')",
                .message_expression =
                    "'key \"' + self + '\" must be letters, digits, - _ and ., not beginning with "
                    "..: it names one entry of a Secret, such as password'"},
    codec::Rule{.expression = "!self.endsWith('.previous') && !self.endsWith('.next') && "
                              "!self.startsWith('tracekeeper.')",
                .message_expression =
                    "'key ' + self + ' is one that the operator writes itself: choose one that "
                    "neither ends with .previous or .next nor begins with tracekeeper.'",
                .reason = "FieldValueForbidden"},
};

/// The name of a credential in its policy.
inline constexpr std::array kCredentialNameRules = {codec::Rule{
    .expression = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    .message_expression = "'credential name \"' + self + '\" must be lower-case letters, digits "
                          "and -: write backend or otlp-token'"}};

inline constexpr std::array kIntervalRules = {codec::Rule{
    .expression = "self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && self != '' && "
                  "duration(self) >= duration('1s') && duration(self) <= duration('24h')",
    .message_expression =
        "'duration \"' + self + '\" must be between 1s and 24h in hours, minutes and seconds: "
        "write 30s, 5m or 1h30m'"}};

/// Ports of the sidecar: OTLP, status, egress and ingress.
inline constexpr std::array kOwnPortRules = {codec::Rule{
    .expression = "!(self in [4317, 4318, 9465, 15801, 15806])",
    .message = "ports 4317, 4318, 9465, 15801 and 15806 belong to the sidecar itself: leave them "
               "out; telemetry does not pass the proxy"}};

}  // namespace tracekeeper::api
