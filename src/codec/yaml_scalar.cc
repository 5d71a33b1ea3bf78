#include "src/codec/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace tracekeeper::codec {
namespace {

template <std::size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

constexpr std::array<std::string_view, 5> kNulls = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 11> kTrues = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                                     "on",   "On",   "ON",   "y",   "Y"};
constexpr std::array<std::string_view, 11> kFalses = {"false", "False", "FALSE", "no", "No", "NO",
                                                      "off",   "Off",   "OFF",   "n",  "N"};
constexpr std::array<std::string_view, 12> kNotFinite = {".inf",  ".Inf",  ".INF",  "+.inf",
                                                         "+.Inf", "+.INF", "-.inf", "-.Inf",
                                                         "-.INF", ".nan",  ".NaN",  ".NAN"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The base that a prefix names, which is taken off: 0x, 0b, 0o, and 0 alone for octal.
int TakeBase(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char letter = digits[1];
  const int base = letter == 'x' || letter == 'X'   ? 16
                   : letter == 'b' || letter == 'B' ? 2
                   : letter == 'o' || letter == 'O' ? 8
                                                    : 0;
  digits.remove_prefix(base != 0 ? 2 : 1);
  return base != 0 ? base : 8;
}

std::optional<std::int64_t> ToInteger(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const int base = TakeBase(text);
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kLimit = 1ULL << 63;
  if (magnitude > kLimit || (magnitude == kLimit && !is_negative)) return std::nullopt;
  return static_cast<std::int64_t>(is_negative ? 0 - magnitude : magnitude);
}

// [-+]? (. digits | digits (. digits?)?) ([eE] [-+]? digits)?
bool HasFloatForm(std::string_view text) {
  const auto take_digits = [&text] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  const auto take_sign = [&text] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  take_sign();
  const bool has_integer = take_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits() && !has_integer) return false;
  } else if (!has_integer) {
    return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    take_sign();
    if (!take_digits()) return false;
  }
  return text.empty();
}

std::optional<double> ToDouble(std::string_view text) {
  if (!HasFloatForm(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

YamlScalar ResolveYamlScalar(std::string_view plain) {
  if (IsOneOf(plain, kNulls)) return YamlNull{};
  const char first = plain.front();
  if (!IsDigit(first) && first != '-' && first != '+' && first != '.') {
    if (IsOneOf(plain, kTrues)) return true;
    if (IsOneOf(plain, kFalses)) return false;
    return YamlText{};
  }
  if (IsOneOf(plain, kNotFinite)) return YamlNotFinite{};
  std::string digits(plain);
  std::erase(digits, '_');
  if (const auto integer = ToInteger(digits)) return *integer;
  const auto number = ToDouble(digits);
  if (!number) return YamlText{};
  // kubectl goes through JSON, where 1e3 is the integer 1000.
  constexpr double kIntegerLimit = 0x1p63;
  const bool is_integer = std::abs(*number) < kIntegerLimit && std::trunc(*number) == *number;
  if (is_integer) return static_cast<std::int64_t>(*number);
  return *number;
}

}  // namespace tracekeeper::codec
