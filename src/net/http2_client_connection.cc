#include "src/net/http2_client_connection.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::net {

namespace {

constexpr std::size_t kReadBuffer = 16U << 10U;
constexpr unsigned kMostDoublings = 6;

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

Error Unavailable(std::string message) { return {ErrorKind::kUnavailable, std::move(message), {}}; }

}  // namespace

Http2ClientConnection::Http2ClientConnection(std::unique_ptr<ByteStream> stream,
                                             const StreamTls& tls, const Origin& origin,
                                             const Http2ClientOptions& options, Owner& owner)
    : stream_(std::move(stream)),
      tls_(tls),
      options_(options),
      owner_(owner),
      session_(origin.is_https ? "https" : "http", origin.Authority(), options.header_bytes, *this),
      opened_at_(Now()),
      heard_at_(opened_at_),
      quiet_since_(opened_at_),
      idle_since_(opened_at_) {}

void Http2ClientConnection::Start(MonotonicTime deadline) {
  greeting_deadline_ = deadline;
  stream_->Handshake(To<&Http2ClientConnection::OnHandshake>());
}

void Http2ClientConnection::OnHandshake(std::error_code error, std::size_t) {
  if (phase_ != Phase::kHandshake) return;
  if (error) {
    Close(HandshakeError(error));
    return;
  }
  if (stream_->is_tls() && stream_->NegotiatedProtocol() != kAlpnHttp2) {
    Close(
        Unavailable("the server did not agree to HTTP/2 in the TLS handshake (ALPN): is this "
                    "its port for gRPC?"));
    return;
  }
  phase_ = Phase::kGreeting;
  Flush();
  Read();
}

Error Http2ClientConnection::HandshakeError(const std::error_code& error) const {
  const std::string about_peer = stream_->PeerVerificationFailure();
  if (!about_peer.empty()) {
    return Unavailable(
        fmt::format("the certificate shown for {} is refused: {}", tls_.expected_peer, about_peer));
  }
  return Unavailable(
      fmt::format("TLS handshake with {}: {}", tls_.expected_peer,
                  AtEnd(error) ? "the server closed the connection" : error.message()));
}

void Http2ClientConnection::Read() {
  buffer_.resize(kReadBuffer);
  stream_->ReadSome(buffer_, To<&Http2ClientConnection::OnRead>());
}

void Http2ClientConnection::OnRead(std::error_code error, std::size_t size) {
  if (phase_ == Phase::kClosed) return;
  if (error) {
    Close(Unavailable(AtEnd(error) ? "the server closed the connection"
                                   : "the connection broke: " + error.message()));
    return;
  }
  heard_at_ = quiet_since_ = Now();
  using Progress = Http2ClientSession::Progress;
  in_session_ = true;
  const Progress progress = session_.Receive({buffer_.data(), size});
  in_session_ = false;
  if (progress != Progress::kGoOn) {
    Close(Breakage());
    return;
  }
  Flush();
  if (phase_ == Phase::kClosed) return;
  if (session_.has_room()) owner_.OnRoom(*this);
  if (phase_ != Phase::kClosed) Read();
}

void Http2ClientConnection::OnReady() {
  was_usable_ = true;
  if (phase_ == Phase::kGreeting) phase_ = Phase::kOpen;
}

void Http2ClientConnection::OnDraining() { phase_ = Phase::kDraining; }

void Http2ClientConnection::OnAnswer(CallId call, Http2Result result) {
  pings_ = 0;
  idle_since_ = Now();
  owner_.OnAnswer(call, std::move(result));
}

void Http2ClientConnection::OnRefused(CallId call, Error why) {
  idle_since_ = Now();
  owner_.OnRefused(call, std::move(why));
}

bool Http2ClientConnection::Begin(CallId call, std::shared_ptr<const Request> request,
                                  std::size_t body_limit) {
  if (!is_usable()) return false;
  if (session_.open_calls() == 0) quiet_since_ = Now();
  if (!session_.Begin(call, std::move(request), body_limit)) {
    phase_ = Phase::kDraining;  // its stream numbers are used up
    return false;
  }
  Flush();
  return true;
}

void Http2ClientConnection::Cancel(CallId call) {
  session_.Cancel(call);
  Flush();
}

void Http2ClientConnection::Retire() {
  if (phase_ == Phase::kOpen) {
    phase_ = Phase::kDraining;
    session_.GoAway();
  }
  Flush();
}

void Http2ClientConnection::Flush() {
  if (in_session_ || writing_ || phase_ == Phase::kHandshake || phase_ == Phase::kClosed) return;
  in_session_ = true;
  const std::string_view output = session_.NextOutput();
  in_session_ = false;
  if (!output.empty()) {
    writing_ = true;
    stream_->WriteAll(output, {}, To<&Http2ClientConnection::OnWritten>());
    return;
  }
  const bool is_done = phase_ == Phase::kDraining && session_.open_calls() == 0;
  if (is_done || session_.is_over()) Close(Breakage());
}

/// Why the session is over.
Error Http2ClientConnection::Breakage() const {
  if (phase_ == Phase::kGreeting) {
    return {ErrorKind::kDecode, "the server does not speak HTTP/2 here", {}};
  }
  const std::string& detail = session_.breakage();
  if (phase_ == Phase::kDraining && detail.empty()) return Unavailable("the connection has ended");
  return {ErrorKind::kDecode,
          "the server broke the HTTP/2 protocol" + (detail.empty() ? "" : ": " + detail),
          {}};
}

void Http2ClientConnection::OnWritten(std::error_code error, std::size_t) {
  writing_ = false;
  if (phase_ == Phase::kClosed) return;
  // A failed write is left to the read beside it: what the server said last may still be there.
  if (!error) Flush();
}

MonotonicTime Http2ClientConnection::NextDeadline() const {
  switch (phase_) {
    case Phase::kHandshake:
    case Phase::kGreeting:
      return greeting_deadline_;
    case Phase::kOpen:
    case Phase::kDraining:
      if (ping_deadline_) return *ping_deadline_;
      // Twice as long each time: gRPC servers end connections that ping often but get no answer.
      return session_.open_calls() > 0 ? quiet_since_ + options_.keepalive_after * (1U << pings_)
                                       : idle_since_ + options_.transport.idle_for;
    case Phase::kClosed:
      break;
  }
  return MonotonicTime::max();
}

void Http2ClientConnection::CheckDeadlines(MonotonicTime now) {
  if (now < NextDeadline()) return;
  if (phase_ == Phase::kHandshake || phase_ == Phase::kGreeting) {
    Close({ErrorKind::kTimeout,
           phase_ == Phase::kHandshake ? "the TLS handshake took too long"
                                       : "the server did not begin to speak HTTP/2 in time",
           {}});
  } else if (ping_deadline_) {
    Close(Unavailable("the server gave no sign of life"));
  } else if (session_.open_calls() > 0) {
    ping_deadline_ = now + options_.keepalive_timeout;
    pings_ = std::min(pings_ + 1, kMostDoublings);
    session_.Ping();
    Flush();
  } else {
    Retire();
  }
}

void Http2ClientConnection::Close(const Error& why) {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_from_this();  // the owner may let go of it
  phase_ = Phase::kClosed;
  stream_->Close();
  session_.FailAll(why);
  owner_.OnClosed(*this, why);
}

}  // namespace tracekeeper::net
