#include "src/crypto/secret_string.h"

#include <openssl/crypto.h>

#include <cstring>

namespace tracekeeper::crypto {

SecretString::SecretString(std::string_view text) : memory_(text.size()) {
  if (!text.empty()) std::memcpy(memory_.data(), text.data(), text.size());
}

SecretString SecretString::Taking(std::string& text) {
  SecretString secret(text);
  Wipe(text);
  return secret;
}

bool SecretString::Equals(const SecretString& other) const {
  return size() == other.size() && CRYPTO_memcmp(memory_.data(), other.memory_.data(), size()) == 0;
}

void Wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace tracekeeper::crypto
