#include "src/net/http2_server_connection.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::net {

namespace {

constexpr std::size_t kReadBuffer = 64U << 10U;
// After the last frame the peer may still be sending. Its bytes are thrown away for a moment,
// because closing at once would make the kernel reset the connection and the peer lose that frame.
constexpr Duration kLingerDeadline = std::chrono::seconds(1);
constexpr std::size_t kLingerBytes = 1U << 20U;
constexpr std::string_view kWrongProtocol =
    "HTTP/1.1 505 HTTP Version Not Supported\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 78\r\n\r\n"
    "This port speaks HTTP/2 alone, as gRPC does. Send HTTP/1.1 to the other port.\n";

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

Http2ServerConnection::Http2ServerConnection(std::unique_ptr<ByteStream> stream, PeerHost& host)
    : stream_(std::move(stream)), host_(host) {
  SetDeadline(Now() + host.limits().handshake_deadline);
}

void Http2ServerConnection::Start() { stream_->Post(To<&Http2ServerConnection::OnStart>()); }

void Http2ServerConnection::CheckDeadline(MonotonicTime now) {
  if (now.time_since_epoch().count() < deadline_.load(std::memory_order_relaxed)) return;
  stream_->Post(To<&Http2ServerConnection::OnDeadline>());
}

void Http2ServerConnection::Drain() { stream_->Post(To<&Http2ServerConnection::OnDrain>()); }

void Http2ServerConnection::Abort() { stream_->Post(To<&Http2ServerConnection::OnAbort>()); }

void Http2ServerConnection::SetDeadline(MonotonicTime deadline) {
  deadline_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
}

void Http2ServerConnection::OnStart(std::error_code, std::size_t) {
  if (phase_ == Phase::kHandshake) {
    stream_->Handshake(To<&Http2ServerConnection::OnHandshake>());
  }
}

void Http2ServerConnection::OnHandshake(std::error_code error, std::size_t) {
  if (phase_ != Phase::kHandshake) return;
  if (error) {
    host_.log().Debug("Ended connection in its TLS handshake", {{"error", error.message()}});
    Close();
    return;
  }
  phase_ = Phase::kOpen;
  session_.emplace(host_.limits(), *this, Now());
  if (draining_) session_->Drain(Now());
  // Our settings wait for the peer's first bytes: if those are HTTP/1.1, so is the answer.
  SetDeadline(session_->NextDeadline());
  ReadSoon();
}

/// Reads now while something is under way, else holds no buffer until bytes are there.
void Http2ServerConnection::ReadSoon() {
  if (reading_) return;
  if (session_->open_streams() > 0 || stream_->is_tls()) {
    Read();
    return;
  }
  buffer_.reset();
  if (!writing_) session_->ReleaseBuffer();
  reading_ = true;
  stream_->WaitReadable(To<&Http2ServerConnection::OnReadable>());
}

void Http2ServerConnection::OnReadable(std::error_code error, std::size_t) {
  reading_ = false;
  if (phase_ != Phase::kOpen && phase_ != Phase::kLingering) return;
  if (error) {
    Close();
    return;
  }
  Read();
}

void Http2ServerConnection::Read() {
  reading_ = true;
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kReadBuffer);
  stream_->ReadSome({buffer_.get(), kReadBuffer}, To<&Http2ServerConnection::OnRead>());
}

void Http2ServerConnection::OnRead(std::error_code error, std::size_t size) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) {
    Close();
    return;
  }
  if (phase_ == Phase::kLingering) {
    discarded_bytes_ += size;
    if (discarded_bytes_ > kLingerBytes) {
      Close();
    } else {
      Read();
    }
    return;
  }
  using Progress = Http2ServerSession::Progress;
  const Progress progress = session_->Receive({buffer_.get(), size}, Now());
  if (progress == Progress::kNotHttp2) {
    Linger(kWrongProtocol);
    return;
  }
  if (progress == Progress::kBroken) {
    host_.log().Debug("Ended connection that broke the protocol",
                      {{"error", session_->breakage()}});
    Reset();
    return;
  }
  Flush();
  if (phase_ == Phase::kOpen) ReadSoon();
}

Response Http2ServerConnection::Answer(const Request& request) {
  return CallHandler(host_, request);
}

void Http2ServerConnection::OnRefused(int status, std::string_view reason) {
  host_.log().Debug("Refused request", {{"code", status}, {"reason", reason}});
}

void Http2ServerConnection::OnForgedField(std::string_view name) {
  host_.log().Error("Handler gave a header with a line break", {{"header", name}});
}

/// Writes what the session has to send, and ends the connection when it has no more.
void Http2ServerConnection::Flush() {
  if (!writing_) {
    const std::string_view output = session_->NextOutput();
    if (!output.empty()) {
      writing_ = true;
      write_deadline_ = Now() + host_.limits().write_deadline;
      stream_->WriteAll(output, {}, To<&Http2ServerConnection::OnWritten>());
    } else if (session_->is_over()) {
      if (!session_->breakage().empty()) {
        host_.log().Debug("Ended connection", {{"reason", session_->breakage()}});
      }
      Linger({});
      return;
    }
  }
  SetDeadline(writing_ ? std::min(write_deadline_, session_->NextDeadline())
                       : session_->NextDeadline());
}

void Http2ServerConnection::OnWritten(std::error_code error, std::size_t) {
  writing_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) {
    Close();
    return;
  }
  if (phase_ == Phase::kOpen) {
    Flush();
  } else {
    stream_->EndSending();
  }
}

void Http2ServerConnection::Linger(std::string_view last_words) {
  phase_ = Phase::kLingering;
  SetDeadline(Now() + kLingerDeadline);
  if (!last_words.empty() && !writing_) {
    writing_ = true;
    stream_->WriteAll(last_words, {}, To<&Http2ServerConnection::OnWritten>());
  } else if (!writing_) {
    stream_->EndSending();
  }
  if (!reading_) Read();
}

void Http2ServerConnection::OnDeadline(std::error_code, std::size_t) {
  const MonotonicTime now = Now();
  if (phase_ == Phase::kHandshake || phase_ == Phase::kLingering) {
    if (now.time_since_epoch().count() >= deadline_.load()) Close();
    return;
  }
  if (phase_ != Phase::kOpen) return;
  if (writing_ && now >= write_deadline_) {
    Reset();
    return;
  }
  session_->CheckDeadlines(now);
  Flush();
}

void Http2ServerConnection::OnDrain(std::error_code, std::size_t) {
  draining_ = true;
  if (phase_ == Phase::kHandshake && stream_->is_tls()) Close();
  if (phase_ != Phase::kOpen) return;
  session_->Drain(Now());
  Flush();
}

void Http2ServerConnection::OnAbort(std::error_code, std::size_t) {
  if (phase_ != Phase::kClosed) Reset();
}

void Http2ServerConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_->Close();
  host_.Forget(*this);
}

void Http2ServerConnection::Reset() {
  phase_ = Phase::kClosed;
  stream_->Reset();
  host_.Forget(*this);
}

}  // namespace tracekeeper::net
