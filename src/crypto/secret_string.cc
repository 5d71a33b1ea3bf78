#include "src/crypto/secret_string.h"

#include <openssl/crypto.h>

#include <cstring>
#include <utility>

namespace tracekeeper::crypto {

SecretString::SecretString(std::string_view text)
    : bytes_(text.empty() ? nullptr : new char[text.size()]), size_(text.size()) {
  if (size_ > 0) std::memcpy(bytes_.get(), text.data(), size_);
}

SecretString SecretString::Taking(std::string& text) {
  SecretString secret(text);
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
  return secret;
}

SecretString::~SecretString() { Wipe(); }

SecretString::SecretString(SecretString&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretString& SecretString::operator=(SecretString&& other) noexcept {
  if (this == &other) return *this;
  Wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

bool SecretString::Equals(const SecretString& other) const {
  return size_ == other.size_ && CRYPTO_memcmp(bytes_.get(), other.bytes_.get(), size_) == 0;
}

void SecretString::Wipe() {
  if (size_ > 0) OPENSSL_cleanse(bytes_.get(), size_);
}

}  // namespace tracekeeper::crypto
