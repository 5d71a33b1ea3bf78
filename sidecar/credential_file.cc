#include "sidecar/credential_file.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "src/codec/base64.h"

namespace tracekeeper::sidecar {
namespace {

constexpr std::size_t kMaxCredential = 16U << 10U;
/// A file that was written this recently may still be growing.
constexpr Duration kSettle = std::chrono::milliseconds(200);

std::string_view WithoutLineEnds(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool IsHeaderText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' && byte != 0x7f;
  });
}

/// Overwrites the copies that were needed on the way.
void Wipe(std::string& text) { crypto::SecretString::Taking(text); }

}  // namespace

Result<crypto::SecretString> HeaderValueOf(config::AuthScheme scheme, std::string_view text) {
  const std::string_view credential = WithoutLineEnds(text);
  if (credential.empty()) {
    return Fail(ErrorKind::kInvalid, "the file is empty: it may still be being written");
  }
  if (credential.size() > kMaxCredential) {
    return Fail(ErrorKind::kInvalid, "the file is longer than {} bytes: it is no credential",
                kMaxCredential);
  }
  if (!IsHeaderText(credential)) {
    return Fail(ErrorKind::kInvalid,
                "the file has a line break or another control character in it: a credential is "
                "one line");
  }
  std::string value;
  switch (scheme) {
    case config::AuthScheme::kBearer:
      value.reserve(credential.size() + 8);
      value.append("Bearer ").append(credential);
      break;
    case config::AuthScheme::kBasic: {
      if (credential.find(':') == std::string_view::npos) {
        return Fail(ErrorKind::kInvalid, "for scheme Basic the file must hold user:password");
      }
      std::string encoded = codec::EncodeBase64(credential);
      value.reserve(encoded.size() + 8);
      value.append("Basic ").append(encoded);
      Wipe(encoded);
      break;
    }
    case config::AuthScheme::kHeader:
      value = credential;
      break;
  }
  return crypto::SecretString::Taking(value);
}

CredentialFile::CredentialFile(config::ExportAuth auth, const Clock& clock, const Logger& log)
    : auth_(std::move(auth)),
      header_(auth_.scheme == config::AuthScheme::kHeader ? auth_.header.value_or("Authorization")
                                                          : "Authorization"),
      clock_(clock),
      log_(log) {
  report_.file = auth_.file;
}

Status CredentialFile::AddTo(net::Headers& headers) {
  const std::scoped_lock guard(mutex_);
  Refresh();
  if (value_.empty()) {
    return Fail(ErrorKind::kUnauthorized, "no credential to send: {}", report_.problem);
  }
  headers.Set(header_, value_.Reveal());
  return {};
}

CredentialReport CredentialFile::Report() {
  const std::scoped_lock guard(mutex_);
  Refresh();
  return report_;
}

void CredentialFile::Refresh() {
  const auto stamp = StampOf(auth_.file);
  if (!stamp) {
    seen_.reset();
    return Refuse(auth_.file +
                  " is not there: check that the Secret of export.auth exists and "
                  "has its key");
  }
  if (stamp == seen_) return;
  const Duration age = clock_.Now() - stamp->modified;
  if (!value_.empty() && age >= Duration::zero() && age < kSettle) return;  // the next look is soon
  MountedCredential mounted = ReadMountedCredential(auth_.file);
  seen_ = mounted.stamp;
  if (auto* text = std::get_if<FileText>(&mounted.value)) {
    Take(text->text, mounted);
    Wipe(text->text);
  } else if (const auto* unreadable = std::get_if<FileUnreadable>(&mounted.value)) {
    Refuse("cannot read " + auth_.file + ": " + unreadable->reason);
  } else {
    seen_.reset();
  }
}

void CredentialFile::Take(const std::string& text, const MountedCredential& mounted) {
  auto value = HeaderValueOf(auth_.scheme, text);
  if (!value) return Refuse(auth_.file + ": " + value.error().message);
  report_.problem.clear();
  report_.version = mounted.version;
  report_.number = mounted.number;
  if (value_.Equals(*value)) return;
  value_ = *std::move(value);
  report_.since = clock_.Now();
  ++report_.loaded;
  log_.Info("Took a credential", {{"file", auth_.file}, {"version", report_.version}});
}

void CredentialFile::Refuse(std::string problem) {
  if (!value_.empty()) problem += "; the last good credential stays in use";
  if (problem == report_.problem) return;
  report_.problem = std::move(problem);
  ++report_.refused;
  log_.Warn("Could not take a credential", {{"error", report_.problem}});
}

}  // namespace tracekeeper::sidecar
