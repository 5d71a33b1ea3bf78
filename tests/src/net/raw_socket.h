#pragma once
// Sockets without any HTTP in them, for peers that misbehave: a client that stalls, a server that
// drips. Blocking, with a generous limit on every wait so that a broken test ends.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace tracekeeper::net {

class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {}
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept;
  RawSocket& operator=(RawSocket&&) = delete;

  /// Connects to a port of this machine.
  static RawSocket To(std::uint16_t port, const std::string& address = "127.0.0.1");

  /// False when the peer does not take all of it (any more).
  bool Send(std::string_view bytes);  // NOLINT(modernize-use-nodiscard)
  /// Up to `size` bytes, as they come; empty at the end of the stream or when it broke.
  std::string Read(std::size_t size = 65536);
  /// Everything until the end.
  std::string ReadToEnd();
  /// Everything until `mark` has come, or the end.
  std::string ReadUntil(std::string_view mark);
  void EndSending();
  void Close();
  /// Ends the connection with a reset, as a crashed peer's kernel does.
  void Reset();

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// A server that runs `script` for each connection, one after the other, until destroyed.
class RawServer {
 public:
  using Script = std::function<void(RawSocket& peer)>;
  explicit RawServer(Script script);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

/// How many descriptors this process has open.
std::size_t OpenDescriptors();
/// This process's resident memory in bytes; always 0 under a sanitizer, whose own bookkeeping would
/// be most of it.
std::size_t ResidentBytes();
/// Waits until `condition` holds; false when it does not within 20 s.
bool Eventually(const std::function<bool()>& condition);

}  // namespace tracekeeper::net
