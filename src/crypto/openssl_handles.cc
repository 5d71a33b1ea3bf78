#include "src/crypto/openssl_handles.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace tracekeeper::crypto {

namespace {

BioPtr ReadOnlyBio(std::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

/// Without a passphrase callback OpenSSL would ask the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

}  // namespace

std::string TakeOpensslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

Result<std::vector<X509Ptr>> ReadCertificates(std::string_view pem) {
  const BioPtr bio = ReadOnlyBio(pem);
  std::vector<X509Ptr> certificates;
  ERR_clear_error();
  while (X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  // The loop always ends with an error; the good one says that no further block begins.
  const bool reached_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeOpensslError();
  if (!reached_end) {
    return Fail(ErrorKind::kDecode, "certificate {} of the PEM text is damaged: {}",
                certificates.size() + 1, reason);
  }
  if (certificates.empty()) {
    return Fail(ErrorKind::kDecode, "there is no certificate (BEGIN CERTIFICATE) in the PEM text");
  }
  return certificates;
}

Result<KeyPtr> ReadPrivateKey(std::string_view pem) {
  const BioPtr bio = ReadOnlyBio(pem);
  ERR_clear_error();
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr));
  if (!key) {
    return Fail(ErrorKind::kDecode,
                "the private key cannot be read ({}): give an unencrypted PEM key",
                TakeOpensslError());
  }
  return key;
}

Result<X509StorePtr> MakeTrustStore(std::string_view authorities_pem) {
  const auto authorities = TRY(ReadCertificates(authorities_pem));
  X509StorePtr store(X509_STORE_new());
  for (const X509Ptr& authority : authorities) {
    if (X509_STORE_add_cert(store.get(), authority.get()) != 1) {
      return Fail(ErrorKind::kDecode, "an authority cannot be used: {}", TakeOpensslError());
    }
  }
  return store;
}

std::string NameText(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace tracekeeper::crypto
