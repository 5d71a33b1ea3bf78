#include "src/kube/caller.h"

#include <fmt/core.h>

#include "src/kube/status_error.h"

namespace tracekeeper::kube {
namespace {

constexpr std::size_t kErrorBodyLimit = 64U << 10U;

/// Passes the body of a success on and keeps the beginning of any other for the error.
class StreamAnswer final : public net::StreamSink {
 public:
  explicit StreamAnswer(BodySink& body) : body_(body) {}

  Status OnHead(int status, const net::Headers& headers) override {
    status_ = status;
    retry_after_ = headers.Get("Retry-After");
    return {};
  }

  Status OnBytes(std::string_view bytes) override {
    if (status_ < 300) {
      Status taken = body_.OnBody(bytes);
      was_left_ = !taken;
      return taken;
    }
    refusal_.append(bytes.substr(0, kErrorBodyLimit - refusal_.size()));
    return {};
  }

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool is_refusal() const { return status_ >= 300; }
  [[nodiscard]] bool was_left() const { return was_left_; }
  [[nodiscard]] Error Refusal(std::string_view what) const {
    return ErrorFromAnswer(status_, retry_after_, refusal_, what);
  }

 private:
  BodySink& body_;
  int status_ = 0;
  bool was_left_ = false;  // our side gave the stream up
  std::string retry_after_;
  std::string refusal_;
};

}  // namespace

/// What one call has spent: repeats, time, the second chance after a 401.
class Caller::Attempts {
 public:
  Attempts(const Caller& caller, Repeat repeat)
      : caller_(caller),
        repeat_(repeat),
        end_(caller.clock_.Monotonic() + caller.options_.deadline) {}

  [[nodiscard]] Duration left() const { return end_ - caller_.clock_.Monotonic(); }

  /// How long to wait before the call is sent again; nullopt: `error` is the outcome.
  std::optional<Duration> Next(const net::Request& request, int code, const Error& error) {
    if (code == 401) return AfterUnauthorized(request);
    if (code == 429 || code == 503) return AfterRefusal(error);
    if (code == 0 && error.kind == ErrorKind::kUnavailable) return AfterBrokenConnection();
    return std::nullopt;
  }

 private:
  std::optional<Duration> AfterUnauthorized(const net::Request& request) {
    if (was_refreshed_ || caller_.credentials_ == nullptr) return std::nullopt;
    was_refreshed_ = true;
    if (!caller_.credentials_->RefreshAuthorization(request.headers.Get("Authorization"))) {
      return std::nullopt;
    }
    return Duration::zero();
  }

  std::optional<Duration> AfterRefusal(const Error& error) {
    if (repeat_ == Repeat::kNever || !error.retry_after) return std::nullopt;
    const Duration wait = *error.retry_after;
    if (repeats_ == caller_.options_.max_repeats) return std::nullopt;
    if (wait > caller_.options_.max_retry_after || wait >= left()) return std::nullopt;
    ++repeats_;
    return wait;
  }

  /// A kept connection that the server had closed: a new one gets one try.
  std::optional<Duration> AfterBrokenConnection() {
    if (repeat_ != Repeat::kSafe || was_reconnected_ || left() <= Duration::zero()) {
      return std::nullopt;
    }
    was_reconnected_ = true;
    return Duration::zero();
  }

  const Caller& caller_;
  const Repeat repeat_;
  const MonotonicTime end_;
  unsigned repeats_ = 0;
  bool was_refreshed_ = false;
  bool was_reconnected_ = false;
};

Caller::Caller(Client::Options options, net::Transport& unary, net::Transport& streams,
               Credentials* credentials, const Clock& clock, Metrics& metrics)
    : options_(std::move(options)),
      user_agent_(fmt::format("{}/{}", options_.component, options_.version)),
      unary_(unary),
      streams_(streams),
      credentials_(credentials),
      clock_(clock),
      metrics_(options_.host, metrics) {}

void Caller::Sign(net::Request& request) const {
  request.headers.Set("User-Agent", user_agent_);
  if (credentials_ == nullptr) return;
  const std::string authorization = credentials_->Authorization();
  if (!authorization.empty()) request.headers.Set("Authorization", authorization);
}

Result<std::string> Caller::Send(ApiCall call, const StopToken& stop) {
  call.request.target.insert(0, options_.path_prefix);
  Attempts attempts(*this, call.repeat);
  while (true) {
    Sign(call.request);
    const MonotonicTime start = clock_.Monotonic();
    Result<net::Response> answer = unary_.Send(call.request, {.deadline = attempts.left()}, stop);
    const int code = answer ? answer->status : 0;
    metrics_.Observe(call.request.method, code, clock_.Monotonic() - start);
    if (answer && code < 300) return std::move(answer->body);
    Error error =
        answer ? ErrorFromAnswer(code, answer->headers.Get("Retry-After"), answer->body, call.what)
               : std::move(answer.error()).Within(call.what);
    const auto wait = attempts.Next(call.request, code, error);
    if (!wait) return Fail(std::move(error));
    metrics_.CountRepeat(call.request.method, code);
    if (!clock_.SleepFor(*wait, stop)) {
      return Fail(ErrorKind::kCancelled, "{}: stopped while waiting to try again", call.what);
    }
  }
}

Status Caller::Stream(ApiCall call, const net::CallOptions& options, BodySink& sink,
                      const StopToken& stop) {
  call.request.target.insert(0, options_.path_prefix);
  Attempts attempts(*this, call.repeat);
  while (true) {
    Sign(call.request);
    const MonotonicTime start = clock_.Monotonic();
    StreamAnswer answer(sink);
    Status streamed = streams_.Stream(call.request, answer, options, stop);
    metrics_.Observe(call.request.method, answer.status(), clock_.Monotonic() - start);
    if (answer.was_left()) return streamed;
    if (streamed && !answer.is_refusal()) return {};
    Error error = answer.is_refusal() ? answer.Refusal(call.what)
                                      : std::move(streamed.error()).Within(call.what);
    // Once a success has begun, the sink may have seen a part of it.
    if (answer.status() != 0 && !answer.is_refusal()) return Fail(std::move(error));
    const auto wait = attempts.Next(call.request, answer.status(), error);
    if (!wait) return Fail(std::move(error));
    metrics_.CountRepeat(call.request.method, answer.status());
    if (!clock_.SleepFor(*wait, stop)) {
      return Fail(ErrorKind::kCancelled, "{}: stopped while waiting to try again", call.what);
    }
  }
}

}  // namespace tracekeeper::kube
