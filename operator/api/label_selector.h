#pragma once
// LabelSelector: the part of metav1.LabelSelector that policies use, which is all of it.

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
#include "src/codec/fields.h"
#include "src/kube/meta.h"

namespace tracekeeper::api {

enum class SelectorOperator { kIn, kNotIn, kExists, kDoesNotExist };

consteval auto ValuesOf(SelectorOperator) {
  using codec::EnumValue;
  return std::array{
      EnumValue{SelectorOperator::kIn, "In", "the label has one of the values"},
      EnumValue{SelectorOperator::kNotIn, "NotIn", "the label is absent or has another value"},
      EnumValue{SelectorOperator::kExists, "Exists", "the label is there"},
      EnumValue{SelectorOperator::kDoesNotExist, "DoesNotExist", "the label is absent"},
  };
}

struct LabelRequirement {
  std::string key;
  SelectorOperator op = SelectorOperator::kIn;
  std::vector<std::string> values;

  bool operator==(const LabelRequirement&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("key", &LabelRequirement::key,
              {.doc = "The label that is looked at.",
               .required = true,
               .max_length = 317,
               .example = "app.kubernetes.io/name",
               .rules = kLabelKeyRules}),
        Field("operator", &LabelRequirement::op,
              {.doc = "How the label is compared with `values`.",
               .required = true,
               .schema_default = false}),
        Field("values", &LabelRequirement::values,
              {.doc = "Needed with In and NotIn, absent with Exists and DoesNotExist.",
               .max_items = 64,
               .item_max_length = 253,
               .item_rules = kLabelValueRules}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "self.operator in ['In', 'NotIn'] ? has(self.values) && self.values.size() > 0 "
                    ": !has(self.values) || self.values.size() == 0",
      .message_expression =
          "self.operator in ['In', 'NotIn'] ? 'operator ' + self.operator + ' needs at "
          "least one entry in values; to ask only whether the label is there, write "
          "Exists' : 'operator ' + self.operator + ' looks at the key alone: remove "
          "values, or write In'",
      .field_path = ".values"}};
};

struct LabelSelector {
  kube::StringMap match_labels;
  std::vector<LabelRequirement> match_expressions;

  bool operator==(const LabelSelector&) const = default;

  /// An empty selector selects everything.
  [[nodiscard]] bool Matches(const kube::StringMap& labels) const;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("matchLabels", &LabelSelector::match_labels,
              {.doc = "Labels that must be there with these values. All must match.",
               .max_properties = 64,
               .item_max_length = 253,
               .example = "{app: checkout}",
               .rules = kLabelKeysRules,
               .item_rules = kLabelValueRules}),
        Field("matchExpressions", &LabelSelector::match_expressions,
              {.doc = "Requirements on labels. All must hold, with those of `matchLabels`.",
               .max_items = 32}),
    };
  }
};

}  // namespace tracekeeper::api
