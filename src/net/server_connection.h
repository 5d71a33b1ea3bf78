#pragma once
// ServerConnection is one HTTP/1.1 peer of a server: handshake, then requests one after the other,
// each phase under its own deadline, until either side ends it.
//
//   kHandshake -> kIdle -> kHeader -> kBody -> handler -> kWriting -> kIdle ...
//                   any phase: a broken limit -> answer (408, 413, 431, ...) -> kLingering ->
//                   closed
//
// Threads:  everything runs on the stream's strand; Start, CheckDeadline, Drain and Abort may be
//           called from any thread.
// Owner:    shared by the server's list and by the operation under way; the host outlives it.
// Failure:  ends the connection, never anything else. An exception of the handler is a 500 and a
//           log line.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/net/byte_stream.h"
#include "src/net/request_reader.h"
#include "src/net/response_writer.h"
#include "src/net/server_peer.h"

namespace tracekeeper::net {

class ServerConnection final : public ServerPeer,
                               public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::unique_ptr<ByteStream> stream, PeerHost& host);

  void Start() override;
  void CheckDeadline(MonotonicTime now) override;
  void Drain() override;
  void Abort() override;

 private:
  enum class Phase { kHandshake, kIdle, kHeader, kBody, kWriting, kLingering, kClosed };

  template <auto kMethod>
  Completion To() {
    return Completion::To<kMethod>(shared_from_this());
  }

  void Enter(Phase phase, Duration deadline);

  void OnStart(std::error_code error, std::size_t size);
  void OnHandshake(std::error_code error, std::size_t size);
  void OnRead(std::error_code error, std::size_t size);
  void OnReadable(std::error_code error, std::size_t size);
  void OnFirstBytes(std::error_code error, std::size_t size);
  void OnContinueSent(std::error_code error, std::size_t size);
  void OnWritten(std::error_code error, std::size_t size);
  void OnShutdown(std::error_code error, std::size_t size);
  void OnLingered(std::error_code error, std::size_t size);
  void OnDeadline(std::error_code error, std::size_t size);
  void OnDrain(std::error_code error, std::size_t size);
  void OnAbort(std::error_code error, std::size_t size);

  void AwaitRequest(Duration deadline);
  void Read();
  void Proceed(RequestReader::Progress progress);
  void Handle();
  void Refuse(int status, std::string_view reason);
  void Write(Response response, const ResponseFraming& framing);
  void Linger();
  void GiveRoom();
  void Close();
  void Reset();

  const std::unique_ptr<ByteStream> stream_;
  PeerHost& host_;
  RequestReader reader_;
  WireResponse answer_;  // must live until it is written
  /// What an idle TLS connection reads into, so that it needs no whole buffer meanwhile.
  std::array<char, 512> first_bytes_;
  std::string discarded_;
  std::size_t discarded_bytes_ = 0;
  std::size_t room_ = 0;  // of ServerLimits::arriving_bytes
  Phase phase_ = Phase::kHandshake;
  bool reading_ = false;  // a read is under way
  bool keep_alive_ = true;
  bool refused_ = false;
  /// Nanoseconds on the monotonic clock; read by the sweep from another thread.
  std::atomic<std::int64_t> deadline_;
};

}  // namespace tracekeeper::net
