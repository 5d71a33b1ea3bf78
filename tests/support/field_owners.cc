#include "tests/support/field_owners.h"

#include <algorithm>

namespace tracekeeper::test_support {
namespace {

struct KeyedList {
  std::string_view name;
  std::string_view key;
};
constexpr KeyedList kKeyedLists[] = {{"conditions", "type"},    {"webhooks", "name"},
                                     {"containers", "name"},    {"initContainers", "name"},
                                     {"volumes", "name"},       {"env", "name"},
                                     {"ownerReferences", "uid"}};

/// Fields that name the object or belong to the server.
bool IsIdentity(const std::vector<std::string>& path) {
  static const std::set<std::vector<std::string>> paths{{"apiVersion"},
                                                        {"kind"},
                                                        {"metadata", "name"},
                                                        {"metadata", "namespace"},
                                                        {"metadata", "uid"},
                                                        {"metadata", "resourceVersion"},
                                                        {"metadata", "generation"},
                                                        {"metadata", "creationTimestamp"},
                                                        {"metadata", "managedFields"},
                                                        {"metadata", "deletionTimestamp"}};
  return paths.contains(path);
}

std::string_view KeyOfList(std::string_view name) {
  for (const KeyedList& list : kKeyedLists) {
    if (list.name == name) return list.key;
  }
  return "";
}

/// Steps into lists begin with a marker that no member name has.
constexpr char kItemMark = '\x01';   // then KEY=VALUE of a keyed list
constexpr char kValueMark = '\x02';  // then the value in a set

JsonTree* FindItem(JsonTree& list, std::string_view step) {
  const std::size_t equals = step.find('=');
  const std::string_view key = step.substr(1, equals - 1);
  for (JsonTree& element : list.elements()) {
    if (element.TextAt({key}) == step.substr(equals + 1)) return &element;
  }
  return nullptr;
}

JsonTree* FindStep(JsonTree& tree, const std::string& step) {
  if (step.front() == kItemMark) return FindItem(tree, step);
  if (step.front() != kValueMark) return tree.Find(step);
  for (JsonTree& element : tree.elements()) {
    if (element.text() == std::string_view(step).substr(1)) return &element;
  }
  return nullptr;
}

JsonTree& MakeStep(JsonTree& tree, const std::string& step) {
  if (JsonTree* found = FindStep(tree, step)) return *found;
  if (step.front() != kItemMark && step.front() != kValueMark) return tree[step];
  if (!tree.is_array()) tree = JsonTree::EmptyArray();
  JsonTree item;
  if (step.front() == kItemMark) {
    const std::size_t equals = step.find('=');
    item[step.substr(1, equals - 1)] = JsonTree::FromText(step.substr(equals + 1));
  } else {
    item = JsonTree::FromText(step.substr(1));
  }
  return tree.elements().emplace_back(std::move(item));
}

}  // namespace

void FieldOwners::Collect(const JsonTree& tree, Path& path, Leaves& leaves) {
  if (IsIdentity(path)) return;
  const std::string_view key = path.empty() ? "" : KeyOfList(path.back());
  if (tree.is_object() && !tree.members().empty()) {
    for (const auto& [name, member] : tree.members()) {
      path.push_back(name.empty() ? " " : name);
      Collect(member, path, leaves);
      path.pop_back();
    }
    return;
  }
  if (tree.is_array() && !key.empty()) {
    for (const JsonTree& element : tree.elements()) {
      path.push_back(kItemMark + std::string(key) + "=" + element.TextAt({key}));
      Collect(element, path, leaves);
      path.pop_back();
    }
    return;
  }
  if (tree.is_array() && !path.empty() && path.back() == "finalizers") {
    for (const JsonTree& element : tree.elements()) {
      path.push_back(kValueMark + element.text());
      leaves.emplace(path, element);
      path.pop_back();
    }
    return;
  }
  leaves.emplace(path, tree);
}

FieldOwners::Leaves FieldOwners::LeavesOf(const JsonTree& object) {
  Leaves leaves;
  Path path;
  Collect(object, path, leaves);
  return leaves;
}

const JsonTree* FieldOwners::At(const JsonTree& object, const Path& path) {
  JsonTree* tree = const_cast<JsonTree*>(&object);
  for (const std::string& step : path) {
    tree = FindStep(*tree, step);
    if (tree == nullptr) return nullptr;
  }
  return tree;
}

void FieldOwners::SetAt(JsonTree& object, const Path& path, const JsonTree& value) {
  JsonTree* tree = &object;
  for (const std::string& step : path) tree = &MakeStep(*tree, step);
  *tree = value;
}

void FieldOwners::EraseAt(JsonTree& object, const Path& path) {
  JsonTree* parent = &object;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    parent = FindStep(*parent, path[i]);
    if (parent == nullptr) return;
  }
  const JsonTree* found = FindStep(*parent, path.back());
  if (found == nullptr) return;
  if (parent->is_object()) {
    parent->Erase(path.back());
  } else {
    parent->elements().erase(parent->elements().begin() + (found - parent->elements().data()));
  }
  const bool is_item =
      parent->is_object() && path.size() > 1 && path[path.size() - 2].front() == kItemMark;
  // An item of which only its key is left, or nothing, belongs to nobody any more.
  if (is_item && parent->members().empty()) EraseAt(object, Path(path.begin(), path.end() - 1));
}

