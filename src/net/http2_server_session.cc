#include "src/net/http2_server_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "src/net/grpc.h"

namespace tracekeeper::net {

namespace {

// RFC 9113, 6.5.2: what a field counts beside its name and value.
constexpr std::size_t kFieldOverhead = 32;
// A peer may send headers that are too long by so much in all; then it is an attack.
constexpr std::size_t kWastedHeaders = 64;
constexpr double kControlFrameBurst = 2000;
constexpr double kControlFramesPerSecond = 500;
// A drained peer that does not answer our ping has this long to send what is on its way.
constexpr Duration kDrainNotice = std::chrono::seconds(1);

std::size_t ContentLength(const Request& request) {
  const std::string_view text = request.headers.Get("content-length");
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

Response TextAnswer(int status, std::string_view text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(text) + "\n"};
}

GrpcCode CodeOf(int status) {
  return status == 408 ? GrpcCode::kDeadlineExceeded : GrpcCode::kResourceExhausted;
}

}  // namespace

Http2ServerSession::Http2ServerSession(const ServerLimits& limits, Owner& owner, MonotonicTime now)
    : Http2Session(Side::kServer,
                   {.streams = static_cast<std::uint32_t>(limits.streams),
                    .header_list_bytes = static_cast<std::uint32_t>(limits.header_bytes)}),
      limits_(limits),
      owner_(owner),
      now_(now),
      started_(now),
      idle_since_(now),
      control_frames_left_(kControlFrameBurst),
      refilled_(now) {}

Http2ServerSession::~Http2ServerSession() {
  for (auto& [id, stream] : streams_) GiveRoomOf(stream);
}

Http2ServerSession::Progress Http2ServerSession::Receive(std::string_view bytes,
                                                         MonotonicTime now) {
  now_ = now;
  const Progress progress = ReceiveFrames(bytes);
  if (wasted_header_bytes_ > kWastedHeaders * limits_.header_bytes) {
    Terminate(Http2Code::kEnhanceYourCalm, "headers beyond the limit again and again");
  } else if (control_frames_left_ < 0) {
    Terminate(Http2Code::kEnhanceYourCalm, "a flood of control frames");
  }
  return progress;
}

Http2ServerSession::Stream* Http2ServerSession::Find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

void Http2ServerSession::OnHeadersBegin(StreamId id) {
  const auto [stream, is_new] = streams_.try_emplace(id);
  if (is_new) stream->second.deadline = now_ + limits_.header_deadline;
}

void Http2ServerSession::OnField(StreamId id, std::string_view name, std::string_view value) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  const std::size_t size = name.size() + value.size() + kFieldOverhead;
  stream->header_bytes += size;
  if (stream->header_bytes > limits_.header_bytes) {
    wasted_header_bytes_ += size;
    return;
  }
  if (stream->phase != Phase::kHeader) return;  // trailers of a request say nothing to us
  Request& request = stream->request;
  if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    request.target = value;
  } else if (name == ":authority") {
    request.headers.Add("host", value);
  } else if (!name.starts_with(':')) {
    request.headers.Add(name, value);
  }
}

void Http2ServerSession::OnHeadersEnd(StreamId id) {
  Stream* const stream = Find(id);
  if (stream == nullptr || stream->phase != Phase::kHeader) return;
  stream->phase = Phase::kBody;
  stream->deadline = now_ + limits_.body_deadline;
  if (stream->header_bytes > limits_.header_bytes) {
    Refuse(id, *stream, 431, "The request header is too long.");
  } else if (ContentLength(stream->request) > limits_.body_bytes) {
    Refuse(id, *stream, 413, "The request body is too long.");
  }
}

void Http2ServerSession::OnData(StreamId id, std::string_view bytes) {
  Stream* const stream = Find(id);
  if (stream == nullptr || stream->phase != Phase::kBody) return;
  std::string& body = stream->request.body;
  if (bytes.size() > limits_.body_bytes - body.size()) {
    Refuse(id, *stream, 413, "The request body is too long.");
    return;
  }
  if (!owner_.TakeRoom(bytes.size())) {
    stream->phase = Phase::kAnswered;
    GiveRoomOf(*stream);
    body = {};
    owner_.OnRefused(503, "Too many request bodies are arriving at once.");
    Reset(id, Http2Code::kRefusedStream);  // the peer may send it again, here or elsewhere
    return;
  }
  stream->room_taken += bytes.size();
  body.append(bytes);
}

void Http2ServerSession::OnStreamEnd(StreamId id) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->received_all = true;
  if (stream->phase != Phase::kBody) return;
  Response response = owner_.Answer(stream->request);
  if (stream->request.method == "HEAD") response.body.clear();
  GiveRoomOf(*stream);
  stream->request = {};
  Respond(id, *stream, std::move(response));
}

