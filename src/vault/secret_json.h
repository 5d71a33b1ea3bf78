#pragma once
// SecretJson writes JSON that holds secret bytes: whenever its text must move to a larger place,
// the old place is wiped, and so is the last one when the writer ends.
//
//   SecretJson body;
//   body.Begin().Text("role", role).Text("jwt", token.Reveal()).End();
//
// Threads:  one thread at a time.
// Failure:  none; the caller keeps Begin() and End() in pairs.

#include <cstdint>
#include <string>
#include <string_view>

#include "src/codec/json_value.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::vault {

class SecretJson {
 public:
  SecretJson() = default;
  ~SecretJson() { crypto::Wipe(text_); }
  SecretJson(SecretJson&& other) noexcept;
  SecretJson& operator=(SecretJson&& other) noexcept;
  SecretJson(const SecretJson&) = delete;
  SecretJson& operator=(const SecretJson&) = delete;

  SecretJson& Begin() { return Open({}, '{'); }
  SecretJson& Begin(std::string_view key) { return Open(key, '{'); }
  SecretJson& End() { return Close('}'); }
  SecretJson& BeginList(std::string_view key) { return Open(key, '['); }
  SecretJson& EndList() { return Close(']'); }

  SecretJson& Text(std::string_view key, std::string_view value);
  SecretJson& Number(std::string_view key, std::int64_t value);
  /// An element of a list.
  SecretJson& Element(std::int64_t value);
  SecretJson& Element(std::string_view value);
  SecretJson& Flag(std::string_view key, bool value);
  SecretJson& Null(std::string_view key);
  /// The same value again; of an object with two members of a name, both.
  SecretJson& Value(codec::JsonValue value);
  SecretJson& Value(std::string_view key, codec::JsonValue value);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  /// Takes the text, and the duty to wipe it.
  [[nodiscard]] std::string Take();

 private:
  SecretJson& Open(std::string_view key, char bracket);
  SecretJson& Close(char bracket);
  void Key(std::string_view key);
  void Separate();
  void Append(std::string_view plain);
  void AppendQuoted(std::string_view value);
  void MakeRoom(std::size_t size);

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace tracekeeper::vault
