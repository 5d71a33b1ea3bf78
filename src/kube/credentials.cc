#include "src/kube/credentials.h"

#include <mutex>
#include <utility>

#include "src/kube/file_contents.h"

namespace tracekeeper::kube {
namespace {

/// Bytes of a Config: fixed, or followed on disk.
class Source {
 public:
  Source() = default;
  Source(const DataOrFile& from, Duration period)
      : data_(from.data),
        file_(from.file, period),
        is_file_(from.data.empty() && !from.file.empty()) {}

  [[nodiscard]] bool is_file() const { return is_file_; }
  [[nodiscard]] bool empty() const { return !is_file_ && data_.empty(); }
  [[nodiscard]] const std::string& bytes() const { return is_file_ ? file_.bytes() : data_; }
  [[nodiscard]] std::uint64_t version() const { return file_.version(); }

  Status RefreshIfDue(MonotonicTime now) { return is_file_ ? file_.RefreshIfDue(now) : Status{}; }
  Status Refresh(MonotonicTime now) { return is_file_ ? file_.Refresh(now) : Status{}; }

 private:
  std::string data_;
  FileContents file_;
  bool is_file_ = false;
};

/// "Bearer TOKEN". A token that would break out of its header is refused, and not quoted.
Result<std::string> HeaderOf(std::string_view token) {
  const std::size_t first = token.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::string();
  token = token.substr(first, token.find_last_not_of(" \t\r\n") - first + 1);
  for (const char c : token) {
    if (c <= ' ' || c > '~') {
      return Fail(ErrorKind::kInvalid, "the token holds characters that no bearer token has");
    }
  }
  return "Bearer " + std::string(token);
}

}  // namespace

struct Credentials::State {
  State(const Clock& clock_to_use, Logger logger) : clock(clock_to_use), log(std::move(logger)) {}

  const Clock& clock;
  Logger log;
  std::mutex mutex;
  // All below: under mutex.
  Source token;
  std::string header;
  std::uint64_t header_version = 0;
  Source authorities;
  Source certificate;
  Source key;
  std::uint64_t pair_version = 0;
  std::shared_ptr<const crypto::CertificatePair> pair;

  void Report(std::string_view message, const Status& status) const {
    if (!status) log.Warn(message, {{"error", status.error()}});
  }

  /// Makes the header anew when the token's bytes have changed.
  Status TakeToken() {
    if (token.is_file() && token.version() == header_version) return {};
    header_version = token.version();
    header = TRY(HeaderOf(token.bytes()));
    return {};
  }

  /// Certificate and key change one after the other: until they fit, the last pair stays.
  Status TakePair() {
    const std::uint64_t version = certificate.version() + key.version();
    if (pair != nullptr && version == pair_version) return {};
    pair_version = version;
    crypto::CertificatePair made =
        TRY(crypto::CertificatePair::Parse(certificate.bytes(), crypto::SecretString(key.bytes())));
    pair = std::make_shared<const crypto::CertificatePair>(std::move(made));
    return {};
  }
};

Credentials::Credentials(std::unique_ptr<State> state) : state_(std::move(state)) {}
Credentials::~Credentials() = default;

Result<std::unique_ptr<Credentials>> Credentials::Make(const Config& config, const Clock& clock,
                                                       Logger log) {
  return Make(config, clock, std::move(log), Options());
}

Result<std::unique_ptr<Credentials>> Credentials::Make(const Config& config, const Clock& clock,
                                                       Logger log, Options options) {
  auto state = std::make_unique<State>(clock, std::move(log));
  const MonotonicTime now = clock.Monotonic();
  state->token = Source(config.token, options.token_period);
  state->authorities = Source(config.certificate_authority, options.certificate_period);
  state->certificate = Source(config.client_certificate, options.certificate_period);
  state->key = Source(config.client_key, options.certificate_period);
  for (Source* source : {&state->token, &state->authorities, &state->certificate, &state->key}) {
    TRY(source->Refresh(now));
  }
  if (!state->token.empty()) TRY(state->TakeToken());
  if (!state->certificate.empty()) TRY(state->TakePair());
  return std::unique_ptr<Credentials>(new Credentials(std::move(state)));
}

std::string Credentials::Authorization() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->token.is_file()) return state_->header;
  state_->Report("Kept the last good token", state_->token.RefreshIfDue(state_->clock.Monotonic()));
  state_->Report("Kept the last good token", state_->TakeToken());
  return state_->header;
}

bool Credentials::RefreshAuthorization(std::string_view refused) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->token.is_file()) return false;
  state_->Report("Kept the last good token", state_->token.Refresh(state_->clock.Monotonic()));
  state_->Report("Kept the last good token", state_->TakeToken());
  return state_->header != refused;
}

std::string Credentials::AuthoritiesPem() {
  const std::lock_guard lock(state_->mutex);
  state_->Report("Kept the last good certificate authorities",
                 state_->authorities.RefreshIfDue(state_->clock.Monotonic()));
  return state_->authorities.bytes();
}

std::shared_ptr<const crypto::CertificatePair> Credentials::ClientCertificate() {
  const std::lock_guard lock(state_->mutex);
  if (state_->certificate.empty()) return nullptr;
  const MonotonicTime now = state_->clock.Monotonic();
  constexpr std::string_view kKept = "Kept the last good client certificate";
  state_->Report(kKept, state_->certificate.RefreshIfDue(now));
  state_->Report(kKept, state_->key.RefreshIfDue(now));
  state_->Report(kKept, state_->TakePair());
  return state_->pair;
}

}  // namespace tracekeeper::kube
