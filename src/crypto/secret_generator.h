#pragma once
// Makes the secrets that rotation writes: passwords and private keys, in locked memory.
//
// Threads:  safe from any thread; the randomness is OpenSSL's.
// Failure:  kInternal when OpenSSL has no randomness or refuses.

#include <cstddef>

#include "src/base/result.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::crypto {

/// `length` letters and digits, each of the 62 alike: 5.95 bits a character.
Result<SecretString> MakePassword(std::size_t length);

enum class KeyKind { kRsa, kEcdsaP256, kEd25519 };

/// PKCS#8 in PEM. `rsa_bits` counts for RSA alone.
Result<SecretString> MakePrivateKey(KeyKind kind, unsigned rsa_bits);

}  // namespace tracekeeper::crypto
