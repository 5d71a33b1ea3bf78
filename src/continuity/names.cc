#include "src/continuity/names.h"

namespace tracekeeper::continuity {

Names::Names() { Intern({}); }

NameId Names::Intern(std::string_view text) {
  const auto found = ids_.find(text);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<NameId>(texts_.size());
  const std::string& kept = texts_.emplace_back(text);
  ids_.emplace(kept, id);
  return id;
}

}  // namespace tracekeeper::continuity
