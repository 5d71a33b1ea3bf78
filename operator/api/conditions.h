#pragma once
// The field list of kube::Condition (metav1.Condition), so that it can stand in a status.

#include <array>
#include <string>
#include <tuple>

#include "src/codec/fields.h"
#include "src/kube/conditions.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::kube {

consteval auto ValuesOf(ConditionStatus) {
  using codec::EnumValue;
  return std::array{
      EnumValue{ConditionStatus::kUnknown, "Unknown", ""},
      EnumValue{ConditionStatus::kTrue, "True", ""},
      EnumValue{ConditionStatus::kFalse, "False", ""},
  };
}

}  // namespace tracekeeper::kube

namespace tracekeeper::codec {

template <>
struct TextScalar<Instant> {
  static Result<Instant> FromText(std::string_view text) { return kube::ParseTimestamp(text); }
  static std::string ToText(const Instant& time) { return kube::FormatTimestamp(time); }
  static constexpr TextSchema kSchema{.max_length = 64, .format = "date-time"};
};

template <>
struct FieldList<kube::Condition> {
  static consteval auto Fields() {
    using kube::Condition;
    return std::tuple{
        Field("type", &Condition::type,
              {.doc = "What this condition is about.", .required = true, .max_length = 316}),
        Field("status", &Condition::status,
              {.doc = "Whether it is true.", .required = true, .schema_default = false}),
        Field("reason", &Condition::reason,
              {.doc = "Why, as one word for programs.", .required = true, .max_length = 1024}),
        Field("message", &Condition::message,
              {.doc = "Why, as a sentence for people.", .required = true, .max_length = 32768}),
        Field("observedGeneration", &Condition::observed_generation,
              {.doc = "The metadata.generation that this condition is about.",
               .minimum = 0,
               .schema_default = false}),
        Field("lastTransitionTime", &Condition::last_transition_time,
              {.doc = "When the status last changed.", .required = true}),
    };
  }
};

}  // namespace tracekeeper::codec
