// The server itself: threads, the list of connections, the sweep over their deadlines, and the
// order of stopping. What one connection does is in server_connection.cc (HTTP/1.1) and
// http2_server_connection.cc.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/crypto/server_tls_source.h"
#include "src/net/acceptor.h"
#include "src/net/body_memory.h"
#include "src/net/byte_stream.h"
#include "src/net/event_loop.h"
#include "src/net/http2_server_connection.h"
#include "src/net/server.h"
#include "src/net/server_connection.h"

namespace tracekeeper::net {

namespace {

/// Deadlines are looked at by one timer of the server, so a request costs no timer operation. They
/// may pass this much late.
Duration SweepPeriod(const ServerLimits& limits) {
  const Duration shortest =
      std::min({limits.handshake_deadline, limits.header_deadline, limits.body_deadline,
                limits.idle_deadline, limits.write_deadline});
  return std::clamp<Duration>(shortest / 10, std::chrono::milliseconds(5),
                              std::chrono::milliseconds(250));
}

using MakePeer = std::shared_ptr<ServerPeer> (*)(std::unique_ptr<ByteStream> stream,
                                                 PeerHost& host);

template <typename Peer>
std::shared_ptr<ServerPeer> Make(std::unique_ptr<ByteStream> stream, PeerHost& host) {
  return std::make_shared<Peer>(std::move(stream), host);
}

class SocketServer final : public Server, public PeerHost {
 public:
  SocketServer(ServerOptions options, Handler handler, const Logger& log, MakePeer make_peer)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        make_peer_(make_peer),
        log_(log.With({{"server", options_.name}})),
        kept_bodies_(options_.limits.kept_body_bytes),
        loop_(std::make_unique<EventLoop>(std::max(1U, options_.threads))),
        acceptor_(*loop_, [this](int descriptor) { return Admit(descriptor); }, log_) {}

  ~SocketServer() override { Stop(); }

  Status Start() override {
    if (Status listening = acceptor_.Listen(options_.address, options_.port); !listening) {
      return Fail(std::move(listening).error().Within(options_.name));
    }
    acceptor_.Resume();
    for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
      threads_.emplace_back([this] { Work(); });
    }
    log_.Info("Listened",
              {{"address", options_.address}, {"port", port()}, {"tls", options_.tls != nullptr}});
    return {};
  }

  void Stop() override {
    if (std::exchange(stopped_, true) || threads_.empty()) return;
    stopping_ = true;
    acceptor_.Close();
    ForEachConnection([](ServerPeer& connection) { connection.Drain(); });
    if (!WaitUntilEmpty(options_.limits.drain_deadline)) {
      log_.Warn("Cut connections that did not end in time", {{"count", open_connections()}});
      ForEachConnection([](ServerPeer& connection) { connection.Abort(); });
      WaitUntilEmpty(std::chrono::seconds(1));
    }
    loop_->Stop();
    threads_.clear();  // joins
    const std::lock_guard lock(mutex_);
    connections_.clear();  // before the loop that their sockets belong to
  }

  [[nodiscard]] std::uint16_t port() const override { return acceptor_.port(); }

  [[nodiscard]] std::size_t open_connections() const override {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  [[nodiscard]] const ServerLimits& limits() const override { return options_.limits; }
  [[nodiscard]] const Handler& handler() const override { return handler_; }
  [[nodiscard]] const Logger& log() const override { return log_; }
  [[nodiscard]] bool is_stopping() const override { return stopping_; }

  bool TakeRoom(std::size_t size) override {
    if (arriving_bytes_.fetch_add(size) + size <= options_.limits.arriving_bytes) return true;
    arriving_bytes_ -= size;
    return false;
  }
  void GiveRoom(std::size_t size) override { arriving_bytes_ -= size; }

  std::string TakeMemory(std::size_t size) override { return kept_bodies_.Take(size); }
  void GiveMemory(std::string memory) override { kept_bodies_.Give(std::move(memory)); }

  void Work() {
    for (;;) {
      try {
        loop_->Run();
        return;
      } catch (const std::exception& exception) {
        // Allocation failed inside Asio: that connection is lost, the others go on.
        log_.Error("Server thread caught an exception", {{"error", exception.what()}});
      }
    }
  }

  /// Makes a connection of an accepted socket. False when there is room for no more.
  bool Admit(int descriptor) {
    StreamTls tls;
    if (options_.tls) {
      tls.context = options_.tls->Context();
      if (!tls.context) {
        log_.Warn("Refused connection, no certificate is there yet");
        ::close(descriptor);
        return true;
      }
    }
    auto connection = make_peer_(MakeByteStream(*loop_, descriptor, tls), *this);
    const bool has_room = Remember(connection);
    connection->Start();
    return has_room;
  }

  bool Remember(std::shared_ptr<ServerPeer> connection) {
    const std::lock_guard lock(mutex_);
    const ServerPeer* const key = connection.get();
    if (stopping_) connection->Drain();
    connections_.emplace(key, std::move(connection));
    if (!std::exchange(sweep_armed_, true)) ArmSweep();
    full_ = connections_.size() >= options_.limits.connections;
    return !full_;
  }

  void Forget(const ServerPeer& connection) override {
    std::shared_ptr<ServerPeer> kept;  // so it is not destroyed under the lock
    bool room_again = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = connections_.find(&connection);
      if (found == connections_.end()) return;
      kept = std::move(found->second);
      connections_.erase(found);
      room_again = std::exchange(full_, false);
      if (connections_.empty()) emptied_.notify_all();
    }
    if (room_again) acceptor_.Resume();
  }

  void ArmSweep() {
    loop_->After(SweepPeriod(options_.limits), [this] { Sweep(); });
  }

  void Sweep() {
    const MonotonicTime now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    for (const auto& [key, connection] : connections_) connection->CheckDeadline(now);
    sweep_armed_ = !connections_.empty();  // an idle server has nothing to wake up for
    if (sweep_armed_) ArmSweep();
  }

  template <typename Action>
  void ForEachConnection(Action action) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, connection] : connections_) action(*connection);
  }

  bool WaitUntilEmpty(Duration patience) {
    std::unique_lock lock(mutex_);
    return emptied_.wait_for(lock, patience, [this] { return connections_.empty(); });
  }

  const ServerOptions options_;
  const Handler handler_;
  const MakePeer make_peer_;
  const Logger log_;

  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  // Guarded by mutex_.
  std::unordered_map<const ServerPeer*, std::shared_ptr<ServerPeer>> connections_;
  bool full_ = false;
  bool sweep_armed_ = false;

  std::atomic<std::size_t> arriving_bytes_ = 0;
  BodyMemory kept_bodies_;
  std::atomic<bool> stopping_ = false;
  bool stopped_ = false;
  // The loop goes before the list and the handler: what it still holds refers to both.
  std::unique_ptr<EventLoop> loop_;
  Acceptor acceptor_;
  std::vector<std::jthread> threads_;
};

}  // namespace

std::unique_ptr<Server> MakeBeastServer(ServerOptions options, Handler handler, const Logger& log) {
  return std::make_unique<SocketServer>(std::move(options), std::move(handler), log,
                                        &Make<ServerConnection>);
}

std::unique_ptr<Server> MakeHttp2Server(ServerOptions options, Handler handler, const Logger& log) {
  return std::make_unique<SocketServer>(std::move(options), std::move(handler), log,
                                        &Make<Http2ServerConnection>);
}

}  // namespace tracekeeper::net
