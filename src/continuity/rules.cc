#include "src/continuity/rules.h"

#include <algorithm>

namespace tracekeeper::continuity {

NameList::NameList(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (pattern.ends_with('*')) {
      prefixes_.push_back(pattern.substr(0, pattern.size() - 1));
    } else {
      exact_.insert(pattern);
    }
  }
}

bool NameList::Has(std::string_view text) const {
  return exact_.contains(text) || std::ranges::any_of(prefixes_, [text](const std::string& prefix) {
           return text.starts_with(prefix);
         });
}

bool Rules::Excludes(const Shape& shape, const Names& names) const {
  return excluded_services.Has(names.Text(shape.service)) ||
         excluded_scopes.Has(names.Text(shape.scope)) ||
         excluded_span_names.Has(names.Text(shape.name));
}

void PolicyRules::Add(std::string policy, Rules rules) {
  by_policy_.insert_or_assign(std::move(policy), std::move(rules));
}

const Rules& PolicyRules::Of(const Shape& shape, const Names& names) const {
  if (shape.policy == 0 || by_policy_.empty()) return of_others_;
  const auto found = by_policy_.find(names.Text(shape.policy));
  return found == by_policy_.end() ? of_others_ : found->second;
}

}  // namespace tracekeeper::continuity
