#pragma once
// Http2ServerConnection is one HTTP/2 peer of a server: it moves bytes between a socket and an
// Http2ServerSession, which knows what they mean.
//
//   kHandshake -> kOpen -> kLingering -> kClosed
//
// Threads:  everything runs on the stream's strand; the methods of ServerPeer from any thread.
// Owner:    shared by the server's list and by the operation under way; the host outlives it.
// Failure:  ends the connection, never anything else. A peer that speaks HTTP/1.1 is told so in
//           HTTP/1.1.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "src/base/clock.h"
#include "src/net/byte_stream.h"
#include "src/net/http2_server_session.h"
#include "src/net/server_peer.h"

namespace tracekeeper::net {

class Http2ServerConnection final : public ServerPeer,
                                    public Http2ServerSession::Owner,
                                    public std::enable_shared_from_this<Http2ServerConnection> {
 public:
  Http2ServerConnection(std::unique_ptr<ByteStream> stream, PeerHost& host);

  void Start() override;
  void CheckDeadline(MonotonicTime now) override;
  void Drain() override;
  void Abort() override;

 private:
  enum class Phase { kHandshake, kOpen, kLingering, kClosed };

  template <auto kMethod>
  Completion To() {
    return Completion::To<kMethod>(shared_from_this());
  }

  // Http2ServerSession::Owner
  Response Answer(const Request& request) override;
  bool TakeRoom(std::size_t size) override { return host_.TakeRoom(size); }
  void GiveRoom(std::size_t size) override { host_.GiveRoom(size); }
  void OnRefused(int status, std::string_view reason) override;
  void OnForgedField(std::string_view name) override;

  void OnStart(std::error_code error, std::size_t size);
  void OnHandshake(std::error_code error, std::size_t size);
  void OnReadable(std::error_code error, std::size_t size);
  void OnRead(std::error_code error, std::size_t size);
  void OnWritten(std::error_code error, std::size_t size);
  void OnDeadline(std::error_code error, std::size_t size);
  void OnDrain(std::error_code error, std::size_t size);
  void OnAbort(std::error_code error, std::size_t size);

  void Read();
  void ReadSoon();
  void Flush();
  void Linger(std::string_view last_words);
  void SetDeadline(MonotonicTime deadline);
  void Close();
  void Reset();

  const std::unique_ptr<ByteStream> stream_;
  PeerHost& host_;
  std::optional<Http2ServerSession> session_;
  std::unique_ptr<char[]> buffer_;  // none while the connection is idle
  Phase phase_ = Phase::kHandshake;
  bool reading_ = false;
  bool writing_ = false;
  bool draining_ = false;
  std::size_t discarded_bytes_ = 0;
  MonotonicTime write_deadline_;
  /// Read by the sweep from another thread.
  std::atomic<MonotonicTime::rep> deadline_;
};

}  // namespace tracekeeper::net
