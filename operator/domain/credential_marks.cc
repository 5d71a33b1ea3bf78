#include "operator/domain/credential_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tracekeeper::domain {

CredentialMarks ParseCredentialMarks(std::string_view text) {
  CredentialMarks marks;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view mark = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = mark.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    const std::string_view digits = mark.substr(equals + 1);
    std::int64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    if (is_whole && number > 0) marks.insert_or_assign(std::string(mark.substr(0, equals)), number);
  }
  return marks;
}

std::string FormatCredentialMarks(const CredentialMarks& marks) {
  std::string text;
  for (const auto& [name, number] : marks) {
    fmt::format_to(std::back_inserter(text), "{}{}={}", text.empty() ? "" : ",", name, number);
  }
  return text;
}

}  // namespace tracekeeper::domain
