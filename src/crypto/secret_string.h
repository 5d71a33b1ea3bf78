#pragma once
// SecretString holds bytes that must not outlive their use: private keys, tokens, passwords. They
// lie in locked memory (locked_memory.h), which is wiped when the string is destroyed or assigned
// to; a move hands the memory on.
//
// There is no formatter, no stream operator and no conversion, so a secret cannot slip into a log
// line, an error or a JSON text: whoever needs the bytes writes Reveal(), which a reviewer can
// search for.
//
// Threads:  a value; reading one from several threads is safe.

#include <cstddef>
#include <string>
#include <string_view>

#include "src/crypto/locked_memory.h"

namespace tracekeeper::crypto {

class SecretString {
 public:
  SecretString() = default;
  /// Copies `text`; the caller's copy is the caller's to wipe.
  explicit SecretString(std::string_view text);
  /// Takes the bytes over and wipes `text`.
  static SecretString Taking(std::string& text);
  /// Whoever makes the bytes writes them where they stay: `fill` gets data and size once.
  template <typename Fill>
  static SecretString Filled(std::size_t size, Fill&& fill) {
    SecretString secret;
    secret.memory_ = LockedMemory(size);
    if (size > 0) fill(secret.memory_.data(), size);
    return secret;
  }

  SecretString(SecretString&&) noexcept = default;
  SecretString& operator=(SecretString&&) noexcept = default;
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;
  ~SecretString() = default;

  [[nodiscard]] SecretString Clone() const { return SecretString(Reveal()); }
  /// Valid as long as this string is.
  [[nodiscard]] std::string_view Reveal() const { return {memory_.data(), memory_.size()}; }
  [[nodiscard]] bool empty() const { return memory_.size() == 0; }
  [[nodiscard]] std::size_t size() const { return memory_.size(); }
  /// Takes the same time wherever the two differ.
  [[nodiscard]] bool Equals(const SecretString& other) const;

 private:
  LockedMemory memory_;
};

/// Overwrites the bytes of `text`, its unused capacity too, and leaves it empty: for the copies
/// that other libraries make of a secret.
void Wipe(std::string& text);

}  // namespace tracekeeper::crypto
