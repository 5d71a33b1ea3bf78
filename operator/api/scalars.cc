#include "operator/api/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tracekeeper::api {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Ratio> Ratio::FromText(std::string_view text) {
  constexpr std::size_t kMaxDigits = 9;
  const std::string_view fraction = text.substr(std::min<std::size_t>(text.size(), 2));
  const bool has_form = text == "0" || text == "1" ||
                        ((text.starts_with("0.") || text.starts_with("1.")) && !fraction.empty() &&
                         fraction.size() <= kMaxDigits && std::ranges::all_of(fraction, IsDigit));
  double value = 0;
  if (has_form) std::from_chars(text.data(), text.data() + text.size(), value);
  if (!has_form || value > 1) {
    return Fail(ErrorKind::kInvalid,
                "ratio \"{}\" must be a decimal between \"0\" and \"1\" with at most {} digits "
                "after the point, such as \"0.25\"",
                text, kMaxDigits);
  }
  return Ratio(std::string(text), value);
}

Result<Quantity> Quantity::FromText(std::string_view text) {
  // Sign and digits with at most one point, then an SI, binary or exponent suffix.
  constexpr std::array<std::string_view, 15> kSuffixes = {
      "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi"};
  const auto end_of_number =
      std::ranges::find_if_not(text, [](char c) { return IsDigit(c) || c == '.'; });
  const auto number = text.substr(0, static_cast<std::size_t>(end_of_number - text.begin()));
  std::string_view suffix = text.substr(number.size());
  const bool has_number =
      std::ranges::any_of(number, IsDigit) && std::ranges::count(number, '.') <= 1;
  bool has_suffix = suffix == "Ei" || std::ranges::find(kSuffixes, suffix) != kSuffixes.end();
  if (!has_suffix && (suffix.starts_with('e') || suffix.starts_with('E'))) {
    suffix.remove_prefix(1);
    if (suffix.starts_with('+') || suffix.starts_with('-')) suffix.remove_prefix(1);
    has_suffix = !suffix.empty() && suffix.size() <= 2 && std::ranges::all_of(suffix, IsDigit);
  }
  if (!has_number || !has_suffix) {
    return Fail(ErrorKind::kInvalid,
                "quantity \"{}\" must be a number with an optional unit, such as \"100m\" or "
                "\"64Mi\"",
                text);
  }
  return Quantity(std::string(text));
}

}  // namespace tracekeeper::api
