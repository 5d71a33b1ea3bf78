#include "src/crypto/certificate_maker.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "src/crypto/openssl_handles.h"

namespace tracekeeper::crypto {

namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslDeleter<&X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<&GENERAL_NAMES_free>>;

/// A failed step of making a certificate; never the fault of a caller's input.
tl::unexpected<Error> StepFailed(std::string_view step) {
  return Fail(ErrorKind::kInternal, "{}: {}", step, TakeOpensslError());
}

Status SetRandomSerial(X509& certificate) {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return StepFailed("draw a serial number");
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7FU) | 0x40U);  // positive, always 16 bytes
  const std::unique_ptr<BIGNUM, OpensslDeleter<&BN_free>> number(
      BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) == nullptr) {
    return StepFailed("set the serial number");
  }
  return {};
}

std::time_t Seconds(Instant instant) {
  return std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count();
}

Status SetValidity(X509& certificate, Instant from, Instant until) {
  if (ASN1_TIME_set(X509_getm_notBefore(&certificate), Seconds(from)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(&certificate), Seconds(until)) == nullptr) {
    return StepFailed("set the validity");
  }
  return {};
}

Status AddName(X509_NAME& name, const char* field, const std::string& value) {
  if (X509_NAME_add_entry_by_txt(&name, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.data()),
                                 static_cast<int>(value.size()), -1, 0) != 1) {
    return Fail(ErrorKind::kInvalid, "\"{}\" cannot be the {} of a certificate: {}", value, field,
                TakeOpensslError());
  }
  return {};
}

Status AddExtension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1) {
    return StepFailed("add an extension");
  }
  return {};
}

/// The names go in as values, not as OpenSSL's configuration text, where a comma would add one.
Status AddAlternativeNames(X509& certificate, const CertificateRequest& request) {
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  const auto push = [&names](GENERAL_NAME* name, int type, ASN1_STRING* value) {
    GENERAL_NAME_set0_value(name, type, value);
    sk_GENERAL_NAME_push(names.get(), name);
  };
  for (const std::string& dns_name : request.dns_names) {
    ASN1_IA5STRING* value = ASN1_IA5STRING_new();
    ASN1_STRING_set(value, dns_name.data(), static_cast<int>(dns_name.size()));
    push(GENERAL_NAME_new(), GEN_DNS, value);
  }
  for (const std::string& address : request.ip_addresses) {
    ASN1_OCTET_STRING* value = a2i_IPADDRESS(address.c_str());
    if (value == nullptr) {
      return Fail(ErrorKind::kInvalid, "\"{}\" is not an IP address", address);
    }
    push(GENERAL_NAME_new(), GEN_IPADD, value);
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return {};
  if (X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0, 0) != 1) {
    return StepFailed("add the alternative names");
  }
  return {};
}

Result<KeyPtr> MakeKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return StepFailed("make a key");
  return key;
}

Result<X509Ptr> StartCertificate(EVP_PKEY& key, const std::string& common_name,
                                 const std::vector<std::string>& organizations) {
  X509Ptr certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), &key) != 1) {
    return StepFailed("start a certificate");
  }
  TRY(SetRandomSerial(*certificate));
  X509_NAME& subject = *X509_get_subject_name(certificate.get());
  for (const std::string& organization : organizations) TRY(AddName(subject, "O", organization));
  TRY(AddName(subject, "CN", common_name));
  return certificate;
}

Result<std::string> WritePem(BIO* bio, int written) {
  if (bio == nullptr || written != 1) return StepFailed("write PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return std::string(text, static_cast<std::size_t>(size));
}

/// Signs `certificate` and puts it into a pair with its own `key`.
Result<CertificatePair> Finish(X509& certificate, EVP_PKEY& key, EVP_PKEY& signer) {
  if (X509_sign(&certificate, &signer, EVP_sha256()) == 0) return StepFailed("sign a certificate");
  const BioPtr certificate_bio(BIO_new(BIO_s_mem()));
  std::string certificate_pem =
      TRY(WritePem(certificate_bio.get(), PEM_write_bio_X509(certificate_bio.get(), &certificate)));
  // The secure-memory BIO wipes what it held when it is freed.
  const BioPtr key_bio(BIO_new(BIO_s_secmem()));
  std::string key_pem =
      TRY(WritePem(key_bio.get(), PEM_write_bio_PKCS8PrivateKey(key_bio.get(), &key, nullptr,
                                                                nullptr, 0, nullptr, nullptr)));
  return CertificatePair::Parse(std::move(certificate_pem), SecretString::Taking(key_pem));
}

}  // namespace

Result<CertificatePair> MakeCertificateAuthority(const std::string& common_name,
                                                 const CertificateValidity& validity) {
  const KeyPtr key = TRY(MakeKey());
  const X509Ptr certificate = TRY(StartCertificate(*key, common_name, {}));
  X509& authority = *certificate;
  TRY(SetValidity(authority, validity.now - validity.back_dated_by,
                  validity.now + validity.lifetime));
  X509_set_issuer_name(&authority, X509_get_subject_name(&authority));
  TRY(AddExtension(authority, authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(AddExtension(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(AddExtension(authority, authority, NID_subject_key_identifier, "hash"));
  return Finish(authority, *key, *key);
}

Result<CertificatePair> IssueCertificate(const CertificatePair& authority,
                                         const CertificateRequest& request,
                                         const CertificateValidity& validity) {
  if (request.use == CertificateUse::kServer && request.dns_names.empty() &&
      request.ip_addresses.empty()) {
    return Fail(
        ErrorKind::kInvalid,
        "a server certificate for {} needs a DNS name or an IP address: clients check those",
        request.common_name);
  }
  const auto issuers = TRY(ReadCertificates(authority.chain_pem()));
  X509& issuer = *issuers.front();
  const KeyPtr issuer_key = TRY(ReadPrivateKey(authority.private_key_pem().Reveal()));

  const KeyPtr key = TRY(MakeKey());
  const X509Ptr certificate =
      TRY(StartCertificate(*key, request.common_name, request.organizations));
  X509& leaf = *certificate;
  TRY(SetValidity(leaf, validity.now - validity.back_dated_by,
                  std::min(validity.now + validity.lifetime, authority.leaf().not_after)));
  X509_set_issuer_name(&leaf, X509_get_subject_name(&issuer));
  TRY(AddExtension(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE"));
  TRY(AddExtension(leaf, issuer, NID_key_usage, "critical,digitalSignature"));
  TRY(AddExtension(leaf, issuer, NID_ext_key_usage,
                   request.use == CertificateUse::kServer ? "serverAuth" : "clientAuth"));
  TRY(AddExtension(leaf, issuer, NID_subject_key_identifier, "hash"));
  TRY(AddExtension(leaf, issuer, NID_authority_key_identifier, "keyid:always"));
  TRY(AddAlternativeNames(leaf, request));
  return Finish(leaf, *key, *issuer_key);
}

}  // namespace tracekeeper::crypto
