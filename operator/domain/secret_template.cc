#include "operator/domain/secret_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/domain/rotation_failure.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::size_t kLongestKey = 253;

template <typename... Args>
tl::unexpected<Error> Refuse(std::size_t position, fmt::format_string<Args...> format,
                             Args&&... args) {
  Error error{ErrorKind::kInvalid,
              fmt::format("template, byte {}: {}", position,
                          fmt::format(format, std::forward<Args>(args)...)),
              std::nullopt};
  error.reason = failure::kTemplateFailed;
  return Fail(std::move(error));
}

bool IsKeyByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

/// What stands between {{ and }}, read from its beginning.
class ValueReader {
 public:
  ValueReader(std::string_view text, std::size_t position)
      : rest_(text), begin_(position + kOpen.size()) {
    value_.position = position;
  }

  Result<TemplateValue> Read() {
    TRY(ReadKey());
    SkipSpace();
    while (Skip('|')) {
      TRY(ReadFunction());
      SkipSpace();
    }
    if (!rest_.empty()) {
      return Refuse(Here(), "what follows {} must be | and a function, or }}}}", Named());
    }
    return std::move(value_);
  }

 private:
  Status ReadKey() {
    SkipSpace();
    if (rest_.starts_with('"')) return ReadQuoted();
    std::string_view word = TakeWord();
    for (const SecretSlot slot : {SecretSlot::kPrevious, SecretSlot::kNext}) {
      const std::string_view name = NameOf(slot);
      if (!word.starts_with(name) || word.substr(name.size(), 1) != ".") continue;
      value_.slot = slot;
      word.remove_prefix(name.size() + 1);
      if (word.empty() && rest_.starts_with('"')) return ReadQuoted();
      break;
    }
    return TakeKey(word);
  }

  Status ReadQuoted() {
    rest_.remove_prefix(1);
    const std::string_view word = TakeWord();
    if (!Skip('"')) {
      return Refuse(Here(), "a quoted key is letters, digits, - _ and . between two \"");
    }
    return TakeKey(word);
  }

  Status TakeKey(std::string_view word) {
    if (word.empty()) {
      return Refuse(Here(),
                    "a key must stand here, such as {{{{ password }}}}; it is letters, "
                    "digits, - _ and .");
    }
    if (word.size() > kLongestKey) {
      return Refuse(Here(), "the key is longer than {} bytes, as none can be", kLongestKey);
    }
    value_.key = word;
    return {};
  }

  Status ReadFunction() {
    SkipSpace();
    const std::size_t position = Here();
    const std::string_view name = TakeWord();
    const TemplateFunction* function = FindTemplateFunction(name);
    if (function == nullptr) {
      return Refuse(position, "there is no function \"{}\": there are {}",
                    name.substr(0, kLongestKey), AllFunctions());
    }
    if (value_.functions.size() == kMostTemplateFunctions) {
      return Refuse(position, "more than {} functions for one value", kMostTemplateFunctions);
    }
    value_.functions.push_back(function);
    return {};
  }

  static std::string AllFunctions() {
    std::string names;
    for (const TemplateFunction& function : TemplateFunctions()) {
      names.append(names.empty() ? "" : ", ").append(function.name);
    }
    return names;
  }

  std::string_view TakeWord() {
    const auto* const end = std::ranges::find_if_not(rest_, IsKeyByte);
    const std::string_view word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(word.size());
    return word;
  }

  void SkipSpace() {
    const std::size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(std::min(end, rest_.size()));
  }

  bool Skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] std::string Named() const { return fmt::format("\"{}\"", value_.key); }

  [[nodiscard]] std::size_t Here() const { return begin_ + size_ - rest_.size(); }

  std::string_view rest_;
  const std::size_t begin_;
  const std::size_t size_ = rest_.size();
  TemplateValue value_;
};

Result<crypto::SecretString> Apply(const TemplateValue& value, const crypto::SecretString& secret) {
  std::optional<crypto::SecretString> made;
  for (const TemplateFunction* function : value.functions) {
    auto next = CallFunction(*function, made ? made->Reveal() : secret.Reveal());
    if (!next) return Refuse(value.position, "key \"{}\": {}", value.key, next.error().message);
    made = *std::move(next);
  }
  return made ? *std::move(made) : secret.Clone();
}

tl::unexpected<Error> Missing(const TemplateValue& value) {
  if (value.slot == SecretSlot::kCurrent) {
    return Refuse(value.position, "there is no key \"{}\": correct it, or write it to the source",
                  value.key);
  }
  return Refuse(value.position, "key \"{}\" has no {} value at present", value.key,
                NameOf(value.slot));
}

}  // namespace

std::string_view NameOf(SecretSlot slot) {
  switch (slot) {
    case SecretSlot::kPrevious:
      return "previous";
    case SecretSlot::kNext:
      return "next";
    case SecretSlot::kCurrent:
      break;
  }
  return "";
}

Result<SecretTemplate> SecretTemplate::Parse(std::string_view text) {
  if (text.size() > kMostTemplate) {
    return Refuse(kMostTemplate, "a template is at most {} bytes", kMostTemplate);
  }
  SecretTemplate result;
  std::size_t at = 0;
  for (std::size_t open = text.find(kOpen); open != std::string_view::npos;
       open = text.find(kOpen, at)) {
    const std::size_t position = open + 1;
    const std::size_t close = text.find(kClose, open + kOpen.size());
    if (close == std::string_view::npos) return Refuse(position, "{{{{ has no }}}} after it");
    if (result.values_.size() == kMostTemplateValues) {
      return Refuse(position, "more than {} values in one template", kMostTemplateValues);
    }
    const std::size_t inside = open + kOpen.size();
    ValueReader reader(text.substr(inside, close - inside), position);
    result.literals_.emplace_back(text.substr(at, open - at));
    result.values_.push_back(TRY(reader.Read()));
    at = close + kClose.size();
  }
  result.literals_.emplace_back(text.substr(at));
  return result;
}

bool SecretTemplate::Takes(SecretSlot slot) const {
  return std::ranges::any_of(values_, [slot](const TemplateValue& v) { return v.slot == slot; });
}

Result<crypto::SecretString> SecretTemplate::Render(const SlotValues& values) const {
  std::vector<crypto::SecretString> made;
  made.reserve(values_.size());
  std::size_t size = literals_.back().size();
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const TemplateValue& value = values_[i];
    const crypto::SecretString* secret = values(value.slot, value.key);
    if (secret == nullptr) return Missing(value);
    made.push_back(TRY(Apply(value, *secret)));
    size += literals_[i].size() + made.back().size();
    if (size > kMostRendered) {
      return Refuse(value.position, "up to here it makes more than {} bytes", kMostRendered);
    }
  }
  return crypto::SecretString::Filled(size, [&](char* data, std::size_t) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      data = std::ranges::copy(literals_[i], data).out;
      data = std::ranges::copy(made[i].Reveal(), data).out;
    }
    std::ranges::copy(literals_.back(), data);
  });
}

}  // namespace tracekeeper::domain
