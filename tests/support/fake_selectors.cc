#include "tests/support/fake_selectors.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace tracekeeper::test_support {
namespace {

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Parts between commas that stand in no brackets.
std::vector<std::string_view> SplitRequirements(std::string_view selector) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= selector.size(); ++i) {
    const char c = i < selector.size() ? selector[i] : ',';
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != ',' || depth > 0) continue;
    if (const auto part = Trim(selector.substr(start, i - start)); !part.empty()) {
      parts.push_back(part);
    }
    start = i + 1;
  }
  return parts;
}

bool IsOneOf(std::optional<std::string_view> value, std::string_view list) {
  list.remove_prefix(list.find('(') + 1);
  list.remove_suffix(1);
  const auto values = SplitRequirements(list);
  return value && std::find(values.begin(), values.end(), *value) != values.end();
}

/// `lookup` gives the value of a key, where there is one.
template <typename Lookup>
bool Holds(std::string_view part, const Lookup& lookup) {
  if (const auto at = part.find(" notin "); at != std::string_view::npos) {
    return !IsOneOf(lookup(Trim(part.substr(0, at))), part.substr(at));
  }
  if (const auto at = part.find(" in "); at != std::string_view::npos) {
    return IsOneOf(lookup(Trim(part.substr(0, at))), part.substr(at));
  }
  if (const auto at = part.find("!="); at != std::string_view::npos && at > 0) {
    return lookup(Trim(part.substr(0, at))) != Trim(part.substr(at + 2));
  }
  if (const auto at = part.find('='); at != std::string_view::npos) {
    const std::size_t value = part.substr(at).starts_with("==") ? at + 2 : at + 1;
    return lookup(Trim(part.substr(0, at))) == Trim(part.substr(value));
  }
  if (part.starts_with('!')) return !lookup(Trim(part.substr(1)));
  return lookup(part).has_value();
}

}  // namespace

bool MatchesLabels(std::string_view selector, codec::JsonValue object) {
  const codec::JsonValue labels = object["metadata"]["labels"];
  const auto parts = SplitRequirements(selector);
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return Holds(part, [&](std::string_view key) { return labels[key].String(); });
  });
}

bool MatchesFields(std::string_view selector, codec::JsonValue object) {
  const auto parts = SplitRequirements(selector);
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return Holds(part, [&](std::string_view path) {
      codec::JsonValue value = object;
      while (!path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        value = value[path.substr(0, dot)];
        path.remove_prefix(std::min(dot + 1, path.size()));
      }
      // A field that is not set selects as the empty string.
      return std::optional<std::string_view>(value.StringOr(""));
    });
  });
}

}  // namespace tracekeeper::test_support
