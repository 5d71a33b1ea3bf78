#include "operator/domain/label_selector.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::domain {
namespace {

bool Meets(const LabelSelector::Requirement& requirement, LabelsView labels) {
  const std::string_view value = FindLabel(labels, requirement.key);
  const bool exists = value.data() != nullptr;
  const auto listed = [&] { return exists && std::ranges::count(requirement.values, value) > 0; };
  switch (requirement.op) {
    case LabelSelector::Operator::kIn:
      return listed();
    case LabelSelector::Operator::kNotIn:
      return !listed();
    case LabelSelector::Operator::kExists:
      return exists;
    case LabelSelector::Operator::kDoesNotExist:
      return !exists;
  }
  return false;
}

std::string Write(const LabelSelector::Requirement& requirement) {
  using enum LabelSelector::Operator;
  if (requirement.op == kExists) return requirement.key;
  if (requirement.op == kDoesNotExist) return "!" + requirement.key;
  if (requirement.op == kIn && requirement.values.size() == 1) {
    return requirement.key + "=" + requirement.values.front();
  }
  std::string text = requirement.key + (requirement.op == kIn ? " in (" : " notin (");
  for (std::size_t i = 0; i < requirement.values.size(); ++i) {
    if (i > 0) text.push_back(',');
    text.append(requirement.values[i]);
  }
  text.push_back(')');
  return text;
}

}  // namespace

std::vector<Label> LabelsOf(const codec::JsonValue& object) {
  std::vector<Label> labels;
  labels.reserve(object.size());
  for (const auto& [key, value] : object.Members()) {
    if (const auto text = value.String()) labels.push_back({key, *text});
  }
  return labels;
}

std::vector<Label> LabelsOf(const kube::StringMap& map) {
  std::vector<Label> labels;
  labels.reserve(map.size());
  for (const auto& [key, value] : map) labels.push_back({key, value});
  return labels;
}

std::string_view FindLabel(LabelsView labels, std::string_view key) {
  for (const Label& label : labels) {
    if (label.key == key) {
      return label.value.data() == nullptr ? std::string_view("") : label.value;
    }
  }
  return {};
}

LabelSelector::LabelSelector(std::vector<Requirement> requirements)
    : requirements_(std::move(requirements)) {}

bool LabelSelector::Matches(LabelsView labels) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& r) { return Meets(r, labels); });
}

std::string LabelSelector::ToString() const {
  if (requirements_.empty()) return "everything";
  std::string text;
  for (const Requirement& requirement : requirements_) {
    if (!text.empty()) text.push_back(',');
    text.append(Write(requirement));
  }
  return text;
}

}  // namespace tracekeeper::domain
