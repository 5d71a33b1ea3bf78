#pragma once
// Http2Session is what both sides of an HTTP/2 connection share: frames in and out of memory, with
// neither socket nor clock. Http2ServerSession and Http2ClientSession derive from it and give the
// frames their meaning. nghttp2 is in its .cc and nowhere else.
//
//   Receive(bytes) -> the On... hooks -> Submit... Reset ... -> NextOutput() until it is empty
//
// Threads:  one at a time. Hooks run within Receive() and NextOutput().
// Owner:    a connection.
// Failure:  a peer that breaks the protocol is answered as the protocol says (RST_STREAM, GOAWAY);
//           what cannot be answered ends the session: kNotHttp2, kBroken, after which only the
//           destructor may be called.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/net/http.h"

struct nghttp2_session;

namespace tracekeeper::net {

/// RFC 9113, section 7.
enum class Http2Code : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
};

/// "ENHANCE_YOUR_CALM", also for codes that Http2Code does not name.
[[nodiscard]] std::string NameOf(Http2Code code);

/// True for fields that belong to an HTTP/1.1 connection and must not be sent over HTTP/2, and for
/// Content-Length and Host, which have other places here.
[[nodiscard]] bool IsConnectionField(std::string_view name);

/// The name of a field that would let its writer forge the rest of the message; null data when
/// there is none.
[[nodiscard]] std::string_view FindForgedField(const Headers& headers);

class Http2Session {
 public:
  enum class Side { kClient, kServer };
  struct Settings {
    std::uint32_t streams = 100;
    std::uint32_t header_list_bytes = 8U << 10U;
    std::uint32_t window_bytes = 1U << 20U;
  };

  virtual ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  /// What is to be sent next, at most about 64 KiB; the same bytes until the next call. Empty when
  /// there is nothing to send.
  [[nodiscard]] std::string_view NextOutput();
  /// Nothing more will be read or written: the connection can be closed.
  [[nodiscard]] bool is_over() const;
  /// Gives the output buffer back while nothing is under way.
  void ReleaseBuffer() { out_ = {}; }

 protected:
  using StreamId = std::int32_t;
  using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

  enum class Progress { kGoOn, kNotHttp2, kBroken };

  /// What is left of a body that is being sent, and what comes behind it.
  struct Outgoing {
    std::string_view bytes;
    const Headers* trailers = nullptr;
  };
  enum class Body { kNone, kFollows };

  Http2Session(Side side, const Settings& settings);

  Progress ReceiveFrames(std::string_view bytes);
  /// What the peer did wrong last, for a log; empty when nothing.
  [[nodiscard]] const std::string& breakage() const { return breakage_; }

  /// Begin a stream; negative when no more can begin on this connection.
  StreamId SubmitRequest(const Fields& fields, Body body);
  void SubmitResponse(StreamId stream, const Fields& fields, Body body);
  void Reset(StreamId stream, Http2Code code);
  void SubmitPing();
  /// Tells the peer to begin no more streams; those it has begun by now still count. A ping goes
  /// behind it: what the peer sent before it saw the notice has arrived when OnPingAck() comes.
  void SubmitShutdownNotice();
  /// Later streams than those seen are refused.
  void SubmitGoAway(Http2Code code);
  /// GOAWAY, and the end of the session once it is sent.
  void Terminate(Http2Code code, std::string_view why);
  /// How many streams the peer allows at once.
  [[nodiscard]] std::size_t PeerStreams() const;

  // Frames that have arrived.
  virtual void OnHeadersBegin(StreamId stream) = 0;
  virtual void OnField(StreamId stream, std::string_view name, std::string_view value) = 0;
  virtual void OnHeadersEnd(StreamId stream) = 0;
  virtual void OnData(StreamId stream, std::string_view bytes) = 0;
  /// The peer sends no more on this stream.
  virtual void OnStreamEnd(StreamId stream) = 0;
  virtual void OnStreamClosed(StreamId stream, Http2Code code) = 0;
  virtual void OnSettings() = 0;
  virtual void OnPingAck() = 0;
  virtual void OnGoAway(Http2Code code, std::string_view why) = 0;
  /// A frame that asks for work and carries no request: floods are made of them.
  virtual void OnControlFrame() = 0;

  // Frames that are being sent.
  /// Null when the stream is of no more interest: it is reset.
  virtual Outgoing* OutgoingOf(StreamId stream) = 0;
  virtual void OnHeadersSent(StreamId stream) = 0;
  /// We send no more on this stream.
  virtual void OnEndSent(StreamId stream) = 0;

 private:
  struct Callbacks;

  nghttp2_session* session_ = nullptr;
  std::string out_;
  std::string breakage_;
};

}  // namespace tracekeeper::net
