#pragma once
// StringPool keeps one copy of each distinct string and hands out small ids for it: namespaces,
// label keys, images and node names repeat thousands of times in a cache of pods.
//
// Threads:  Intern() and Release() need outside locking (the store's lock); View() of an id that
//           is still held is safe beside them.
// Owner:    the store; ids die with it.
// Memory:   strings are reference-counted; a string is freed when its last holder releases it.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tracekeeper {

class StringPool {
 public:
  using Id = std::uint32_t;
  static constexpr Id kEmpty = 0;

  StringPool();

  /// The id of `text`; the caller holds one reference more.
  Id Intern(std::string_view text);
  /// Gives one reference back.
  void Release(Id id);
  [[nodiscard]] std::string_view View(Id id) const { return entries_[id].text; }
  /// The id of `text` if anybody holds it.
  [[nodiscard]] bool Find(std::string_view text, Id& id) const;
  [[nodiscard]] std::size_t size() const { return by_text_.size(); }

 private:
  struct Entry {
    std::string text;
    std::uint32_t references = 0;
  };

  std::deque<Entry> entries_;  // a deque: views stay valid while it grows
  std::vector<Id> free_;
  std::unordered_map<std::string_view, Id> by_text_;
};

}  // namespace tracekeeper
