#include "src/vault/failure.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracekeeper::vault {
namespace {

constexpr std::size_t kLongestDetail = 240;
// Tokens, UUIDs, JWTs and keys are longer than this and have a digit; words of a sentence do not.
constexpr std::size_t kLongestPlainWord = 19;
constexpr std::string_view kLeftOut = "[left out]";

constexpr bool RowsStandInOrder() {
  for (std::size_t at = 0; at < kFailures.size(); ++at) {
    if (static_cast<std::size_t>(kFailures[at].failure) != at) return false;
  }
  return true;
}
static_assert(RowsStandInOrder(), "RowOf() finds a row by the number of its failure");

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsWordCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
         c == '.' || c == '+' || c == '=' || c == '%';
}

/// A path has slashes; a secret in Base64 may have some too, but long pieces between them.
bool MayBeSecret(std::string_view word) {
  return word.size() > kLongestPlainWord && std::any_of(word.begin(), word.end(), IsDigit);
}

}  // namespace

std::optional<Failure> FailureOf(const Error& error) {
  if (error.reason.empty()) return std::nullopt;
  for (const FailureRow& row : kFailures) {
    if (row.label == error.reason) return row.failure;
  }
  return std::nullopt;
}

Error MakeError(Failure failure, std::string_view tried, std::string_view detail) {
  const FailureRow& row = RowOf(failure);
  Error error;
  error.kind = row.kind;
  error.reason = row.label;
  error.message = detail.empty()
                      ? fmt::format("{}: {}: {}", tried, row.what, row.remedy)
                      : fmt::format("{}: {} ({}): {}", tried, row.what, detail, row.remedy);
  return error;
}

std::string Scrub(std::string_view text) {
  std::string out;
  const auto space = [&out] {
    if (!out.empty() && out.back() != ' ') out += ' ';
  };
  std::size_t at = 0;
  while (at < text.size() && out.size() < kLongestDetail) {
    const char c = text[at];
    if (IsWordCharacter(c)) {
      std::size_t end = at;
      while (end < text.size() && IsWordCharacter(text[end])) ++end;
      const std::string_view word = text.substr(at, end - at);
      out += MayBeSecret(word) ? kLeftOut : word;
      at = end;
      continue;
    }
    // Bytes of other alphabets become one space: a cut in the middle of one would be no UTF-8.
    if (c > ' ' && c <= '~') {
      out += c;
    } else {
      space();
    }
    ++at;
  }
  if (out.size() > kLongestDetail) out.resize(kLongestDetail);
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace tracekeeper::vault
