#pragma once
// PodPatch writes a JSON Patch that adds. A list that is absent, null or empty is made with all its
// new members at once, since `add` to a position of it would fail; one that is there is never
// written as a whole, since that would replace the user's.
//
// Threads:  one thread at a time.

#include <span>
#include <string>
#include <string_view>

#include "src/codec/json_value.h"

namespace tracekeeper::domain {

enum class Position { kFront, kBack };

class PodPatch {
 public:
  void Add(std::string_view path, std::string_view json);
  /// The new text of a list-valued variable: the one thing that is ever replaced.
  void Replace(std::string_view path, std::string_view json);
  /// Adds `items`, each JSON, in their order, to the list `existing` at `path`.
  void AddToList(std::string_view path, const codec::JsonValue& existing,
                 std::span<const std::string> items, Position position);

  [[nodiscard]] bool empty() const { return text_.empty(); }
  /// The patch as an array; empty text when there is nothing in it.
  [[nodiscard]] std::string Take();

 private:
  void Operation(std::string_view op, std::string_view path, std::string_view json);

  std::string text_;
};

/// "/spec/containers/2/env" and the like.
std::string ContainerPath(bool init, std::size_t index, std::string_view member);

}  // namespace tracekeeper::domain
