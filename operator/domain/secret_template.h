#pragma once
// SecretTemplate makes one entry of a Secret out of the values of a credential:
//
//   postgres://{{ username }}:{{ password | urlencode }}@db/shop
//
//   {{ KEY }}               the value in use
//   {{ previous.KEY }}      the one before it, {{ next.KEY }} the one after it
//   {{ KEY | fn | fn }}     a closed list of functions: template_functions.h
//   {{ "previous.KEY" }}    a key that would read as something else
//
// Everything else is taken as it stands.
//
// Threads:  a value; pure functions.
// Failure:  kInvalid with reason template_failed: names key and position, never a value.
// Secrets:  values are only ever in wiped memory.
// Limits:   4096 bytes and 64 values a template, 8 functions a value, 1 MiB of output.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/template_functions.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::domain {

inline constexpr std::size_t kMostTemplate = 4096;
inline constexpr std::size_t kMostTemplateValues = 64;
inline constexpr std::size_t kMostTemplateFunctions = 8;

/// Which version of a credential a value is of.
enum class SecretSlot { kCurrent, kPrevious, kNext };

/// "previous"; empty for the current one.
[[nodiscard]] std::string_view NameOf(SecretSlot slot);

/// The value of a key in a slot, or null. It stays valid while Render runs.
using SlotValues =
    std::function<const crypto::SecretString*(SecretSlot slot, std::string_view key)>;

/// One {{ ... }} of a template.
struct TemplateValue {
  SecretSlot slot = SecretSlot::kCurrent;
  std::string key;
  std::vector<const TemplateFunction*> functions;
  std::size_t position = 0;  // of its {{, the first byte is 1

  bool operator==(const TemplateValue&) const = default;
};

class SecretTemplate {
 public:
  static Result<SecretTemplate> Parse(std::string_view text);

  /// What it takes, in the order of the text.
  [[nodiscard]] const std::vector<TemplateValue>& values() const { return values_; }
  /// Whether it takes a value of `slot`: there may be none for long.
  [[nodiscard]] bool Takes(SecretSlot slot) const;

  Result<crypto::SecretString> Render(const SlotValues& values) const;

 private:
  SecretTemplate() = default;

  // literals_[0] values_[0] literals_[1] ... : one literal more than values.
  std::vector<std::string> literals_;
  std::vector<TemplateValue> values_;
};

}  // namespace tracekeeper::domain
