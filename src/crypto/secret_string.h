#pragma once
// SecretString holds bytes that must not outlive their use: private keys, tokens. They lie in one
// block of memory that is wiped when the string is destroyed, assigned to or moved from.
//
// There is no formatter, no stream operator and no conversion, so a secret cannot slip into a log
// line or an error: whoever needs the bytes writes Reveal(), which a reviewer can search for.
//
// Threads:  a value; reading one from several threads is safe.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tracekeeper::crypto {

class SecretString {
 public:
  SecretString() = default;
  /// Copies `text`; the caller's copy is the caller's to wipe.
  explicit SecretString(std::string_view text);
  /// Takes the bytes over and wipes `text`.
  static SecretString Taking(std::string& text);
  ~SecretString();

  SecretString(SecretString&& other) noexcept;
  SecretString& operator=(SecretString&& other) noexcept;
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;

  [[nodiscard]] SecretString Clone() const { return SecretString(Reveal()); }
  /// Valid as long as this string is.
  [[nodiscard]] std::string_view Reveal() const { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Takes the same time wherever the two differ.
  [[nodiscard]] bool Equals(const SecretString& other) const;

 private:
  void Wipe();

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

}  // namespace tracekeeper::crypto
