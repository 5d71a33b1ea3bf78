#include "src/net/server_connection.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tracekeeper::net {

namespace {

// After a refusal the peer may still be sending. Its bytes are thrown away for a moment, because
// closing at once would make the kernel reset the connection and the peer lose the answer.
constexpr Duration kLingerDeadline = std::chrono::seconds(1);
constexpr std::size_t kLingerBytes = 1U << 20U;
constexpr std::size_t kDiscardBuffer = 4U << 10U;

std::int64_t After(Duration delay) {
  return (std::chrono::steady_clock::now().time_since_epoch() + delay).count();
}

}  // namespace

ServerConnection::ServerConnection(std::unique_ptr<ByteStream> stream, PeerHost& host)
    : stream_(std::move(stream)),
      host_(host),
      reader_(host.limits().header_bytes, host.limits().body_bytes),
      deadline_(After(host.limits().handshake_deadline)) {}

void ServerConnection::Start() { stream_->Post(To<&ServerConnection::OnStart>()); }

void ServerConnection::CheckDeadline(MonotonicTime now) {
  if (now.time_since_epoch().count() < deadline_.load(std::memory_order_relaxed)) return;
  stream_->Post(To<&ServerConnection::OnDeadline>());
}

void ServerConnection::Drain() { stream_->Post(To<&ServerConnection::OnDrain>()); }

void ServerConnection::Abort() { stream_->Post(To<&ServerConnection::OnAbort>()); }

void ServerConnection::Enter(Phase phase, Duration deadline) {
  phase_ = phase;
  deadline_.store(After(deadline), std::memory_order_relaxed);
}

void ServerConnection::OnStart(std::error_code, std::size_t) {
  if (phase_ == Phase::kHandshake) stream_->Handshake(To<&ServerConnection::OnHandshake>());
}

void ServerConnection::OnHandshake(std::error_code error, std::size_t) {
  if (phase_ != Phase::kHandshake) return;
  if (error) {
    host_.log().Debug("Ended connection in its TLS handshake", {{"error", error.message()}});
    Close();
    return;
  }
  // A peer that connects is about to ask; only between two requests may it take its time.
  AwaitRequest(host_.limits().header_deadline);
}

void ServerConnection::AwaitRequest(Duration deadline) {
  Enter(Phase::kIdle, deadline);
  reader_.ReleaseBuffer();
  if (stream_->is_tls()) {
    reading_ = true;
    stream_->ReadSome(first_bytes_, To<&ServerConnection::OnFirstBytes>());
    return;
  }
  stream_->WaitReadable(To<&ServerConnection::OnReadable>());
}

void ServerConnection::OnReadable(std::error_code error, std::size_t) {
  if (phase_ != Phase::kIdle) return;
  if (error) {
    Close();
    return;
  }
  Read();
}

void ServerConnection::OnFirstBytes(std::error_code error, std::size_t size) {
  std::copy_n(first_bytes_.data(), size, reader_.Space().data());
  OnRead(error, size);
}

void ServerConnection::Read() {
  reading_ = true;
  stream_->ReadSome(reader_.Space(), To<&ServerConnection::OnRead>());
}

void ServerConnection::OnRead(std::error_code error, std::size_t size) {
  reading_ = false;
  if (phase_ == Phase::kLingering) {
    Linger();  // a refusal was written while this read was under way
    return;
  }
  if (phase_ != Phase::kIdle && phase_ != Phase::kHeader && phase_ != Phase::kBody) return;
  if (error) {
    Close();
    return;
  }
  const RequestReader::Progress progress = reader_.Commit(size);
  const bool stays = phase_ == Phase::kBody && progress == RequestReader::Progress::kNeedMore;
  if (stays && !host_.TakeRoom(size)) {
    Refuse(503, "Too many request bodies are arriving at once.");
    return;
  }
  if (stays) room_ += size;
  Proceed(progress);
}

void ServerConnection::GiveRoom() { host_.GiveRoom(std::exchange(room_, 0)); }

void ServerConnection::Proceed(RequestReader::Progress progress) {
  using Progress = RequestReader::Progress;
  if (progress == Progress::kComplete) {
    Handle();
    return;
  }
  if (progress == Progress::kRefused) {
    Refuse(reader_.refusal().status, reader_.refusal().reason);
    return;
  }
  if (phase_ == Phase::kIdle) Enter(Phase::kHeader, host_.limits().header_deadline);
  if (phase_ == Phase::kHeader && reader_.header_done()) {
    Enter(Phase::kBody, host_.limits().body_deadline);
    reader_.UseForBody(host_.TakeMemory(reader_.announced_body_bytes()));
  }
  if (reader_.TakeContinueWish()) {
    stream_->WriteAll("HTTP/1.1 100 Continue\r\n\r\n", {}, To<&ServerConnection::OnContinueSent>());
    return;
  }
  Read();
}

