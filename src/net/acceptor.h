#pragma once
// Acceptor listens on one address and hands over the sockets of those who connect.
//
// Threads:  Listen and Close from the owner's thread, Resume from any; `on_accept` is
//           called on a thread of the loop, never twice at once.
// Owner:    a server; destroyed after its loop has stopped.
// Failure:  Listen says what is wrong with the address. When descriptors or memory run out it logs
//           once and waits, doubling up to a second, instead of spinning.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "src/base/log.h"
#include "src/base/result.h"
#include "src/net/event_loop.h"

namespace tracekeeper::net {

class Acceptor {
 public:
  /// Takes over a connected, non-blocking socket. False: enough for now, wait for Resume().
  using OnAccept = std::function<bool(int descriptor)>;

  Acceptor(EventLoop& loop, OnAccept on_accept, Logger log);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Binds and listens; peers wait in the kernel's queue until Resume(). "::" takes IPv4 peers too.
  Status Listen(const std::string& address, std::uint16_t port);
  [[nodiscard]] std::uint16_t port() const { return port_; }

  void Resume();
  void Close();

 private:
  class Listener;

  EventLoop& loop_;
  OnAccept on_accept_;
  Logger log_;
  std::shared_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
};

}  // namespace tracekeeper::net
