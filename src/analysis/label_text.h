#pragma once
// LabelText makes of what programs call themselves what scrapers and readers of JSON can take:
// valid UTF-8 of bounded length. A service may name itself in any bytes, and one wrong byte would
// cost the whole scrape.
//
// Threads:  pure functions.

#include <compare>
#include <string>
#include <string_view>

namespace tracekeeper::analysis {

inline constexpr std::size_t kMaxLabelBytes = 200;

/// What is no UTF-8, and control characters, as U+FFFD; what is too long ends with "…".
std::string LabelText(std::string_view text);

/// A policy as metrics name it. Both empty: none.
struct PolicyLabels {
  std::string namespace_name;
  std::string name;

  auto operator<=>(const PolicyLabels&) const = default;
  [[nodiscard]] bool is_none() const { return namespace_name.empty() && name.empty(); }
  /// "namespace/name"; empty for none.
  [[nodiscard]] std::string text() const;
};

/// Of "namespace/name"; what has no slash is a name.
PolicyLabels PolicyLabelsOf(std::string_view text);

}  // namespace tracekeeper::analysis
