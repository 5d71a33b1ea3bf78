#include "src/codec/yaml_writer.h"

#include <algorithm>

#include "src/codec/json_writer.h"
#include "src/codec/yaml_scalar.h"

namespace tracekeeper::codec {
namespace {

using Kind = JsonValue::Kind;

constexpr std::size_t kColumns = 100;

bool IsPrintableAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// Whether `text` may stand without quotes: it reads back as text, and no character of it means
// something to YAML where it stands.
bool IsPlain(std::string_view text) {
  if (text.empty() || !IsPrintableAscii(text)) return false;
  if (!std::holds_alternative<YamlText>(ResolveYamlScalar(text))) return false;
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`=<~";
  if (kIndicators.find(text.front()) != std::string_view::npos) return false;
  if (text.starts_with("...")) return false;
  return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

// Whether folding gives the same words back: one space between them and nothing else.
bool CanFold(std::string_view text) {
  return IsPrintableAscii(text) && text.front() != ' ' && text.back() != ' ' &&
         text.find("  ") == std::string_view::npos;
}

// Whether a literal block gives the same lines back.
bool CanBeLiteral(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') {
    return false;
  }
  const bool is_printable =
      std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
  return is_printable && !text.ends_with("\n\n") && text.find(" \n") == std::string_view::npos &&
         text.back() != ' ';
}

class Layout {
 public:
  std::string Document(const JsonValue& value) {
    if (IsBlock(value)) {
      Block(value, 0);
    } else {
      Line(value, 2);
    }
    return std::move(out_);
  }

 private:
  static bool IsBlock(const JsonValue& value) {
    return (value.is_object() || value.is_array()) && value.size() > 0;
  }

  // The members or elements, each on lines of its own, the first where the text stands now.
  void Block(const JsonValue& value, std::size_t indent) {
    bool is_first = true;
    const auto start_line = [&] {
      if (!is_first) out_.append(indent, ' ');
      is_first = false;
    };
    for (const JsonValue element : value.Elements()) {
      start_line();
      out_.append("- ");
      IsBlock(element) ? Block(element, indent + 2) : Line(element, indent + 2);
    }
    for (const auto& [key, member] : value.Members()) {
      start_line();
      AppendText(key);
      out_.push_back(':');
      Member(member, indent);
    }
  }

  void Member(const JsonValue& member, std::size_t indent) {
    if (!IsBlock(member)) {
      out_.push_back(' ');
      Line(member, indent + 2);
      return;
    }
    const std::size_t below = member.is_array() ? indent : indent + 2;
    out_.append("\n").append(below, ' ');
    Block(member, below);
  }

  void Line(const JsonValue& value, std::size_t indent) {
    Inline(value, indent);
    if (out_.back() != '\n') out_.push_back('\n');
  }

  void Inline(const JsonValue& value, std::size_t indent) {
    const auto text = value.String();
    if (!text) {
      out_.append(value.ToJson());
    } else if (!text->empty() && CanBeLiteral(*text)) {
      Literal(*text, indent);
    } else if (text->size() + indent > kColumns && CanFold(*text)) {
      Folded(*text, indent);
    } else {
      AppendText(*text);
    }
  }

  void AppendText(std::string_view text) {
    if (IsPlain(text)) {
      out_.append(text);
    } else if (IsPrintableAscii(text) && text.find('\'') == std::string_view::npos) {
      out_.append("'").append(text).append("'");
    } else {
      AppendQuoted(text);
    }
  }

  // JSON's escapes are YAML's, but for DEL: JSON lets it stand, YAML does not.
  void AppendQuoted(std::string_view text) {
    const std::size_t begin = out_.size();
    AppendJsonString(out_, text);
    for (std::size_t at = out_.find('\x7f', begin); at != std::string::npos;
         at = out_.find('\x7f', at)) {
      out_.replace(at, 1, "\\u007f");
    }
  }

  void Literal(std::string_view text, std::size_t indent) {
    const bool ends_line = text.ends_with('\n');
    out_.append(ends_line ? "|\n" : "|-\n");
    if (ends_line) text.remove_suffix(1);
    while (true) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) out_.append(indent, ' ').append(text.substr(0, end));
      out_.push_back('\n');
      if (end == text.size()) return;
      text.remove_prefix(end + 1);
    }
  }

  void Folded(std::string_view text, std::size_t indent) {
    out_.append(">-\n");
    const std::size_t width = kColumns > indent + 40 ? kColumns - indent : 40;
    while (!text.empty()) {
      std::size_t end = text.size();
      if (end > width) {
        end = text.rfind(' ', width);
        if (end == std::string_view::npos) end = std::min(text.find(' '), text.size());
      }
      out_.append(indent, ' ').append(text.substr(0, end)).append("\n");
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::string out_;
};

}  // namespace

std::string WriteYaml(const JsonValue& value) { return Layout().Document(value); }

}  // namespace tracekeeper::codec