void ServerConnection::OnContinueSent(std::error_code error, std::size_t) {
  if (phase_ != Phase::kBody) return;
  if (error) {
    Close();
    return;
  }
  Read();
}

void ServerConnection::Handle() {
  // No deadline runs while the handler does: it is our own code, and it holds this strand.
  Enter(Phase::kWriting, std::chrono::hours(24));
  const bool peer_keeps = reader_.keep_alive();
  Request request = reader_.Take();
  const bool is_head = request.method == "HEAD";
  const bool asked_to_keep = request.headers.Has("Connection");
  Response response = CallHandler(host_, request);
  host_.GiveMemory(std::move(request.body));
  keep_alive_ = peer_keeps && !host_.is_stopping();
  Write(std::move(response),
        {.keep_alive = keep_alive_, .announce_keep_alive = asked_to_keep, .omit_body = is_head});
}

void ServerConnection::Refuse(int status, std::string_view reason) {
  host_.log().Debug("Refused request", {{"code", status}, {"reason", reason}});
  refused_ = true;
  keep_alive_ = false;
  Write({status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(reason) + "\n"},
        {.keep_alive = false});
}

void ServerConnection::Write(Response response, const ResponseFraming& framing) {
  GiveRoom();
  answer_ = WriteResponse(std::move(response), framing);
  if (!answer_.forged_header.empty()) {
    host_.log().Error("Handler gave a header with a line break",
                      {{"header", answer_.forged_header}});
  }
  Enter(Phase::kWriting, host_.limits().write_deadline);
  stream_->WriteAll(answer_.head, answer_.body, To<&ServerConnection::OnWritten>());
}

void ServerConnection::OnWritten(std::error_code error, std::size_t) {
  if (phase_ != Phase::kWriting) return;
  answer_ = {};
  if (error) {
    Close();
    return;
  }
  const bool ends = !keep_alive_ || host_.is_stopping();
  if (refused_ || (ends && !stream_->is_tls())) {
    stream_->EndSending();
    Enter(Phase::kLingering, kLingerDeadline);
    if (!reading_) Linger();
    return;
  }
  if (ends) {
    Enter(Phase::kLingering, kLingerDeadline);
    stream_->Shutdown(To<&ServerConnection::OnShutdown>());
    return;
  }
  const RequestReader::Progress progress = reader_.Resume();
  if (progress == RequestReader::Progress::kNeedMore && reader_.at_start()) {
    AwaitRequest(host_.limits().idle_deadline);
    return;
  }
  Enter(Phase::kIdle, host_.limits().idle_deadline);
  Proceed(progress);
}

void ServerConnection::Linger() {
  discarded_.resize(kDiscardBuffer);
  stream_->ReadSome(discarded_, To<&ServerConnection::OnLingered>());
}

void ServerConnection::OnLingered(std::error_code error, std::size_t size) {
  if (phase_ != Phase::kLingering) return;
  discarded_bytes_ += size;
  if (error || discarded_bytes_ > kLingerBytes) {
    Close();
    return;
  }
  Linger();
}

void ServerConnection::OnShutdown(std::error_code, std::size_t) { Close(); }

void ServerConnection::OnDeadline(std::error_code, std::size_t) {
  // The phase may have changed while this was on its way here.
  if (phase_ == Phase::kClosed || After(Duration::zero()) < deadline_.load()) return;
  // Without a read under way a "100 Continue" is stuck in a full socket: no answer would pass.
  const bool request_begun = phase_ == Phase::kHeader || phase_ == Phase::kBody;
  if (request_begun && reading_) {
    Refuse(408, phase_ == Phase::kHeader ? "The request header took too long to arrive."
                                         : "The request body took too long to arrive.");
    return;
  }
  if (phase_ == Phase::kWriting) {
    Reset();
    return;
  }
  Close();
}

void ServerConnection::OnDrain(std::error_code, std::size_t) {
  const bool nothing_asked = phase_ == Phase::kHandshake || phase_ == Phase::kIdle;
  if (nothing_asked) Close();
}

void ServerConnection::OnAbort(std::error_code, std::size_t) {
  if (phase_ != Phase::kClosed) Reset();
}

void ServerConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  GiveRoom();
  stream_->Close();
  host_.Forget(*this);
}

void ServerConnection::Reset() {
  phase_ = Phase::kClosed;
  GiveRoom();
  stream_->Reset();
  host_.Forget(*this);
}

}  // namespace tracekeeper::net
