#pragma once
// Jwk makes the public half of a key what verifiers of tokens read: a JSON Web Key (RFC 7517).
//
//   {"alg":"ES256","crv":"P-256","kid":"...","kty":"EC","use":"sig","x":"...","y":"..."}
//
// `kid` is the key's thumbprint (RFC 7638), so whoever holds the key can name it without being
// told.
//
// Threads:  pure functions.
// Failure:  kDecode for what is no key, kInvalid for a kind of key that signs no tokens here: RSA,
//           EC on P-256, P-384 and P-521, and Ed25519 (RFC 8037) do.

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::crypto {

/// Of a PEM that holds a private or a public key. Nothing private is in the answer.
Result<std::string> PublicJwk(std::string_view key_pem);

/// Of the 32 bytes of an Ed25519 public key.
Result<std::string> Ed25519Jwk(std::string_view public_key);

}  // namespace tracekeeper::crypto