void Http2ServerSession::OnStreamClosed(StreamId id, Http2Code) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  GiveRoomOf(found->second);
  streams_.erase(found);
  idle_since_ = now_;
}

void Http2ServerSession::OnPingAck() {
  if (draining_ == Draining::kNoticed) FinishDrain();
}

void Http2ServerSession::OnControlFrame() {
  const std::chrono::duration<double> passed = now_ - refilled_;
  refilled_ = now_;
  control_frames_left_ =
      std::min(kControlFrameBurst, control_frames_left_ + passed.count() * kControlFramesPerSecond);
  control_frames_left_ -= 1;
}

Http2Session::Outgoing* Http2ServerSession::OutgoingOf(StreamId id) {
  Stream* const stream = Find(id);
  return stream == nullptr ? nullptr : &stream->outgoing;
}

void Http2ServerSession::OnEndSent(StreamId id) {
  // Answered before the request was complete: the rest of it is not wanted.
  const Stream* const stream = Find(id);
  if (stream != nullptr && !stream->received_all) Reset(id, Http2Code::kNoError);
}

void Http2ServerSession::Refuse(StreamId id, Stream& stream, int status, std::string_view reason) {
  owner_.OnRefused(status, reason);
  GiveRoomOf(stream);
  Response refusal = IsGrpc(stream.request)
                         ? WriteGrpcResponse({.status = {CodeOf(status), std::string(reason), {}}})
                         : TextAnswer(status, reason);
  stream.request = {};
  Respond(id, stream, std::move(refusal));
}

void Http2ServerSession::Respond(StreamId id, Stream& stream, Response response) {
  for (const Headers* headers : {&response.headers, &response.trailers}) {
    const std::string_view forged = FindForgedField(*headers);
    if (forged.data() == nullptr) continue;
    owner_.OnForgedField(forged);
    response = TextAnswer(500, "The server failed.");
    break;
  }
  stream.phase = Phase::kAnswered;
  stream.deadline = now_ + limits_.write_deadline;
  stream.response = std::move(response);
  stream.outgoing = {stream.response.body, &stream.response.trailers};

  const std::string status = std::to_string(stream.response.status);
  Fields fields{{":status", status}};
  for (const auto& [name, value] : stream.response.headers) {
    if (!IsConnectionField(name)) fields.emplace_back(name, value);
  }
  const bool is_bodiless = stream.response.body.empty() && stream.response.trailers.size() == 0;
  SubmitResponse(id, fields, is_bodiless ? Body::kNone : Body::kFollows);
}

void Http2ServerSession::GiveRoomOf(Stream& stream) {
  owner_.GiveRoom(std::exchange(stream.room_taken, 0));
}

MonotonicTime Http2ServerSession::NextDeadline() const {
  MonotonicTime next = idle_since_ + limits_.idle_deadline;
  if (!streams_.empty()) next = MonotonicTime::max();
  for (const auto& [id, stream] : streams_) next = std::min(next, stream.deadline);
  if (!got_settings_) next = std::min(next, started_ + limits_.header_deadline);
  if (draining_ == Draining::kNoticed) next = std::min(next, drain_deadline_);
  return next;
}

void Http2ServerSession::CheckDeadlines(MonotonicTime now) {
  now_ = now;
  if (!got_settings_ && now >= started_ + limits_.header_deadline) {
    Terminate(Http2Code::kProtocolError, "no settings came in time");
    return;
  }
  if (draining_ == Draining::kNoticed && now >= drain_deadline_) FinishDrain();
  if (streams_.empty() && now >= idle_since_ + limits_.idle_deadline) {
    Terminate(Http2Code::kNoError, "nothing was asked for a long time");
    return;
  }
  for (auto& [id, stream] : streams_) {
    if (now < stream.deadline) continue;
    if (stream.phase == Phase::kAnswered) {
      stream.deadline = MonotonicTime::max();
      Reset(id, Http2Code::kCancel);  // it does not read the answer, or sends on and on
    } else if (stream.phase == Phase::kBody) {
      Refuse(id, stream, 408, "The request body took too long to arrive.");
    } else {
      // Between the frames of a header no other may be sent, so nobody else is being served.
      Terminate(Http2Code::kEnhanceYourCalm, "a request header took too long to arrive");
      return;
    }
  }
}

void Http2ServerSession::Drain(MonotonicTime now) {
  if (draining_ != Draining::kNo) return;
  draining_ = Draining::kNoticed;
  drain_deadline_ = now + kDrainNotice;
  SubmitShutdownNotice();
}

void Http2ServerSession::FinishDrain() {
  draining_ = Draining::kDone;
  SubmitGoAway(Http2Code::kNoError);
}

}  // namespace tracekeeper::net
