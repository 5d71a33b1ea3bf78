#include "src/kube/conditions.h"

#include <algorithm>
#include <cassert>

#include "src/kube/timestamp.h"

namespace tracekeeper::kube {
namespace {

constexpr std::size_t kTypeLimit = 316;
constexpr std::size_t kReasonLimit = 1024;
constexpr std::size_t kMessageLimit = 32768;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$
bool IsReason(std::string_view text) {
  if (text.empty() || !IsLetter(text.front())) return false;
  if (text.back() == ',' || text.back() == ':') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '_' || c == ',' || c == ':';
  });
}

/// Cut at the limit, and not within a UTF-8 character.
void CutMessage(std::string& message) {
  if (message.size() <= kMessageLimit) return;
  std::size_t end = kMessageLimit;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
  message.resize(end);
}

ConditionStatus StatusOf(std::string_view text) {
  if (text == "True") return ConditionStatus::kTrue;
  if (text == "False") return ConditionStatus::kFalse;
  return ConditionStatus::kUnknown;
}

}  // namespace

std::string_view NameOf(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::kTrue:
      return "True";
    case ConditionStatus::kFalse:
      return "False";
    case ConditionStatus::kUnknown:
      return "Unknown";
  }
  return "Unknown";
}

bool SetCondition(std::vector<Condition>& conditions, Condition desired, Instant now) {
  assert(ValidateCondition(desired));
  CutMessage(desired.message);
  // The API keeps whole seconds: with a fraction here, what is read back would look changed.
  desired.last_transition_time = std::chrono::floor<std::chrono::seconds>(now);
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const Condition& c) { return c.type == desired.type; });
  if (found == conditions.end()) {
    conditions.push_back(std::move(desired));
    return true;
  }
  if (found->status == desired.status) desired.last_transition_time = found->last_transition_time;
  if (*found == desired) return false;
  *found = std::move(desired);
  return true;
}

const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type) {
  for (const Condition& condition : conditions) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

Status ValidateCondition(const Condition& condition) {
  if (condition.type.empty() || condition.type.size() > kTypeLimit) {
    return Fail(ErrorKind::kInvalid, "condition type \"{}\" must have 1 to {} characters",
                condition.type, kTypeLimit);
  }
  if (condition.reason.size() > kReasonLimit || !IsReason(condition.reason)) {
    return Fail(ErrorKind::kInvalid,
                "reason \"{}\" of condition {} must be CamelCase, 1 to {} characters",
                condition.reason, condition.type, kReasonLimit);
  }
  return {};
}

std::vector<Condition> DecodeConditions(codec::JsonValue array) {
  std::vector<Condition> conditions;
  for (const codec::JsonValue entry : array.Elements()) {
    const auto type = entry["type"].String();
    if (!type) continue;
    conditions.push_back(
        {.type = std::string(*type),
         .status = StatusOf(entry["status"].StringOr("")),
         .reason = std::string(entry["reason"].StringOr("")),
         .message = std::string(entry["message"].StringOr("")),
         .observed_generation = entry["observedGeneration"].IntegerOr(0),
         .last_transition_time =
             ParseTimestamp(entry["lastTransitionTime"].StringOr("")).value_or(Instant{})});
  }
  return conditions;
}

void WriteConditions(codec::JsonWriter& json, const std::vector<Condition>& conditions) {
  json.BeginArray();
  for (const Condition& condition : conditions) {
    json.BeginObject()
        .Member("type", condition.type)
        .Member("status", NameOf(condition.status))
        .Key("observedGeneration")
        .Integer(condition.observed_generation)
        .Member("lastTransitionTime", FormatTimestamp(condition.last_transition_time))
        .Member("reason", condition.reason)
        .Member("message", condition.message)
        .EndObject();
  }
  json.EndArray();
}

}  // namespace tracekeeper::kube
