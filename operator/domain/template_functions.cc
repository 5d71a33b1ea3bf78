#include "operator/domain/template_functions.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "src/codec/json_check.h"

namespace tracekeeper::domain {

/// Counts bytes, or writes them where they stay. Each function runs once for either.
class ByteSink {
 public:
  explicit ByteSink(char* out) : out_(out) {}

  void Put(char c) {
    if (out_ != nullptr) out_[size_] = c;
    ++size_;
  }
  void Put(std::string_view text) {
    for (const char c : text) Put(c);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  char* const out_;
  std::size_t size_ = 0;
};

namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kSpace = " \t\r\n\f\v";

void PutHex(char c, std::string_view digits, ByteSink& out) {
  const auto byte = static_cast<unsigned char>(c);
  out.Put(digits[byte >> 4]);
  out.Put(digits[byte & 15]);
}

void WriteBase64(std::string_view text, std::string_view alphabet, ByteSink& out) {
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (std::size_t k = 0; k <= count; ++k) out.Put(alphabet[group >> (18 - 6 * k) & 63]);
    if (alphabet != kBase64) continue;  // for URLs it goes without padding
    for (std::size_t k = count; k < 3; ++k) out.Put('=');
  }
}

void Base64(std::string_view text, ByteSink& out) { WriteBase64(text, kBase64, out); }
void Base64Url(std::string_view text, ByteSink& out) { WriteBase64(text, kBase64Url, out); }

void Hex(std::string_view text, ByteSink& out) {
  for (const char c : text) PutHex(c, kLowerHex, out);
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void UrlEncode(std::string_view text, ByteSink& out) {
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out.Put(c);
    } else {
      out.Put('%');
      PutHex(c, kUpperHex, out);
    }
  }
}

void Json(std::string_view text, ByteSink& out) {
  out.Put('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.Put('\\');
      out.Put(c);
    } else if (c == '\n') {
      out.Put("\\n");
    } else if (static_cast<unsigned char>(c) < ' ') {
      out.Put("\\u00");
      PutHex(c, kLowerHex, out);
    } else {
      out.Put(c);
    }
  }
  out.Put('"');
}

void Trim(std::string_view text, ByteSink& out) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return;
  out.Put(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

void Upper(std::string_view text, ByteSink& out) {
  for (const char c : text) out.Put(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
}

void Lower(std::string_view text, ByteSink& out) {
  for (const char c : text) out.Put(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
}

constexpr std::array kFunctions = {
    TemplateFunction{"base64", "Base64 with padding", false, Base64},
    TemplateFunction{"base64url", "Base64 for URLs and tokens: `-` and `_`, without padding", false,
                     Base64Url},
    TemplateFunction{"hex", "two lower-case hexadecimal digits a byte", false, Hex},
    TemplateFunction{"urlencode", "percent-encoded, for a part of a URL", false, UrlEncode},
    TemplateFunction{"json", "a JSON string with its quotes; the value must be UTF-8", true, Json},
    TemplateFunction{"trim", "without white space at its ends", false, Trim},
    TemplateFunction{"upper", "ASCII letters in upper case", false, Upper},
    TemplateFunction{"lower", "ASCII letters in lower case", false, Lower},
};

bool IsUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = codec::Utf8SequenceLength(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

std::span<const TemplateFunction> TemplateFunctions() { return kFunctions; }

const TemplateFunction* FindTemplateFunction(std::string_view name) {
  const auto* const found = std::ranges::find(kFunctions, name, &TemplateFunction::name);
  return found == kFunctions.end() ? nullptr : found;
}

Result<crypto::SecretString> CallFunction(const TemplateFunction& function, std::string_view text) {
  if (function.needs_text && !IsUtf8(text)) {
    return Fail(ErrorKind::kInvalid, "its value is no UTF-8 text, as {} needs it", function.name);
  }
  ByteSink counted(nullptr);
  function.write(text, counted);
  if (counted.size() > kMostRendered) {
    return Fail(ErrorKind::kInvalid, "{} makes more than {} bytes of it", function.name,
                kMostRendered);
  }
  return crypto::SecretString::Filled(counted.size(), [&](char* data, std::size_t) {
    ByteSink out(data);
    function.write(text, out);
  });
}

}  // namespace tracekeeper::domain
