#pragma once
// Http2ClientSession turns requests into the bytes of one HTTP/2 connection and what comes back
// into responses. No socket and no clock.
//
// Threads:  one at a time. The owner's methods are called within Receive(), NextOutput() and
// Fail(). Owner:    a client connection; its Owner outlives it. Failure:  of one call: OnAnswer
// with a failure. Of the connection: Receive() gives kNotHttp2 or
//           kBroken, after which FailAll() ends the calls.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "src/net/http2_client.h"
#include "src/net/http2_session.h"

namespace tracekeeper::net {

class Http2ClientSession final : public Http2Session {
 public:
  using CallId = Http2Client::CallId;

  class Owner {
   public:
    virtual ~Owner() = default;
    /// The end of a call.
    virtual void OnAnswer(CallId call, Http2Result result) = 0;
    /// The server certainly did not act on the call: it may be sent again, here or elsewhere.
    virtual void OnRefused(CallId call, Error why) = 0;
    /// The server's settings are there: it speaks HTTP/2, and calls may begin.
    virtual void OnReady() = 0;
    virtual void OnPingAnswered() = 0;
    /// No more calls on this connection; those under way may still be answered.
    virtual void OnDraining() = 0;
  };

  /// `authority` is what :authority says; `scheme` "http" or "https".
  Http2ClientSession(std::string_view scheme, std::string_view authority, std::size_t header_bytes,
                     Owner& owner);

  using Http2Session::breakage;
  using Http2Session::Progress;
  Progress Receive(std::string_view bytes) { return ReceiveFrames(bytes); }

  /// False when this connection can begin no more calls. Without has_room() the call would wait
  /// inside until the server allows it.
  [[nodiscard]] bool Begin(CallId call, std::shared_ptr<const Request> request,
                           std::size_t body_limit);
  /// Ends a call of which nothing more is wanted; the owner hears no more of it.
  void Cancel(CallId call);
  /// Ends all calls: those sent with `why` and kUnknown, the others are refused.
  void FailAll(const Error& why);

  [[nodiscard]] bool has_room() const { return calls_.size() < PeerStreams(); }
  [[nodiscard]] std::size_t open_calls() const { return calls_.size(); }

  void Ping() { SubmitPing(); }
  void GoAway() { SubmitGoAway(Http2Code::kNoError); }

 private:
  struct Stream {
    CallId call = 0;
    std::shared_ptr<const Request> request;
    Outgoing outgoing;
    std::size_t body_limit = 0;
    Response response;
    std::size_t header_bytes = 0;
    bool in_trailers = false;
    bool was_sent = false;
    bool sent_all = false;
  };

  void OnHeadersBegin(StreamId id) override;
  void OnField(StreamId id, std::string_view name, std::string_view value) override;
  void OnHeadersEnd(StreamId id) override;
  void OnData(StreamId id, std::string_view bytes) override;
  void OnStreamEnd(StreamId id) override;
  void OnStreamClosed(StreamId id, Http2Code code) override;
  void OnSettings() override;
  void OnPingAck() override { owner_.OnPingAnswered(); }
  void OnGoAway(Http2Code code, std::string_view why) override;
  void OnControlFrame() override {}
  Outgoing* OutgoingOf(StreamId id) override;
  void OnHeadersSent(StreamId id) override;
  void OnEndSent(StreamId id) override;

  Stream* Find(StreamId id);
  /// Forgets the stream and resets it: whatever the server still sends is dropped.
  void Drop(StreamId id, Http2Code code);
  void Reject(StreamId id, Error why);

  const std::string scheme_;
  const std::string authority_;
  const std::size_t header_limit_;
  Owner& owner_;
  std::unordered_map<StreamId, Stream> streams_;
  std::unordered_map<CallId, StreamId> calls_;
  bool ready_ = false;
  std::string goodbye_;  // what the server's GOAWAY said
};

}  // namespace tracekeeper::net
