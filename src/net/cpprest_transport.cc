// CpprestTransport: the only file that includes cpprest. Its exceptions and tasks end here.
//
// What cpprest does on its own and how it is held: it waits for each step without an overall
// deadline (we wait ourselves and cancel), follows redirects (off), trusts the system's authorities
// (replaced), sends any call again when a kept connection turns out closed (POST and PATCH get a
// connection of their own), says little about TLS failures (asked of OpenSSL).

#include <cpprest/http_client.h>
#include <openssl/ssl.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "src/crypto/tls_context.h"
#include "src/net/origin.h"
#include "src/net/request_writer.h"
#include "src/net/transports.h"

namespace tracekeeper::net {

namespace {

using web::http::client::http_client;
using web::http::client::http_client_config;

constexpr std::size_t kPiece = 256U << 10U;

/// Why the newest TLS connection failed; cpprest itself only says that it did.
class TlsDiagnosis {
 public:
  /// The first reason stays: what goes wrong after it follows from it.
  void Add(std::string reason) {
    const std::lock_guard lock(mutex_);
    if (reason_.empty()) reason_ = std::move(reason);
  }
  [[nodiscard]] std::string Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(reason_, {});
  }

 private:
  std::mutex mutex_;
  std::string reason_;  // guarded by mutex_
};

/// Verifies as OpenSSL would, and keeps the reason of a refusal.
int VerifyAndExplain(X509_STORE_CTX* context, void* diagnosis) {
  const int verified = X509_verify_cert(context);
  if (verified == 1) return 1;
  const int code = X509_STORE_CTX_get_error(context);
  // cpprest's own callback refuses a wrong name without an error code of OpenSSL.
  static_cast<TlsDiagnosis*>(diagnosis)->Add(std::string("the server's certificate is refused: ") +
                                             (code == X509_V_OK || code == X509_V_ERR_UNSPECIFIED
                                                  ? "it names another host"
                                                  : X509_verify_cert_error_string(code)));
  return verified;
}

/// Waits for a task of cpprest on a thread of ours. The task may outlive the wait, so what it
/// writes to is shared with it.
template <typename T>
class Outcome {
 public:
  static std::shared_ptr<Outcome> Of(const pplx::task<T>& task) {
    auto outcome = std::make_shared<Outcome>();
    task.then([outcome](const pplx::task<T>& done) {
      const std::lock_guard lock(outcome->mutex_);
      try {
        outcome->value_ = done.get();
      } catch (...) {
        outcome->exception_ = std::current_exception();
      }
      outcome->settled_.notify_all();
    });
    return outcome;
  }

  /// The value; throws what the task threw. Nothing when `deadline` or `stop` came first.
  std::optional<T> Wait(MonotonicTime deadline, const StopToken& stop) {
    std::unique_lock lock(mutex_);
    settled_.wait_until(lock, stop, deadline, [this] { return value_ || exception_; });
    if (exception_) std::rethrow_exception(exception_);
    return std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any settled_;
  std::optional<T> value_;
  std::exception_ptr exception_;
};

ErrorKind KindOf(const std::error_code& code) {
  switch (code.value()) {
    case ETIMEDOUT:
      return ErrorKind::kTimeout;
    case ECANCELED:
      return ErrorKind::kCancelled;
    default:
      return ErrorKind::kUnavailable;
  }
}

class CpprestTransport final : public Transport {
 public:
  CpprestTransport(TransportOptions options, const Origin& origin)
      : options_(std::move(options)),
        origin_(origin),
        diagnosis_(std::make_shared<TlsDiagnosis>()),
        kept_client_(origin_.Text(), Config()) {}

  Result<Response> Send(const Request& request, const CallOptions& options,
                        const StopToken& stop) override {
    auto response = Perform(request, options, stop);
    if (response) return response;
    return Fail(std::move(response).error().Within(fmt::format(
        "{} {}: {} {}", options_.name, origin_.Text(), request.method, PathOf(request.target))));
  }

  Status Stream(const Request& request, StreamSink& /*sink*/, const CallOptions& /*options*/,
                const StopToken& /*stop*/) override {
    return Fail(ErrorKind::kInternal,
                "{} {}: {} {}: cpprest cannot stream within bounds: use "
                "MakeBeastTransport for watches",
                options_.name, origin_.Text(), request.method, PathOf(request.target));
  }

 private:
  /// One call's way to end early.
  struct Call {
    MonotonicTime deadline;
    StopToken stop;
    pplx::cancellation_token_source cancellation;

    /// The error of a wait that gave nothing; ends what cpprest still does for the call.
    tl::unexpected<Error> GiveUp() {
      cancellation.cancel();
      if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
      return Fail(ErrorKind::kTimeout, "no complete answer in time");
    }
  };

  Result<Response> Perform(const Request& request, const CallOptions& options,
                           const StopToken& stop) {
    TRY(CheckRequest(request));
    Call call{std::chrono::steady_clock::now() + options.deadline, stop, {}};
    if (stop.stop_requested()) return call.GiveUp();
    try {
      // cpprest would send these again on a connection that the server has just closed.
      const bool may_repeat = request.method != "POST" && request.method != "PATCH";
      http_client client = may_repeat ? kept_client_ : http_client(origin_.Text(), Config());
      const auto head = Outcome<web::http::http_response>::Of(
          client.request(ToCpprest(request), call.cancellation.get_token()));
      const auto answer = head->Wait(call.deadline, stop);
      if (!answer) return call.GiveUp();
      return ReadResponse(*answer, request, options, call);
    } catch (const web::http::http_exception& exception) {
      call.cancellation.cancel();
      const std::string reason = diagnosis_->Take();
      return Fail(KindOf(exception.error_code()), "{}", reason.empty() ? exception.what() : reason);
    } catch (const std::exception& exception) {
      call.cancellation.cancel();
      return Fail(ErrorKind::kUnavailable, "{}", exception.what());
    }
  }

