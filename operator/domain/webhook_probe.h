#pragma once
// The webhook probe proves that the API server uses the webhook configuration of this moment and
// reaches the webhook: the configuration has an entry for one ConfigMap in the operator's own
// namespace, selected by a label whose value names the configuration. The operator asks for that
// ConfigMap in a dry run; where the entry is in force, the webhook marks it, and the mark comes
// back in the answer. Nothing is stored. Why: docs/adr/0012.
//
// Threads:  pure.

#include <string>
#include <string_view>

#include "src/codec/json_value.h"

namespace tracekeeper::domain {

inline constexpr std::string_view kProbeWebhook = "probe.inject.tracekeeper.dev";
inline constexpr std::string_view kProbePath = "/probe";
/// Label of the ConfigMap and of the entry's objectSelector; its value is the probe token.
inline constexpr std::string_view kProbeLabel = "tracekeeper.dev/webhook-probe";
inline constexpr std::string_view kProbeAnnotation = "tracekeeper.dev/webhook-answered";

/// Names a configuration: changes with every byte of it. Fits a label value.
std::string ProbeToken(std::string_view configuration_json);

/// The ConfigMap to ask for in a dry run.
std::string ProbeConfigMapJson(std::string_view namespace_name, std::string_view token);

/// JSON Patch with which the webhook marks the ConfigMap of a probe.
std::string_view ProbeAnswerPatch();

/// Whether the webhook saw the ConfigMap that the API server answered with.
bool IsProbeAnswered(const codec::JsonValue& config_map);

}  // namespace tracekeeper::domain
