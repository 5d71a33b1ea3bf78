#pragma once
// FieldOwners is server-side apply as the fake API server knows it: who set which field of one
// object, and what happens when another applies it. Lists of conditions, webhooks, containers,
// volumes, variables and owner references are maps by key, finalizers a set; other lists are one
// value.
//
// Threads:  a value; one thread at a time.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/json_tree.h"

namespace tracekeeper::test_support {

struct FieldConflict {
  std::string manager;
  std::string field;  // ".data.k"
};

class FieldOwners {
 public:
  /// Merges what `manager` applies into `live`. With conflicts, and not forced, nothing changes and
  /// they are returned.
  std::vector<FieldConflict> Apply(JsonTree& live, const JsonTree& applied,
                                   const std::string& manager, bool is_forced);

  /// Another kind of write took `before` to `after`: what it changed is `manager`'s.
  void RecordUpdate(const JsonTree& before, const JsonTree& after, const std::string& manager);

 private:
  using Path = std::vector<std::string>;
  using Leaves = std::map<Path, JsonTree>;

  static void Collect(const JsonTree& tree, Path& path, Leaves& leaves);
  static Leaves LeavesOf(const JsonTree& object);
  static const JsonTree* At(const JsonTree& object, const Path& path);
  static void SetAt(JsonTree& object, const Path& path, const JsonTree& value);
  static void EraseAt(JsonTree& object, const Path& path);
  static std::string TextOf(const Path& path);
  [[nodiscard]] bool IsOwnedByOthers(const Path& path, const std::string& manager) const;

  std::map<std::string, std::set<Path>> by_manager_;
};

}  // namespace tracekeeper::test_support