  Result<Response> ReadResponse(const web::http::http_response& answer, const Request& request,
                                const CallOptions& options, Call& call) {
    Response response;
    response.status = answer.status_code();
    for (const auto& [name, value] : answer.headers()) response.headers.Add(name, value);
    if (request.method == "HEAD") return response;
    // The piece is shared with the read, which may still run when the wait has ended.
    const auto piece = std::make_shared<std::vector<unsigned char>>(kPiece);
    auto source = answer.body().streambuf();
    for (;;) {
      const auto read = Outcome<std::size_t>::Of(
          source.getn(piece->data(), piece->size()).then([piece](std::size_t size) {
            return size;
          }));
      const auto size = read->Wait(call.deadline, call.stop);
      if (!size) return call.GiveUp();
      if (*size == 0) return response;
      if (*size > options.body_limit - response.body.size()) {
        call.cancellation.cancel();
        return Fail(ErrorKind::kDecode, "the answer is longer than the {} bytes expected of it",
                    options.body_limit);
      }
      response.body.append(reinterpret_cast<const char*>(piece->data()), *size);
    }
  }

  [[nodiscard]] web::http::http_request ToCpprest(const Request& request) const {
    web::http::http_request converted(request.method);
    converted.set_request_uri(request.target);
    for (const auto& [name, value] : request.headers) {
      // Host would change which name the certificate is checked for.
      const Headers probe{{name, ""}};
      if (!probe.Has("Host") && !probe.Has("Content-Length")) converted.headers().add(name, value);
    }
    if (!request.headers.Has("User-Agent")) converted.headers().add("User-Agent", "tracekeeper");
    if (!request.body.empty()) {
      converted.set_body(std::vector<unsigned char>(request.body.begin(), request.body.end()));
    }
    return converted;
  }

  [[nodiscard]] http_client_config Config() const {
    http_client_config config;
    // cpprest counts each step anew; the deadline of the whole call is ours.
    config.set_timeout(std::chrono::hours(24));
    config.set_max_redirects(0);
    if (!origin_.is_https) return config;
    config.set_ssl_context_callback([authorities = options_.authorities_pem,
                                     own = options_.client_certificate,
                                     diagnosis = diagnosis_](boost::asio::ssl::context& context) {
      SSL_CTX* native = context.native_handle();
      SSL_CTX_set_cert_verify_callback(native, &VerifyAndExplain, diagnosis.get());
      const Status configured = Configure(native, authorities, own);
      if (configured) return;
      // Nothing may be trusted then. The callback cannot fail, the handshake will.
      SSL_CTX_set_cert_store(native, X509_STORE_new());
      diagnosis->Add(configured.error().message);
    });
    return config;
  }

  static Status Configure(
      SSL_CTX* context, const decltype(TransportOptions::authorities_pem)& authorities,
      const decltype(TransportOptions::client_certificate)& client_certificate) {
    const std::string authorities_pem = TRY(authorities());
    std::shared_ptr<const crypto::CertificatePair> own;
    if (client_certificate) own = TRY(client_certificate());
    return crypto::ConfigureClientContext(context, authorities_pem, own.get());
  }

  const TransportOptions options_;
  const Origin origin_;
  const std::shared_ptr<TlsDiagnosis> diagnosis_;
  const http_client kept_client_;
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeCpprestTransport(TransportOptions options) {
  auto origin = ParseOrigin(options.base_url);
  if (!origin) return Fail(std::move(origin).error().Within(options.name));
  if (origin->is_https && !options.authorities_pem) {
    return Fail(ErrorKind::kInvalid, "{} {}: https needs the authorities to trust", options.name,
                origin->Text());
  }
  if (!CpprestCanReach(options)) {
    return Fail(
        ErrorKind::kInvalid,
        "{} {}: cpprest takes no IPv6 address and expects no other name than the URL's ({}): "
        "use MakeBeastTransport",
        options.name, origin->Text(),
        options.server_name.empty() ? origin->host : options.server_name);
  }
  try {
    return std::make_unique<CpprestTransport>(std::move(options), *origin);
  } catch (const std::exception& exception) {
    return Fail(ErrorKind::kInvalid, "{}: {}", origin->Text(), exception.what());
  }
}

Status InitializeCpprest(unsigned threads) {
  // cpprest reads the system's bundle for each connection (20 ms) before we replace it. Nothing in
  // this program trusts that bundle, so there is nothing to lose by not finding it.
  // Allowed here: the first call of main(), before any thread.
  ::setenv("SSL_CERT_FILE", "/dev/null", 1);
  // Allowed here: the first call of main(), before any thread.
  ::setenv("SSL_CERT_DIR", "/dev/null", 1);
  try {
    crossplat::threadpool::initialize_with_threads(threads);
    return {};
  } catch (const std::exception& exception) {
    return Fail(ErrorKind::kInternal,
                "cpprest's threads cannot be set up: {}: do it once, before the first request",
                exception.what());
  }
}

}  // namespace tracekeeper::net
