#pragma once
// Transit is Vault's transit engine at one mount: keys that stay in Vault, by which we sign, and
// whose public halves others verify with.
//
// Threads:  safe from any thread, blocking, as their Caller.
// Failure:  rows of kFailures; kMalformedSecret for an answer that is no key or signature.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/vault/answer.h"

namespace tracekeeper::vault {

struct TransitKey {
  std::string type;  // "ed25519", "ecdsa-p256", "rsa-2048", "aes256-gcm96"
  std::uint64_t latest_version = 0;
  std::uint64_t minimum_decryption_version = 0;
  std::uint64_t minimum_available_version = 0;
  /// By version; PEM, or Base64 for ed25519. Empty for keys without a public half.
  std::map<std::uint64_t, std::string> public_keys;
  std::string request_id;
};

enum class SignatureForm : std::uint8_t {
  kAsn1,
  kJws,  // ECDSA as a JWT has it, in Base64url
};

struct SignRequest {
  std::string_view input;         // not yet hashed
  std::uint64_t key_version = 0;  // 0: the newest
  SignatureForm form = SignatureForm::kAsn1;
  /// Of RSA keys: "pss" (Vault's default, also for empty) or "pkcs1v15".
  std::string_view rsa_padding = {};
};

struct Signature {
  std::string text;  // as Verify() takes it: "vault:v2:..."
  std::uint64_t key_version = 0;
  std::string bytes;  // what follows the version, still encoded
  std::string request_id;
};

class Transit {
 public:
  Transit(std::string mount, Caller& caller) : mount_(std::move(mount)), caller_(caller) {}

  Result<TransitKey> ReadKey(std::string_view key, const StopToken& stop);
  /// Makes the next version. Its number is latest_version of the next ReadKey().
  Status Rotate(std::string_view key, const StopToken& stop);
  Result<Signature> Sign(std::string_view key, const SignRequest& request, const StopToken& stop);
  Result<bool> Verify(std::string_view key, const SignRequest& request, std::string_view signature,
                      const StopToken& stop);
  /// The ciphertext under the newest version of the key.
  Result<std::string> Rewrap(std::string_view key, std::string_view ciphertext,
                             const StopToken& stop);
  /// Versions below neither encrypt, decrypt, sign nor verify any more.
  Status SetMinimumVersion(std::string_view key, std::uint64_t version, const StopToken& stop);
  /// Destroys the versions below `version`, which must be below the minimum already.
  Status Trim(std::string_view key, std::uint64_t version, const StopToken& stop);

 private:
  Result<Call> MakeCall(Operation operation, std::string_view middle, std::string_view key,
                        std::string_view verb) const;

  const std::string mount_;
  Caller& caller_;
};

Result<TransitKey> ReadTransitKey(const Answer& answer, std::string_view tried);
Result<Signature> ReadSignature(const Answer& answer, std::string_view tried);

}  // namespace tracekeeper::vault
