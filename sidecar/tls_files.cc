#include "sidecar/tls_files.h"

#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "src/crypto/secret_string.h"

namespace tracekeeper::sidecar {
namespace {

/// Where distributions keep the authorities of the web.
constexpr std::array<const char*, 3> kSystemAuthorities = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
constexpr std::streamsize kMaxFile = 4 << 20;

Result<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(ErrorKind::kNotFound, "cannot read {}", path);
  std::string text;
  std::array<char, 16384> buffer;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > static_cast<std::size_t>(kMaxFile)) {
      return Fail(ErrorKind::kInvalid, "{} is longer than {} bytes", path, kMaxFile);
    }
  }
  return text;
}

Result<std::string> ReadAuthorities(const config::ExportTls& tls) {
  if (!tls.ca_file) {
    for (const char* path : kSystemAuthorities) {
      if (auto text = ReadWholeFile(path)) return text;
    }
    return Fail(ErrorKind::kNotFound,
                "this image has no certificate authorities of its own: name yours in "
                "export.tls.ca of the policy");
  }
  std::string text = TRY(ReadWholeFile(*tls.ca_file));
  if (const auto parsed = crypto::ParseCertificates(text); !parsed) {
    return Fail(Error(parsed.error()).Within("export.tls.ca, " + *tls.ca_file));
  }
  return text;
}

Result<std::shared_ptr<const crypto::CertificatePair>> ReadPair(const config::ExportTls& tls) {
  std::string chain = TRY(ReadWholeFile(*tls.certificate_file));
  std::string key = TRY(ReadWholeFile(*tls.key_file));
  auto pair = crypto::CertificatePair::Parse(std::move(chain), crypto::SecretString::Taking(key));
  if (!pair) {
    return Fail(
        std::move(pair).error().Within("export.tls.clientCertificate, " + *tls.certificate_file));
  }
  return std::make_shared<const crypto::CertificatePair>(*std::move(pair));
}

}  // namespace

Result<std::string> TlsFiles::Authorities() {
  auto read = ReadAuthorities(tls_);
  // The system's bundle is large and does not vanish: it is not kept between connections.
  if (!tls_.ca_file) return read;
  const std::scoped_lock guard(mutex_);
  if (read) {
    authorities_ = *read;
    return read;
  }
  if (authorities_.empty()) return read;
  log_.Warn("Kept the last good certificate authorities", {{"error", read.error()}});
  return authorities_;
}

Result<std::shared_ptr<const crypto::CertificatePair>> TlsFiles::Certificate() {
  if (!tls_.certificate_file || !tls_.key_file) return nullptr;
  auto read = ReadPair(tls_);
  const std::scoped_lock guard(mutex_);
  if (read) {
    certificate_ = *read;
    return read;
  }
  if (certificate_ == nullptr) return read;
  log_.Warn("Kept the last good client certificate", {{"error", read.error()}});
  return certificate_;
}

bool TlsFiles::TakeChange() {
  Stamps stamps = CurrentStamps();
  const std::scoped_lock guard(mutex_);
  const bool changed = stamps_ && *stamps_ != stamps;
  stamps_ = stamps;
  return changed;
}

TlsFiles::Stamps TlsFiles::CurrentStamps() const {
  Stamps stamps;
  if (tls_.ca_file) stamps.authorities = StampOf(*tls_.ca_file);
  if (tls_.certificate_file) stamps.certificate = StampOf(*tls_.certificate_file);
  if (tls_.key_file) stamps.key = StampOf(*tls_.key_file);
  return stamps;
}

}  // namespace tracekeeper::sidecar
