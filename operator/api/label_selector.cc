#include "operator/api/label_selector.h"

#include <algorithm>

namespace tracekeeper::api {
namespace {

bool Holds(const LabelRequirement& requirement, const kube::StringMap& labels) {
  const auto found = labels.find(requirement.key);
  const bool has_label = found != labels.end();
  const auto is_listed = [&] {
    return std::ranges::find(requirement.values, found->second) != requirement.values.end();
  };
  switch (requirement.op) {
    case SelectorOperator::kIn:
      return has_label && is_listed();
    case SelectorOperator::kNotIn:
      return !has_label || !is_listed();
    case SelectorOperator::kExists:
      return has_label;
    case SelectorOperator::kDoesNotExist:
      return !has_label;
  }
  return false;
}

}  // namespace

bool LabelSelector::Matches(const kube::StringMap& labels) const {
  const bool has_all = std::ranges::all_of(match_labels, [&](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  });
  return has_all && std::ranges::all_of(match_expressions, [&](const auto& requirement) {
           return Holds(requirement, labels);
         });
}

}  // namespace tracekeeper::api
