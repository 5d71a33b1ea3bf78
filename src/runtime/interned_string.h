#pragma once
// InternedString is an 8-byte handle on one of the strings of an InternTable. A cache of pods
// repeats its namespaces, nodes and label keys thousands of times: each is stored once.
//
// A handle counts its own references and may be copied, read and dropped on any thread, also after
// the table is gone. That is what objects need that readers of a Store keep as shared_ptr.
//
// Threads:  Intern() takes the table's lock. Reading and copying a handle takes none; dropping the
//           last one takes it.
// Memory:   a string is freed with its last handle.

#include <cstddef>
#include <string_view>
#include <utility>

namespace tracekeeper::runtime {

class InternTable;

class InternedString {
 public:
  InternedString() = default;  // empty
  InternedString(const InternedString& other) noexcept;
  InternedString(InternedString&& other) noexcept : node_(other.node_) { other.node_ = nullptr; }
  InternedString& operator=(InternedString other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~InternedString();

  [[nodiscard]] std::string_view view() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return node_ == nullptr; }

  /// Handles of one table are equal when their strings are.
  bool operator==(const InternedString& other) const noexcept { return node_ == other.node_; }

 private:
  friend class InternTable;
  struct Node;
  explicit InternedString(Node* node) : node_(node) {}

  Node* node_ = nullptr;
};

class InternTable {
 public:
  InternTable();
  ~InternTable();
  InternTable(const InternTable&) = delete;
  InternTable& operator=(const InternTable&) = delete;

  [[nodiscard]] InternedString Intern(std::string_view text);
  /// Distinct strings that somebody holds.
  [[nodiscard]] std::size_t size() const;

 private:
  friend class InternedString;
  struct State;
  State* state_;  // freed by the table or the last handle, whichever goes last
};

}  // namespace tracekeeper::runtime
