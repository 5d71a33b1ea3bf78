#pragma once
// Owning handles for OpenSSL's objects, and its error queue as a sentence. Only for the .cc files
// of this folder.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::crypto {

template <auto kFree>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslDeleter<&BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<&EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<&X509_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpensslDeleter<&X509_STORE_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDeleter<&SSL_CTX_free>>;

/// The oldest error of this thread's queue, which is emptied: "key values mismatch".
std::string TakeOpensslError();

/// Every certificate of `pem`; kDecode when there is none or one is damaged.
Result<std::vector<X509Ptr>> ReadCertificates(std::string_view pem);

Result<KeyPtr> ReadPrivateKey(std::string_view pem);

/// A store that holds `authorities_pem` and nothing else.
Result<X509StorePtr> MakeTrustStore(std::string_view authorities_pem);

/// "CN = webhook, O = shop".
std::string NameText(const X509_NAME* name);

}  // namespace tracekeeper::crypto
