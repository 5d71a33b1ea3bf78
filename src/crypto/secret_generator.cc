#include "src/crypto/secret_generator.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>
#include <string_view>

#include "src/crypto/openssl_handles.h"

namespace tracekeeper::crypto {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
// Bytes from here on would make the first letters of the alphabet likelier.
constexpr unsigned char kFirstUnfair = 256 - 256 % kAlphabet.size();

KeyPtr MakeKey(KeyKind kind, unsigned rsa_bits) {
  switch (kind) {
    case KeyKind::kRsa:
      return KeyPtr(EVP_RSA_gen(rsa_bits));
    case KeyKind::kEcdsaP256:
      return KeyPtr(EVP_EC_gen("P-256"));
    case KeyKind::kEd25519:
      return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  return nullptr;
}

}  // namespace

Result<SecretString> MakePassword(std::size_t length) {
  bool has_randomness = true;
  SecretString password = SecretString::Filled(length, [&](char* text, std::size_t size) {
    std::array<unsigned char, 64> bytes{};
    std::size_t made = 0;
    while (made < size && has_randomness) {
      has_randomness = RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
      for (const unsigned char byte : bytes) {
        if (made < size && byte < kFirstUnfair) text[made++] = kAlphabet[byte % kAlphabet.size()];
      }
    }
    OPENSSL_cleanse(bytes.data(), bytes.size());
  });
  if (has_randomness) return password;
  return Fail(ErrorKind::kInternal, "make a password: {}", TakeOpensslError());
}

Result<SecretString> MakePrivateKey(KeyKind kind, unsigned rsa_bits) {
  const KeyPtr key = MakeKey(kind, rsa_bits);
  const BioPtr out(BIO_new(BIO_s_secmem()));
  const bool is_written = key != nullptr && out != nullptr &&
                          PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0,
                                                        nullptr, nullptr) == 1;
  if (!is_written) {
    return Fail(ErrorKind::kInternal, "make a private key: {}", TakeOpensslError());
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return SecretString(std::string_view(text, static_cast<std::size_t>(size)));
}

}  // namespace tracekeeper::crypto
