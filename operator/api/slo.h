#pragma once
// Slo: what the continuity of traces is measured by. For now where traces may begin with a foreign
// parent, and what is left out.

#include <string>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

/// A name, or the beginning of names: "GET /health", "health*".
inline constexpr std::array kNamePatternRules = {codec::Rule{
    .expression = "self.matches('^[^*]+[*]?$')",
    .message_expression =
        "'name \"' + self + '\" must be a name, or the beginning of one with a * at its end: "
        "write GET /health or health*'"}};

/// Spans that count nowhere: those that are dropped on their way, and those of no interest.
struct SloExclude {
  std::vector<std::string> scopes;
  std::vector<std::string> span_names;
  std::vector<std::string> services;

  bool operator==(const SloExclude&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("scopes", &SloExclude::scopes,
              {.doc = "Instrumentation scopes, for example of spans that a Collector drops. A name "
                      "may end with *.",
               .max_items = 64,
               .item_max_length = 256,
               .list_type = codec::ListType::kSet,
               .example = "[io.opentelemetry.jdbc]",
               .item_rules = kNamePatternRules}),
        Field("spanNames", &SloExclude::span_names,
              {.doc = "Names of spans. A name may end with *.",
               .max_items = 64,
               .item_max_length = 256,
               .list_type = codec::ListType::kSet,
               .example = "[\"GET /health*\"]",
               .item_rules = kNamePatternRules}),
        Field("services", &SloExclude::services,
              {.doc = "Names of services (service.name). A name may end with *.",
               .max_items = 64,
               .item_max_length = 256,
               .list_type = codec::ListType::kSet,
               .example = "[load-generator]",
               .item_rules = kNamePatternRules}),
    };
  }
};

struct Slo {
  std::vector<std::string> entrypoints;
  SloExclude exclude;

  bool operator==(const Slo&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("entrypoints", &Slo::entrypoints,
              {.doc = "Services (service.name) that callers outside reach: a parent that one of "
                      "these names and that never comes is the caller's business, and no break. A "
                      "name may end with *.",
               .max_items = 64,
               .item_max_length = 256,
               .list_type = codec::ListType::kSet,
               .example = "[gateway]",
               .item_rules = kNamePatternRules}),
        Field("exclude", &Slo::exclude, {.doc = "Spans that count nowhere."}),
    };
  }
};

}  // namespace tracekeeper::api
