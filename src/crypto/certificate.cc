#include "src/crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "src/crypto/digest.h"
#include "src/crypto/openssl_handles.h"

namespace tracekeeper::crypto {

namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<&GENERAL_NAMES_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslDeleter<&X509_STORE_CTX_free>>;

Instant ToInstant(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Instant{};
  return Instant{std::chrono::seconds(timegm(&parts))};
}

std::string SerialText(const X509& certificate) {
  const std::unique_ptr<BIGNUM, OpensslDeleter<&BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  const std::unique_ptr<char, decltype([](char* text) { OPENSSL_free(text); })> hex(
      number ? BN_bn2hex(number.get()) : nullptr);
  std::string text = hex ? hex.get() : "";
  for (char& digit : text) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
  return text;
}

std::string Fingerprint(X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size <= 0) return {};
  std::string digest =
      Sha256Hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

std::string AddressText(const ASN1_OCTET_STRING& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(&address) == 4 ? AF_INET : AF_INET6;
  const unsigned char* bytes = ASN1_STRING_get0_data(&address);
  if (inet_ntop(family, bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

void ReadAlternativeNames(X509& certificate, CertificateInfo& info) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      info.dns_names.emplace_back(
          reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
          static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const int size = ASN1_STRING_length(name->d.iPAddress);
      if (size == 4 || size == 16) info.ip_addresses.push_back(AddressText(*name->d.iPAddress));
    }
  }
}

CertificateInfo InfoOf(X509& certificate) {
  CertificateInfo info;
  info.subject = NameText(X509_get_subject_name(&certificate));
  info.issuer = NameText(X509_get_issuer_name(&certificate));
  info.serial = SerialText(certificate);
  info.fingerprint = Fingerprint(certificate);
  info.not_before = ToInstant(X509_get0_notBefore(&certificate));
  info.not_after = ToInstant(X509_get0_notAfter(&certificate));
  info.is_authority = X509_check_ca(&certificate) == 1;
  ReadAlternativeNames(certificate, info);
  return info;
}

}  // namespace

Result<std::vector<CertificateInfo>> ParseCertificates(std::string_view pem) {
  const auto certificates = TRY(ReadCertificates(pem));
  std::vector<CertificateInfo> infos;
  infos.reserve(certificates.size());
  for (const X509Ptr& certificate : certificates) infos.push_back(InfoOf(*certificate));
  return infos;
}

Status VerifyServerCertificate(std::string_view chain_pem, std::string_view authorities_pem,
                               Instant now) {
  const auto chain = TRY(ReadCertificates(chain_pem));
  const X509StorePtr store = TRY(MakeTrustStore(authorities_pem));

  const std::unique_ptr<STACK_OF(X509),
                        decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>
      intermediates(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    sk_X509_push(intermediates.get(), chain[i].get());
  }

  const StoreContextPtr context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), intermediates.get()) !=
      1) {
    return Fail(ErrorKind::kInternal, "prepare a verification: {}", TakeOpensslError());
  }
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(
      context.get(), 0,
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  if (X509_verify_cert(context.get()) == 1) return {};

  const int code = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return Fail(ErrorKind::kInvalid, "certificate {} is not vouched for: {}",
              NameText(X509_get_subject_name(chain.front().get())),
              X509_verify_cert_error_string(code));
}

Result<CertificatePair> CertificatePair::Parse(std::string chain_pem,
                                               SecretString private_key_pem) {
  const auto chain = TRY(ReadCertificates(chain_pem));
  const KeyPtr key = TRY(ReadPrivateKey(private_key_pem.Reveal()));
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return Fail(ErrorKind::kInvalid,
                "the private key does not belong to certificate {}: give both from one issue",
                NameText(X509_get_subject_name(chain.front().get())));
  }
  CertificateInfo leaf = InfoOf(*chain.front());
  return CertificatePair(std::move(chain_pem), std::move(private_key_pem), std::move(leaf));
}

}  // namespace tracekeeper::crypto
