#include "src/vault/secret_json.h"

#include <algorithm>
#include <utility>

#include "src/codec/json_writer.h"

namespace tracekeeper::vault {
namespace {
constexpr std::size_t kFirstRoom = 512;
constexpr std::size_t kLongestEscape = 6;  // \u0001
}  // namespace

SecretJson::SecretJson(SecretJson&& other) noexcept
    : text_(std::move(other.text_)), needs_comma_(other.needs_comma_) {
  // A short text lies inside the string, where a move leaves it.
  crypto::Wipe(other.text_);
}

SecretJson& SecretJson::operator=(SecretJson&& other) noexcept {
  std::swap(text_, other.text_);
  std::swap(needs_comma_, other.needs_comma_);
  return *this;
}

std::string SecretJson::Take() {
  std::string taken = std::move(text_);
  crypto::Wipe(text_);
  return taken;
}

void SecretJson::MakeRoom(std::size_t size) {
  const std::size_t needed = text_.size() + size;
  if (needed <= text_.capacity()) return;
  std::string larger;
  larger.reserve(std::max({needed, 2 * text_.capacity(), kFirstRoom}));
  larger.append(text_);
  crypto::Wipe(text_);
  text_ = std::move(larger);
}

void SecretJson::Append(std::string_view plain) {
  MakeRoom(plain.size());
  text_.append(plain);
}

void SecretJson::AppendQuoted(std::string_view value) {
  MakeRoom(kLongestEscape * value.size() + 2);
  codec::AppendJsonString(text_, value);
}

void SecretJson::Separate() {
  if (needs_comma_) Append(",");
  needs_comma_ = true;
}

void SecretJson::Key(std::string_view key) {
  Separate();
  AppendQuoted(key);
  Append(":");
}

SecretJson& SecretJson::Open(std::string_view key, char bracket) {
  if (key.empty()) {
    Separate();
  } else {
    Key(key);
  }
  Append(std::string_view(&bracket, 1));
  needs_comma_ = false;
  return *this;
}

SecretJson& SecretJson::Close(char bracket) {
  Append(std::string_view(&bracket, 1));
  needs_comma_ = true;
  return *this;
}

SecretJson& SecretJson::Text(std::string_view key, std::string_view value) {
  Key(key);
  AppendQuoted(value);
  return *this;
}

SecretJson& SecretJson::Number(std::string_view key, std::int64_t value) {
  Key(key);
  Append(std::to_string(value));
  return *this;
}

SecretJson& SecretJson::Element(std::int64_t value) {
  Separate();
  Append(std::to_string(value));
  return *this;
}

SecretJson& SecretJson::Element(std::string_view value) {
  Separate();
  AppendQuoted(value);
  return *this;
}

SecretJson& SecretJson::Flag(std::string_view key, bool value) {
  Key(key);
  Append(value ? "true" : "false");
  return *this;
}

SecretJson& SecretJson::Null(std::string_view key) {
  Key(key);
  Append("null");
  return *this;
}

SecretJson& SecretJson::Value(std::string_view key, codec::JsonValue value) {
  Key(key);
  needs_comma_ = false;
  return Value(value);
}

SecretJson& SecretJson::Value(codec::JsonValue value) {
  using Kind = codec::JsonValue::Kind;
  switch (value.kind()) {
    case Kind::kString:
      Separate();
      AppendQuoted(*value.String());
      break;
    case Kind::kObject:
      Separate();
      Append("{");
      needs_comma_ = false;
      for (const auto& [key, member] : value.Members()) Value(key, member);
      Close('}');
      break;
    case Kind::kArray:
      Separate();
      Append("[");
      needs_comma_ = false;
      for (const codec::JsonValue element : value.Elements()) Value(element);
      Close(']');
      break;
    default: {
      Separate();
      std::string scalar = value.ToJson();
      Append(scalar);
      crypto::Wipe(scalar);
    }
  }
  return *this;
}

}  // namespace tracekeeper::vault
