#include "src/crypto/jwk.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <vector>

#include "src/crypto/openssl_handles.h"

namespace tracekeeper::crypto {
namespace {

using NumberPtr = std::unique_ptr<BIGNUM, OpensslDeleter<&BN_free>>;
using Bytes = std::vector<unsigned char>;

std::string Base64Url(const unsigned char* bytes, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  const int written =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(written));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

/// A big number of the key, in at least `size` bytes.
Result<std::string> Number(const EVP_PKEY* key, const char* name, int size) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
    return Fail(ErrorKind::kInvalid, "the key has no {}: {}", name, TakeOpensslError());
  }
  const NumberPtr number(raw);
  Bytes bytes(static_cast<std::size_t>(std::max(BN_num_bytes(raw), size)));
  BN_bn2binpad(raw, bytes.data(), static_cast<int>(bytes.size()));
  return Base64Url(bytes.data(), bytes.size());
}

std::string Thumbprint(std::string_view required_members) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(required_members.data(), required_members.size(), digest.data(), &size, EVP_sha256(),
             nullptr);
  return Base64Url(digest.data(), size);
}

Result<std::string> RsaJwk(const EVP_PKEY* key) {
  const std::string e = TRY(Number(key, OSSL_PKEY_PARAM_RSA_E, 0));
  const std::string n = TRY(Number(key, OSSL_PKEY_PARAM_RSA_N, 0));
  const std::string kid = Thumbprint(fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", e, n));
  return fmt::format(R"({{"alg":"RS256","e":"{}","kid":"{}","kty":"RSA","n":"{}","use":"sig"}})", e,
                     kid, n);
}

struct Curve {
  std::string_view group;  // OpenSSL's name
  std::string_view name;   // RFC 7518
  std::string_view algorithm;
  int bytes;
};
constexpr std::array kCurves = {Curve{"prime256v1", "P-256", "ES256", 32},
                                Curve{"secp384r1", "P-384", "ES384", 48},
                                Curve{"secp521r1", "P-521", "ES512", 66}};

Result<std::string> EcJwk(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  EVP_PKEY_get_group_name(key, group.data(), group.size(), &size);
  for (const Curve& curve : kCurves) {
    if (curve.group != std::string_view(group.data(), size)) continue;
    const std::string x = TRY(Number(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.bytes));
    const std::string y = TRY(Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.bytes));
    const std::string kid =
        Thumbprint(fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})", curve.name, x, y));
    return fmt::format(
        R"({{"alg":"{}","crv":"{}","kid":"{}","kty":"EC","use":"sig","x":"{}","y":"{}"}})",
        curve.algorithm, curve.name, kid, x, y);
  }
  return Fail(ErrorKind::kInvalid, "keys on the curve {} sign no tokens here", group.data());
}

std::string OkpJwk(const unsigned char* bytes, std::size_t size) {
  const std::string x = Base64Url(bytes, size);
  const std::string kid = Thumbprint(fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", x));
  return fmt::format(
      R"({{"alg":"EdDSA","crv":"Ed25519","kid":"{}","kty":"OKP","use":"sig","x":"{}"}})", kid, x);
}

KeyPtr ReadPublicKey(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
}

}  // namespace

Result<std::string> PublicJwk(std::string_view key_pem) {
  KeyPtr key = ReadPublicKey(key_pem);
  if (key == nullptr) {
    TakeOpensslError();
    key = TRY(ReadPrivateKey(key_pem));
  }
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      return RsaJwk(key.get());
    case EVP_PKEY_EC:
      return EcJwk(key.get());
    case EVP_PKEY_ED25519: {
      std::array<unsigned char, 32> bytes{};
      std::size_t size = bytes.size();
      EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size);
      return OkpJwk(bytes.data(), size);
    }
    default:
      return Fail(ErrorKind::kInvalid, "this kind of key signs no tokens here");
  }
}

Result<std::string> Ed25519Jwk(std::string_view public_key) {
  constexpr std::size_t kSize = 32;
  if (public_key.size() != kSize) {
    return Fail(ErrorKind::kDecode, "an Ed25519 public key has {} bytes, not {}", kSize,
                public_key.size());
  }
  return OkpJwk(reinterpret_cast<const unsigned char*>(public_key.data()), public_key.size());
}

}  // namespace tracekeeper::crypto
