#pragma once
// Names are the texts of spans, each kept once and known by a number from then on: services,
// instances, scopes, span names, addresses. 0 is the empty text.
//
// Numbers depend on the order of arrival, so nothing that must come out the same in every order may
// compare them for less or more: compare Text().
//
// Threads:  Intern by one thread at a time; Text from any thread that got the number from it in a
//           way that orders memory (a queue, a join).
// Owner:    texts live as long as this does and never move.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tracekeeper::continuity {

using NameId = std::uint32_t;

class Names {
 public:
  Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  NameId Intern(std::string_view text);
  [[nodiscard]] std::string_view Text(NameId id) const { return texts_[id]; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, NameId> ids_;
};

}  // namespace tracekeeper::continuity
