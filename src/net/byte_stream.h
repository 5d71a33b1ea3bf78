#pragma once
// ByteStream is one connected socket, plain or TLS, driven by an EventLoop. Server and client
// connections are written against it and never see Asio.
//
// Threads:  each stream has a strand: completions and posted work of one stream never run at the
//           same time. Post() may be called from any thread, everything else on the strand.
// Owner:    one connection. It must outlive its operations; Close() ends them with an error.
// Failure:  completions get the error. End of stream is AtEnd(error).

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "src/crypto/tls_context.h"
#include "src/net/completion.h"
#include "src/net/event_loop.h"

namespace tracekeeper::net {

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Runs `completion` on the strand.
  virtual void Post(Completion completion) = 0;

  /// TLS: as client or server, whichever the stream was made for. Plain: succeeds at once.
  virtual void Handshake(Completion completion) = 0;
  /// What a failed handshake says about the peer's certificate; empty when that was not the cause.
  [[nodiscard]] virtual std::string PeerVerificationFailure() const = 0;
  /// What both sides agreed to speak (ALPN), after the handshake; empty when they did not say.
  [[nodiscard]] virtual std::string NegotiatedProtocol() const = 0;

  /// Ends when the socket has bytes to read; holds no buffer meanwhile. TLS may hold bytes that the
  /// socket does not show, so only plain streams may rely on it.
  virtual void WaitReadable(Completion completion) = 0;
  /// Ends when the socket can be written, which is when a connect is decided.
  virtual void WaitWritable(Completion completion) = 0;

  /// One read at a time; `space` stays valid until it ends.
  virtual void ReadSome(std::span<char> space, Completion completion) = 0;
  /// Writes both pieces in full. One write at a time; the bytes stay valid until it ends.
  virtual void WriteAll(std::string_view first, std::string_view second, Completion completion) = 0;

  /// Says goodbye: a TLS close_notify and the peer's answer, or the end of our bytes on a plain
  /// socket. No read or write may be under way.
  virtual void Shutdown(Completion completion) = 0;
  /// Ends our bytes on the socket itself, so the peer can tell that nothing follows.
  virtual void EndSending() = 0;
  /// Closes the socket. Idempotent.
  virtual void Close() = 0;
  /// Closes and throws away what the peer has not read, so it holds no kernel memory.
  virtual void Reset() = 0;

  [[nodiscard]] virtual int descriptor() const = 0;
  [[nodiscard]] virtual bool is_tls() const = 0;
};

/// What TLS a stream speaks: none, or one side of a handshake.
struct StreamTls {
  std::shared_ptr<const crypto::TlsContext> context;  // null: plain
  /// The name or address that the server's certificate must carry. Empty: we are the server.
  std::string expected_peer;
  /// As a client: the one protocol to ask for (ALPN). Empty asks for none.
  std::string protocol;
};

/// HTTP/2's name in ALPN.
inline constexpr std::string_view kAlpnHttp2 = "h2";

/// Takes over the non-blocking socket `descriptor`.
std::unique_ptr<ByteStream> MakeByteStream(EventLoop& loop, int descriptor, const StreamTls& tls);

/// The peer ended the stream in order.
[[nodiscard]] bool AtEnd(const std::error_code& error);

}  // namespace tracekeeper::net
