#pragma once
// The functions that a template may apply to a value: a closed list, none of which reads or writes
// anything but its argument.
//
// Threads:  pure functions.
// Failure:  kInvalid, without a byte of the value: text that is no UTF-8, a result out of bounds.
// Secrets:  argument and result lie in wiped memory, and no copy is made elsewhere.

#include <cstddef>
#include <span>
#include <string_view>

#include "src/base/result.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::domain {

/// The most that a value of a Secret can be: Kubernetes' own limit on all of them.
inline constexpr std::size_t kMostRendered = 1U << 20U;

class ByteSink;

struct TemplateFunction {
  std::string_view name;
  std::string_view doc;     // "turns `a b` into `a%20b`"
  bool needs_text = false;  // its argument must be UTF-8
  void (*write)(std::string_view text, ByteSink& out) = nullptr;
};

/// All of them, in the order of the reference.
[[nodiscard]] std::span<const TemplateFunction> TemplateFunctions();
/// Null where there is none of that name.
[[nodiscard]] const TemplateFunction* FindTemplateFunction(std::string_view name);

Result<crypto::SecretString> CallFunction(const TemplateFunction& function, std::string_view text);

}  // namespace tracekeeper::domain
