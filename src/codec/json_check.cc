#include "src/codec/json_check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tracekeeper::codec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint32_t> HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

class Checker {
 public:
  Checker(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

  Status Document() {
    SkipSpace();
    if (AtEnd()) return Wrong("the text is empty; expected a JSON value");
    TRY(Value());
    while (!scopes_.empty()) TRY(Continue());
    SkipSpace();
    if (!AtEnd()) return Wrong("there is more after the end of the document");
    return {};
  }

 private:
  [[nodiscard]] bool AtEnd() const { return at_ == text_.size(); }
  [[nodiscard]] char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  void SkipSpace() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r')) ++at_;
  }

  bool Take(char c) {
    if (AtEnd() || Peek() != c) return false;
    ++at_;
    return true;
  }

  // A value; of an array or object only its begin. What follows is Continue()'s work, so that deep
  // nesting costs no stack.
  Status Value() {
    SkipSpace();
    if (AtEnd()) return Wrong("the text ends where a value is expected");
    switch (Peek()) {
      case '{':
        return Begin('}');
      case '[':
        return Begin(']');
      case '"':
        return String();
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number();
    }
  }

  Status Begin(char closing) {
    if (scopes_.size() == max_depth_) {
      return Wrong(fmt::format("more than {} nested objects and arrays", max_depth_));
    }
    ++at_;
    SkipSpace();
    if (Take(closing)) return {};
    scopes_.push_back(closing);
    return closing == '}' ? Member() : Value();
  }

  Status Continue() {
    const char closing = scopes_.back();
    SkipSpace();
    if (Take(closing)) {
      scopes_.pop_back();
      return {};
    }
    if (!Take(',')) {
      return Wrong(AtEnd() ? fmt::format("the text ends before '{}'", closing)
                           : fmt::format("expected ',' or '{}'", closing));
    }
    return closing == '}' ? Member() : Value();
  }

  Status Member() {
    SkipSpace();
    if (Peek() != '"') return Wrong("expected a member name in double quotes");
    TRY(String());
    SkipSpace();
    if (!Take(':')) return Wrong("expected ':' after the member name");
    return Value();
  }

  Status Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return Wrong(fmt::format("expected {}", word));
    at_ += word.size();
    return {};
  }

  Status Number() {
    const std::size_t begin = at_;
    Take('-');
    const std::size_t integer = at_;
    while (IsDigit(Peek())) ++at_;
    if (at_ == integer) {
      at_ = begin;
      return Wrong("expected a value");
    }
    if (text_[integer] == '0' && at_ - integer > 1) {
      at_ = begin;
      return Wrong("a number may not start with 0");
    }
    if (Take('.')) TRY(Digits());
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      TRY(Digits());
    }
    return {};
  }

  Status Digits() {
    if (!IsDigit(Peek())) return Wrong("expected a digit");
    while (IsDigit(Peek())) ++at_;
    return {};
  }

  Status String() {
    ++at_;
    while (!AtEnd() && Peek() != '"') {
      const char c = Peek();
      if (static_cast<unsigned char>(c) < 0x20) {
        return Wrong("a control character in a string must be written as an escape");
      }
      if (c == '\\') {
        TRY(Escape());
        continue;
      }
      const std::size_t length = Utf8SequenceLength(text_, at_);
      if (length == 0) return Wrong("the text is not UTF-8");
      at_ += length;
    }
    if (!Take('"')) return Wrong("the text ends inside a string");
    return {};
  }

  Status Escape() {
    constexpr std::string_view kSimple = "\"\\/bfnrt";
    ++at_;
    if (Take('u')) return Unicode();
    if (AtEnd() || kSimple.find(Peek()) == std::string_view::npos) {
      return Wrong("unknown escape in a string");
    }
    ++at_;
    return {};
  }

  Status Unicode() {
    const std::uint32_t unit = TRY(CodeUnit());
    if (unit >= 0xDC00 && unit < 0xE000) return Wrong("a low surrogate without its high one");
    if (unit < 0xD800 || unit >= 0xE000) return {};
    if (!Take('\\') || !Take('u')) return Wrong("a high surrogate without its low one");
    const std::uint32_t low = TRY(CodeUnit());
    if (low < 0xDC00 || low >= 0xE000) return Wrong("a high surrogate without its low one");
    return {};
  }

  Result<std::uint32_t> CodeUnit() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = HexDigit(Peek());
      if (!digit) return Fail(Wrong("expected four hexadecimal digits after \\u").error());
      unit = unit * 16 + *digit;
      ++at_;
    }
    return unit;
  }

  [[nodiscard]] Status Wrong(std::string_view what) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return Fail(ErrorKind::kDecode, "JSON, line {} column {}: {}", line, at_ - line_begin + 1,
                what);
  }

  std::string_view text_;
  std::size_t max_depth_;
  std::size_t at_ = 0;
  std::vector<char> scopes_;  // the closing bracket of each open scope
};

}  // namespace

std::size_t Utf8SequenceLength(std::string_view text, std::size_t offset) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return offset + i < text.size() ? static_cast<unsigned char>(text[offset + i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    const std::uint32_t code = (first & 0xFU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    return code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const std::uint32_t code = (first & 0x7U) << 18 | (byte(1) & 0x3FU) << 12;
    return code >= 0x10000 && code <= 0x10FFFF ? 4 : 0;
  }
  return 0;
}

Status CheckJson(std::string_view text, std::size_t max_depth) {
  return Checker(text, max_depth).Document();
}

}  // namespace tracekeeper::codec