std::string FieldOwners::TextOf(const Path& path) {
  std::string text;
  for (const std::string& step : path) {
    if (step.front() == kItemMark) {
      const std::size_t equals = step.find('=');
      text += "[" + step.substr(1, equals - 1) + "=\"" + step.substr(equals + 1) + "\"]";
    } else {
      text += "." + step;
    }
  }
  return text;
}

bool FieldOwners::IsOwnedByOthers(const Path& path, const std::string& manager) const {
  return std::any_of(by_manager_.begin(), by_manager_.end(), [&](const auto& entry) {
    return entry.first != manager && entry.second.contains(path);
  });
}

std::vector<FieldConflict> FieldOwners::Apply(JsonTree& live, const JsonTree& applied,
                                              const std::string& manager, bool is_forced) {
  const Leaves leaves = LeavesOf(applied);
  std::vector<FieldConflict> conflicts;
  for (const auto& [path, value] : leaves) {
    const JsonTree* now = At(live, path);
    if (now == nullptr || *now == value) continue;
    for (auto& [other, paths] : by_manager_) {
      if (other == manager || !paths.contains(path)) continue;
      conflicts.push_back({other, TextOf(path)});
    }
  }
  if (!conflicts.empty() && !is_forced) return conflicts;
  std::set<Path> owned;
  for (const auto& [path, value] : leaves) {
    const JsonTree* now = At(live, path);
    if (now != nullptr && !(*now == value)) {
      for (auto& [other, paths] : by_manager_) paths.erase(path);
    }
    SetAt(live, path, value);
    owned.insert(path);
  }
  std::set<Path>& before = by_manager_[manager];
  for (const Path& path : before) {
    if (!owned.contains(path) && !IsOwnedByOthers(path, manager)) EraseAt(live, path);
  }
  before = std::move(owned);
  return {};
}

void FieldOwners::RecordUpdate(const JsonTree& before, const JsonTree& after,
                               const std::string& manager) {
  const Leaves old_leaves = LeavesOf(before);
  const Leaves new_leaves = LeavesOf(after);
  for (const auto& [path, value] : new_leaves) {
    const auto old = old_leaves.find(path);
    if (old != old_leaves.end() && old->second == value) continue;
    for (auto& [other, paths] : by_manager_) paths.erase(path);
    by_manager_[manager].insert(path);
  }
  for (const auto& [path, value] : old_leaves) {
    if (new_leaves.contains(path)) continue;
    for (auto& [other, paths] : by_manager_) paths.erase(path);
  }
}

}  // namespace tracekeeper::test_support
