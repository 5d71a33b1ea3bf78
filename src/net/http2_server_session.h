#pragma once
// Http2ServerSession turns the bytes of one HTTP/2 connection into requests and the answers back
// into bytes. No socket and no clock (the time comes with each call), so it can be tested and
// fuzzed by itself.
//
//   a stream:  kHeader -> kBody -> answered -> closed
//              a broken limit -> the answer that says so (408, 413, 431; gRPC's status for gRPC)
//
// Threads:  one at a time. The owner's Answer() is called within Receive().
// Owner:    a server connection; its Owner outlives it.
// Failure:  Receive() gives kNotHttp2 or kBroken: the connection must close. Floods (resets,
//           settings, pings, empty frames, header bombs) end it with a GOAWAY that says so.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/base/clock.h"
#include "src/net/http2_session.h"
#include "src/net/server_limits.h"

namespace tracekeeper::net {

class Http2ServerSession final : public Http2Session {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Response Answer(const Request& request) = 0;
    /// Counts bytes that arrived of a body that is not complete; false when there is no room.
    virtual bool TakeRoom(std::size_t size) = 0;
    virtual void GiveRoom(std::size_t size) = 0;
    virtual void OnRefused(int status, std::string_view reason) = 0;
    /// The handler gave a field that cannot be sent; 500 is sent in place of its answer.
    virtual void OnForgedField(std::string_view name) = 0;
  };

  Http2ServerSession(const ServerLimits& limits, Owner& owner, MonotonicTime now);
  ~Http2ServerSession() override;

  using Http2Session::Progress;
  Progress Receive(std::string_view bytes, MonotonicTime now);
  using Http2Session::breakage;

  /// When CheckDeadlines() has something to do next.
  [[nodiscard]] MonotonicTime NextDeadline() const;
  /// Ends what took too long: streams, the silence before the first settings, and an idle
  /// connection.
  void CheckDeadlines(MonotonicTime now);

  /// Lets the requests that are under way end, and those that are on their way here; then
  /// is_over().
  void Drain(MonotonicTime now);

  [[nodiscard]] std::size_t open_streams() const { return streams_.size(); }

 private:
  enum class Phase { kHeader, kBody, kAnswered };
  struct Stream {
    Phase phase = Phase::kHeader;
    MonotonicTime deadline;
    Request request;
    std::size_t header_bytes = 0;
    std::size_t room_taken = 0;
    bool received_all = false;
    Response response;
    Outgoing outgoing;
  };

  void OnHeadersBegin(StreamId id) override;
  void OnField(StreamId id, std::string_view name, std::string_view value) override;
  void OnHeadersEnd(StreamId id) override;
  void OnData(StreamId id, std::string_view bytes) override;
  void OnStreamEnd(StreamId id) override;
  void OnStreamClosed(StreamId id, Http2Code code) override;
  void OnSettings() override { got_settings_ = true; }
  void OnPingAck() override;
  void OnGoAway(Http2Code, std::string_view) override {}
  void OnControlFrame() override;
  Outgoing* OutgoingOf(StreamId id) override;
  void OnHeadersSent(StreamId) override {}
  void OnEndSent(StreamId id) override;

  Stream* Find(StreamId id);
  void Refuse(StreamId id, Stream& stream, int status, std::string_view reason);
  void Respond(StreamId id, Stream& stream, Response response);
  void GiveRoomOf(Stream& stream);
  void FinishDrain();

  const ServerLimits& limits_;
  Owner& owner_;
  std::unordered_map<StreamId, Stream> streams_;
  MonotonicTime now_;
  MonotonicTime started_;
  MonotonicTime idle_since_;
  bool got_settings_ = false;
  enum class Draining { kNo, kNoticed, kDone } draining_ = Draining::kNo;
  MonotonicTime drain_deadline_;
  std::size_t wasted_header_bytes_ = 0;
  // A bucket of control frames: refilled as time passes, empty means a flood.
  double control_frames_left_;
  MonotonicTime refilled_;
};

}  // namespace tracekeeper::net
