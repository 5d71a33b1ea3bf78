#include "src/analysis/label_text.h"

#include "src/codec/json_check.h"

namespace tracekeeper::analysis {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "…";

bool IsControl(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code < 0x20 || code == 0x7F;
}

}  // namespace

std::string LabelText(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = codec::Utf8SequenceLength(text, at);
    const bool is_bad = length == 0 || (length == 1 && IsControl(text[at]));
    const std::string_view piece = is_bad ? kReplacement : text.substr(at, length);
    const bool is_last = at + (is_bad ? 1 : length) >= text.size();
    const std::size_t room = kMaxLabelBytes - (is_last ? 0 : kEllipsis.size());
    if (result.size() + piece.size() > room) return result += kEllipsis;
    result += piece;
    at += is_bad ? 1 : length;
  }
  return result;
}

std::string PolicyLabels::text() const {
  return namespace_name.empty() ? name : namespace_name + "/" + name;
}

PolicyLabels PolicyLabelsOf(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {.namespace_name = {}, .name = LabelText(text)};
  return {.namespace_name = LabelText(text.substr(0, slash)),
          .name = LabelText(text.substr(slash + 1))};
}

}  // namespace tracekeeper::analysis
