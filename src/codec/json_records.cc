#include "src/codec/json_records.h"

namespace tracekeeper::codec {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::size_t SkipBlanks(std::string_view text, std::size_t at) {
  while (at < text.size() && IsBlank(text[at])) ++at;
  return at;
}

/// Behind the string that begins at `at`; npos where it does not end.
std::size_t EndOfString(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

/// Behind the object or array that begins at `at`; npos where it does not end.
std::size_t EndOfNest(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = EndOfString(text, at);
      if (at == std::string_view::npos) return at;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return std::string_view::npos;
}

std::size_t EndOfWord(std::string_view text, std::size_t at) {
  constexpr std::string_view kEnds = ",:{}[]\" \n\r\t";
  const std::size_t end = text.find_first_of(kEnds, at);
  return end == std::string_view::npos ? text.size() : end;
}

auto Wrong(std::size_t at, std::string_view what) {
  return Fail(ErrorKind::kDecode, "JSON at byte {}: {}", at, what);
}

/// Takes one value, blanks before it included, off `text` from `at` on: the value's text; `at` then
/// stands behind it. Empty text: only blanks were left.
Result<std::string_view> TakeJsonValue(std::string_view text, std::size_t& at) {
  at = SkipBlanks(text, at);
  if (at == text.size()) return std::string_view();
  const std::size_t start = at;
  const char first = text[start];
  if (first == '{' || first == '[') {
    at = EndOfNest(text, start);
  } else if (first == '"') {
    at = EndOfString(text, start);
  } else {
    at = EndOfWord(text, start);
    if (at == start) return Wrong(start, "a value must stand here");
  }
  if (at == std::string_view::npos) {
    at = text.size();
    return Wrong(start, "the value that begins here does not end");
  }
  return text.substr(start, at - start);
}

}  // namespace

Status ForEachJsonDocument(std::string_view text, const OnJsonRecord& on_record) {
  std::size_t at = 0;
  while (true) {
    const std::string_view document = TRY(TakeJsonValue(text, at));
    if (document.empty()) return {};
    TRY(on_record(static_cast<std::size_t>(document.data() - text.data()), document));
  }
}

Status ForEachJsonElement(std::string_view array, const OnJsonRecord& on_record) {
  if (!array.starts_with('[')) return Wrong(0, "a list must stand here");
  std::size_t at = SkipBlanks(array, 1);
  if (at < array.size() && array[at] == ']') return {};
  while (true) {
    const std::string_view element = TRY(TakeJsonValue(array, at));
    if (element.empty()) return Wrong(at, "the list does not end");
    TRY(on_record(static_cast<std::size_t>(element.data() - array.data()), element));
    at = SkipBlanks(array, at);
    if (at < array.size() && array[at] == ']') return {};
    if (at == array.size() || array[at] != ',') return Wrong(at, "a , or ] must stand here");
    ++at;
  }
}

Result<std::optional<std::string_view>> FindJsonMember(std::string_view object,
                                                       std::string_view key) {
  if (!object.starts_with('{')) return Wrong(0, "an object must stand here");
  std::size_t at = SkipBlanks(object, 1);
  if (at < object.size() && object[at] == '}') return std::nullopt;
  while (true) {
    const std::string_view name = TRY(TakeJsonValue(object, at));
    at = SkipBlanks(object, at);
    if (name.size() < 2 || name.front() != '"' || at == object.size() || object[at] != ':') {
      return Wrong(at, "a member with its name must stand here");
    }
    ++at;
    const std::string_view value = TRY(TakeJsonValue(object, at));
    if (value.empty()) return Wrong(at, "the object does not end");
    if (name.substr(1, name.size() - 2) == key) return value;
    at = SkipBlanks(object, at);
    if (at < object.size() && object[at] == '}') return std::nullopt;
    if (at == object.size() || object[at] != ',') return Wrong(at, "a , or } must stand here");
    ++at;
  }
}

}  // namespace tracekeeper::codec
