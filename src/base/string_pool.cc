#include "src/base/string_pool.h"

namespace tracekeeper {

StringPool::StringPool() {
  entries_.push_back({"", 1});
  by_text_.emplace(entries_.front().text, kEmpty);
}

StringPool::Id StringPool::Intern(std::string_view text) {
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    if (found->second != kEmpty) ++entries_[found->second].references;
    return found->second;
  }
  Id id;
  if (free_.empty()) {
    id = static_cast<Id>(entries_.size());
    entries_.push_back({std::string(text), 1});
  } else {
    id = free_.back();
    free_.pop_back();
    entries_[id] = {std::string(text), 1};
  }
  by_text_.emplace(entries_[id].text, id);
  return id;
}

void StringPool::Release(Id id) {
  if (id == kEmpty || --entries_[id].references > 0) return;
  by_text_.erase(entries_[id].text);
  entries_[id].text = std::string();
  free_.push_back(id);
}

bool StringPool::Find(std::string_view text, Id& id) const {
  const auto found = by_text_.find(text);
  if (found == by_text_.end()) return false;
  id = found->second;
  return true;
}

}  // namespace tracekeeper
