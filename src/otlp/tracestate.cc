#include "src/otlp/tracestate.h"

#include <algorithm>
#include <vector>

namespace tracekeeper::otlp {
namespace {

constexpr std::size_t kDigits = 14;  // of 56 bits
constexpr std::size_t kMaxEntries = 32;
constexpr std::string_view kOtKey = "ot=";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Calls `use` with each part of `text` between separators.
template <typename Use>
void ForEachPart(std::string_view text, char separator, Use use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

/// Digits count from the left: "8" is 0x80000000000000.
std::optional<std::uint64_t> ReadLeftAligned(std::string_view text) {
  if (text.empty() || text.size() > kDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kDigits; ++i) {
    const auto digit = i < text.size() ? HexDigit(text[i]) : std::optional(0U);
    if (!digit) return std::nullopt;
    value = value << 4U | *digit;
  }
  return value;
}

bool IsOtEntry(std::string_view entry) { return Trim(entry).starts_with(kOtKey); }

}  // namespace

OtEntry ReadOtEntry(std::string_view tracestate) {
  OtEntry result;
  ForEachPart(tracestate, ',', [&](std::string_view entry) {
    if (result.is_present || !IsOtEntry(entry)) return;
    result.is_present = true;
    ForEachPart(Trim(entry).substr(kOtKey.size()), ';', [&](std::string_view text) {
      const std::string_view field = Trim(text);
      if (field.starts_with("th:")) result.threshold = ReadLeftAligned(field.substr(3));
      const std::string_view digits = field.starts_with("rv:") ? field.substr(3) : "";
      if (digits.size() == kDigits) result.randomness = ReadLeftAligned(digits);
    });
  });
  return result;
}

std::string ThresholdText(std::uint64_t threshold) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < kDigits; ++i) {
    text.push_back(kHex[threshold >> (4U * (kDigits - 1 - i)) & 0xFU]);
  }
  text.erase(text.find_last_not_of('0') == std::string::npos ? 1 : text.find_last_not_of('0') + 1);
  return text;
}

std::string WithThreshold(std::string_view tracestate, std::uint64_t threshold) {
  std::string ot = std::string(kOtKey) + "th:" + ThresholdText(threshold);
  std::string rest;
  std::size_t entries = 1;
  bool found = false;
  ForEachPart(tracestate, ',', [&](std::string_view entry) {
    if (IsOtEntry(entry)) {
      if (found) return;  // a second one is against the rules and is not passed on
      found = true;
      ForEachPart(Trim(entry).substr(kOtKey.size()), ';', [&](std::string_view text) {
        const std::string_view field = Trim(text);
        if (!field.empty() && !field.starts_with("th:")) ot.append(";").append(field);
      });
      return;
    }
    if (Trim(entry).empty() || entries == kMaxEntries) return;
    ++entries;
    rest.append(",").append(Trim(entry));
  });
  return ot + rest;
}

}  // namespace tracekeeper::otlp
