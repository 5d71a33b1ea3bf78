#include "src/config/yaml_text.h"

#include <algorithm>

namespace tracekeeper::config {
namespace {

/// Keys that YAML surely reads as the string they look like; all others keep their quotes. It takes
/// "No" and "ON" for booleans, so only words that begin with a small letter are plain.
bool IsPlainKey(std::string_view key) {
  constexpr std::string_view kNotStrings[] = {"true", "false", "null", "yes", "no",
                                              "on",   "off",   "y",    "n"};
  return !key.empty() && key.front() >= 'a' && key.front() <= 'z' &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }) &&
         std::find(std::begin(kNotStrings), std::end(kNotStrings), key) == std::end(kNotStrings);
}

class Layout {
 public:
  explicit Layout(std::string_view json) : json_(json) {}

  std::string Take() {
    Value(0);
    out_.push_back('\n');
    // The document's first member is on its first line.
    return out_.front() == '\n' ? out_.substr(1) : std::move(out_);
  }

 private:
  [[nodiscard]] char Peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }

  std::string_view Scalar() {
    const std::size_t begin = at_;
    if (Peek() == '"') {
      for (++at_; at_ < json_.size() && json_[at_] != '"'; ++at_) {
        if (json_[at_] == '\\') ++at_;
      }
      ++at_;
    } else {
      at_ = std::min(json_.find_first_of(",]}", at_), json_.size());
    }
    return json_.substr(begin, at_ - begin);
  }

  void StartLine(std::size_t indent) { out_.append("\n").append(indent, ' '); }

  /// A value after "key:" or "-", which stand on the current line.
  void Value(std::size_t indent) {
    const char open = Peek();
    if (open != '{' && open != '[') {
      out_.append(" ").append(Scalar());
      return;
    }
    ++at_;
    const char close = open == '{' ? '}' : ']';
    if (Peek() == close) {
      ++at_;
      out_.append(open == '{' ? " {}" : " []");
      return;
    }
    while (at_ < json_.size()) {
      open == '{' ? Member(indent) : Element(indent);
      if (json_[at_++] == close) return;
    }
  }

  void Member(std::size_t indent) {
    StartLine(indent);
    const std::string_view quoted = Scalar();
    const std::string_view key = quoted.substr(1, quoted.size() - 2);
    out_.append(IsPlainKey(key) ? key : quoted).append(":");
    ++at_;  // the colon
    Value(indent + 2);
  }

  void Element(std::size_t indent) {
    StartLine(indent);
    out_.append("-");
    const bool is_nested = Peek() == '{' || Peek() == '[';
    const std::size_t line = out_.size();
    Value(indent + 2);
    // The first member of an object stands behind its dash.
    if (is_nested && out_[line] == '\n') out_.replace(line, indent + 3, " ");
  }

  std::string_view json_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string YamlOfJson(std::string_view json) { return Layout(json).Take(); }

}  // namespace tracekeeper::config
