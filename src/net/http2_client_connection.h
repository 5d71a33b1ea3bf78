#pragma once
// Http2ClientConnection is one connection of an Http2Client: it moves bytes between a socket and an
// Http2ClientSession, and watches over both.
//
//   kHandshake -> kGreeting (the server's settings) -> kOpen -> kDraining -> kClosed
//
// Threads:  the client's loop thread alone.
// Owner:    shared by the client and by the operation under way; its Owner outlives it.
// Failure:  ends the connection: OnClosed says why; its calls have been ended before.

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "src/net/byte_stream.h"
#include "src/net/http2_client_session.h"
#include "src/net/origin.h"

namespace tracekeeper::net {

class Http2ClientConnection final : public std::enable_shared_from_this<Http2ClientConnection>,
                                    private Http2ClientSession::Owner {
 public:
  using CallId = Http2Client::CallId;

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnAnswer(CallId call, Http2Result result) = 0;
    virtual void OnRefused(CallId call, Error why) = 0;
    /// It can take calls: the server's settings came, or a call made room.
    virtual void OnRoom(Http2ClientConnection& connection) = 0;
    virtual void OnClosed(Http2ClientConnection& connection, const Error& why) = 0;
  };

  Http2ClientConnection(std::unique_ptr<ByteStream> stream, const StreamTls& tls,
                        const Origin& origin, const Http2ClientOptions& options, Owner& owner);

  /// `deadline` is for the handshake and the server's settings.
  void Start(MonotonicTime deadline);

  /// False: not on this connection.
  [[nodiscard]] bool Begin(CallId call, std::shared_ptr<const Request> request,
                           std::size_t body_limit);
  void Cancel(CallId call);
  /// Takes no more calls, and closes when the last one has ended.
  void Retire();
  void Close(const Error& why);

  /// Keepalive, idle and greeting deadlines.
  void CheckDeadlines(MonotonicTime now);
  [[nodiscard]] MonotonicTime NextDeadline() const;

  /// It was never usable yet, but may become so.
  [[nodiscard]] bool is_opening() const {
    return phase_ == Phase::kHandshake || phase_ == Phase::kGreeting;
  }
  [[nodiscard]] bool was_usable() const { return was_usable_; }
  [[nodiscard]] bool is_usable() const { return phase_ == Phase::kOpen; }
  [[nodiscard]] bool has_room() const { return is_usable() && session_.has_room(); }
  [[nodiscard]] std::size_t open_calls() const { return session_.open_calls(); }
  [[nodiscard]] MonotonicTime opened_at() const { return opened_at_; }
  [[nodiscard]] MonotonicTime heard_at() const { return heard_at_; }

 private:
  enum class Phase { kHandshake, kGreeting, kOpen, kDraining, kClosed };

  template <auto kMethod>
  Completion To() {
    return Completion::To<kMethod>(shared_from_this());
  }

  // Http2ClientSession::Owner
  void OnAnswer(CallId call, Http2Result result) override;
  void OnRefused(CallId call, Error why) override;
  void OnReady() override;
  void OnPingAnswered() override { ping_deadline_.reset(); }
  void OnDraining() override;

  void OnHandshake(std::error_code error, std::size_t size);
  void OnRead(std::error_code error, std::size_t size);
  void OnWritten(std::error_code error, std::size_t size);

  [[nodiscard]] Error HandshakeError(const std::error_code& error) const;
  [[nodiscard]] Error Breakage() const;
  void Read();
  void Flush();

  const std::unique_ptr<ByteStream> stream_;
  const StreamTls tls_;
  const Http2ClientOptions& options_;
  Owner& owner_;
  Http2ClientSession session_;
  std::vector<char> buffer_;
  Phase phase_ = Phase::kHandshake;
  bool was_usable_ = false;
  bool writing_ = false;
  bool in_session_ = false;  // frames are being read: what they cause is flushed after them
  MonotonicTime greeting_deadline_;
  MonotonicTime opened_at_;
  MonotonicTime heard_at_;
  MonotonicTime quiet_since_;  // nothing heard, with calls under way
  MonotonicTime idle_since_;
  std::optional<MonotonicTime> ping_deadline_;
  unsigned pings_ = 0;  // since a call was answered
};

}  // namespace tracekeeper::net
