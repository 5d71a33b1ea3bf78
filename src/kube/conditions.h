#pragma once
// Conditions are how a status says what is true of an object (metav1.Condition): one entry a type,
// and lastTransitionTime moves only when the status value changes, never for a new reason,
// message or generation.
//
// Threads:  pure functions on values.
// Limits:   type 316, reason 1024, message 32768 characters. A message that is too long is cut at
//           the end of a UTF-8 character; type and reason are ours and are asserted.
// Source:   metav1.Condition, apimachinery's meta.SetStatusCondition.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::kube {

enum class ConditionStatus { kTrue, kFalse, kUnknown };

/// "True", "False" or "Unknown".
std::string_view NameOf(ConditionStatus status);

struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  std::string reason;  // CamelCase, never empty
  std::string message;
  std::int64_t observed_generation = 0;
  Instant last_transition_time{};

  bool operator==(const Condition&) const = default;
};

/// Puts `desired` in place of the condition of its type, or at the end. Its last_transition_time
/// is ignored: it becomes `now` when the status differs from before, else it stays what it was.
/// True when anything but the order changed, so that the caller can skip an idle write.
bool SetCondition(std::vector<Condition>& conditions, Condition desired, Instant now);

/// The condition of that type, or null.
const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type);

/// Whether the API server would take type and reason; the sentence says what is wrong.
Status ValidateCondition(const Condition& condition);

/// Reads an array of conditions; entries without a type are left out.
std::vector<Condition> DecodeConditions(codec::JsonValue array);

/// Writes the array, in order.
void WriteConditions(codec::JsonWriter& json, const std::vector<Condition>& conditions);

}  // namespace tracekeeper::kube
