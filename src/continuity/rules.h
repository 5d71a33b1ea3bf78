#pragma once
// Rules are what a policy says about judging: where traces may begin with a foreign parent, and
// what counts nowhere.
//
// Threads:  immutable once made.
// Source:   slo.entrypoints and slo.exclude of a policy.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/continuity/shape.h"

namespace tracekeeper::continuity {

/// Texts to look for; one that ends with * means all that begin so.
class NameList {
 public:
  NameList() = default;
  explicit NameList(const std::vector<std::string>& patterns);

  [[nodiscard]] bool Has(std::string_view text) const;
  [[nodiscard]] bool empty() const { return exact_.empty() && prefixes_.empty(); }

 private:
  std::set<std::string, std::less<>> exact_;
  std::vector<std::string> prefixes_;
};

struct Rules {
  NameList entrypoints;  // services
  NameList excluded_services;
  NameList excluded_scopes;
  NameList excluded_span_names;

  [[nodiscard]] bool Excludes(const Shape& shape, const Names& names) const;
  /// Spans are filtered on their way to us.
  [[nodiscard]] bool FiltersSpans() const {
    return !excluded_scopes.empty() || !excluded_span_names.empty();
  }
};

}  // namespace tracekeeper::continuity
