#pragma once
// LabelSelector decides whether a set of labels is meant: metav1.LabelSelector, compiled once and
// asked for every pod.
//
//   const LabelSelector selector({{"app", LabelSelector::Operator::kIn, {"cart", "shop"}}});
//   selector.Matches(labels)
//
// Threads:  immutable; safe from any thread.
// Failure:  none: what the API server refuses (an empty In) never gets here.
// Source:   k8s.io/apimachinery/pkg/labels: NotIn and DoesNotExist also match absent keys; a
//           selector without requirements matches everything.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/codec/json_value.h"
#include "src/kube/meta.h"

namespace tracekeeper::domain {

struct Label {
  std::string_view key;
  std::string_view value;
};

/// Labels by view, in any order; whoever holds the strings outlives the view.
using LabelsView = std::span<const Label>;

/// The members of a JSON object of strings as labels; empty for null and absent.
std::vector<Label> LabelsOf(const codec::JsonValue& object);
/// Views of a decoded map.
std::vector<Label> LabelsOf(const kube::StringMap& map);
/// The value of `key`, or null data when there is none: `.data() == nullptr`.
std::string_view FindLabel(LabelsView labels, std::string_view key);

class LabelSelector {
 public:
  enum class Operator : std::uint8_t { kIn, kNotIn, kExists, kDoesNotExist };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values = {};

    bool operator==(const Requirement&) const = default;
  };

  LabelSelector() = default;  // matches everything
  explicit LabelSelector(std::vector<Requirement> requirements);

  [[nodiscard]] bool Matches(LabelsView labels) const;
  [[nodiscard]] bool matches_everything() const { return requirements_.empty(); }
  [[nodiscard]] const std::vector<Requirement>& requirements() const { return requirements_; }
  /// As kubectl writes it: "app in (cart,shop),!legacy"; "everything" when it has no requirement.
  [[nodiscard]] std::string ToString() const;

  bool operator==(const LabelSelector&) const = default;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace tracekeeper::domain
