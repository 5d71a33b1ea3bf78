#pragma once
// Ratio and Quantity: values of a policy that are text in the document, because a float would not
// come back as it was written.
//
// Threads:  plain values.
// Failure:  FromText says what may stand there; the CRD refuses the same at apply.

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

/// A share between 0 and 1 in decimal digits: "0.25". Text and value agree.
class Ratio {
 public:
  Ratio() = default;  // "1": all of it
  static Result<Ratio> FromText(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] double value() const { return value_; }

  bool operator==(const Ratio& other) const = default;

 private:
  Ratio(std::string text, double value) : text_(std::move(text)), value_(value) {}

  std::string text_ = "1";
  double value_ = 1;
};

/// A Kubernetes resource quantity as the user wrote it: "100m", "64Mi", "1".
class Quantity {
 public:
  Quantity() = default;
  static Result<Quantity> FromText(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }

  bool operator==(const Quantity& other) const = default;

 private:
  explicit Quantity(std::string text) : text_(std::move(text)) {}

  std::string text_ = "0";
};

}  // namespace tracekeeper::api

namespace tracekeeper::codec {

template <>
struct TextScalar<api::Ratio> {
  static Result<api::Ratio> FromText(std::string_view text) { return api::Ratio::FromText(text); }
  static std::string ToText(const api::Ratio& ratio) { return ratio.text(); }
  static constexpr std::array kRules = {
      Rule{.expression = "self.matches('^(0([.][0-9]{1,9})?|1([.]0{1,9})?)$')",
           .message_expression =
               "'ratio \"' + self + '\" must be a decimal between \"0\" and \"1\" with "
               "at most 9 digits after the point, in quotes: write \"0.25\" for a "
               "quarter'"}};
  static constexpr TextSchema kSchema{.max_length = 16, .rules = kRules};
};

template <>
struct TextScalar<api::Quantity> {
  static Result<api::Quantity> FromText(std::string_view text) {
    return api::Quantity::FromText(text);
  }
  static std::string ToText(const api::Quantity& quantity) { return quantity.text(); }
  static constexpr TextSchema kSchema{.max_length = 32, .int_or_string = true};
};

}  // namespace tracekeeper::codec
