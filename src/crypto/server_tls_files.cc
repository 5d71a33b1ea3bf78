#include "src/crypto/server_tls_files.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "src/crypto/certificate.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::crypto {
namespace {

Result<std::string> ReadPem(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 16384> buffer;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > ServerTlsFiles::kMaxBytes) {
      return Fail(ErrorKind::kInvalid, "{}: is longer than {} bytes", path,
                  ServerTlsFiles::kMaxBytes);
    }
  }
  if (!file.eof()) {
    return Fail(ErrorKind::kNotFound, "{}: cannot be read: {}", path, std::strerror(errno));
  }
  if (text.find("-----BEGIN ") == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "{}: is not in PEM format", path);
  }
  return text;
}

/// PEM with at least one certificate.
Result<std::string> ReadCertificateFile(const std::string& path) {
  std::string text = TRY(ReadPem(path));
  if (auto parsed = ParseCertificates(text); !parsed) {
    return Fail(std::move(parsed).error().Within(path));
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<ServerTlsFiles>> ServerTlsFiles::Make(Paths paths) {
  std::unique_ptr<ServerTlsFiles> files(new ServerTlsFiles(std::move(paths)));
  TRY(files->ReadAgain());
  return files;
}

Result<ServerTlsFiles::Change> ServerTlsFiles::ReadAgain() {
  std::string chain = TRY(ReadCertificateFile(paths_.certificate));
  std::string key_text = TRY(ReadPem(paths_.key));
  SecretString key = SecretString::Taking(key_text);
  std::string authorities;
  if (!paths_.client_authorities.empty()) {
    authorities = TRY(ReadCertificateFile(paths_.client_authorities));
  }
  const auto shown = source_->Certificate();
  if (shown && shown->chain_pem() == chain && shown->private_key_pem().Equals(key) &&
      source_->ClientAuthoritiesPem() == authorities) {
    return Change::kNone;
  }
  auto pair = CertificatePair::Parse(std::move(chain), std::move(key));
  if (!pair) return Fail(std::move(pair).error().Within(paths_.key));
  Status swapped = source_->Swap(std::make_shared<const CertificatePair>(*std::move(pair)),
                                 std::move(authorities));
  if (!swapped) return Fail(std::move(swapped).error().Within(paths_.certificate));
  return Change::kTaken;
}

}  // namespace tracekeeper::crypto
