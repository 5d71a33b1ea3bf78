#pragma once
// ServerPeer is one connection of a server, whatever protocol it speaks; PeerHost is what it needs
// of that server. ServerConnection (HTTP/1.1) and Http2ServerConnection are the peers.
//
// Threads:  a peer's methods may be called from any thread; the host's are called from the peer's
//           strand, those of several peers at once.
// Owner:    shared by the server's list and by the operation under way; the host outlives all.

#include <cstddef>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/net/http.h"
#include "src/net/server.h"

namespace tracekeeper::net {

class ServerPeer {
 public:
  virtual ~ServerPeer() = default;
  virtual void Start() = 0;
  /// Ends what has taken too long.
  virtual void CheckDeadline(MonotonicTime now) = 0;
  /// Closes now if no request is under way, else after its answer.
  virtual void Drain() = 0;
  virtual void Abort() = 0;
};

class PeerHost {
 public:
  virtual ~PeerHost() = default;
  [[nodiscard]] virtual const ServerLimits& limits() const = 0;
  [[nodiscard]] virtual const Handler& handler() const = 0;
  [[nodiscard]] virtual const Logger& log() const = 0;
  /// True from the moment that the server stops.
  [[nodiscard]] virtual bool is_stopping() const = 0;
  /// Counts bytes of bodies that are still arriving; false when ServerLimits::arriving_bytes would
  /// be passed.
  virtual bool TakeRoom(std::size_t size) = 0;
  virtual void GiveRoom(std::size_t size) = 0;
  /// Memory of an earlier body with room for `size` bytes, or an empty string.
  virtual std::string TakeMemory(std::size_t size) = 0;
  /// For the next ones, within ServerLimits::kept_body_bytes.
  virtual void GiveMemory(std::string memory) = 0;
  /// The connection is closed and calls its host no more.
  virtual void Forget(const ServerPeer& peer) = 0;
};

/// The handler's answer; a 500 and a log line when it throws.
[[nodiscard]] Response CallHandler(const PeerHost& host, const Request& request);

}  // namespace tracekeeper::net
