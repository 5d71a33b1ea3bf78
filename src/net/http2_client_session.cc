#include "src/net/http2_client_session.h"

#include <charconv>
#include <utility>

namespace tracekeeper::net {

namespace {

constexpr std::size_t kFieldOverhead = 32;  // RFC 9113, 6.5.2
constexpr int kFirstStatus = 100;
constexpr int kFirstFinalStatus = 200;
constexpr std::size_t kLongestGoodbye = 200;

Error Unavailable(std::string message) { return {ErrorKind::kUnavailable, std::move(message), {}}; }

tl::unexpected<Http2Failure> Failed(Error why) {
  return tl::unexpected(Http2Failure{std::move(why), Delivery::kUnknown});
}

}  // namespace

Http2ClientSession::Http2ClientSession(std::string_view scheme, std::string_view authority,
                                       std::size_t header_bytes, Owner& owner)
    : Http2Session(Side::kClient, {.header_list_bytes = static_cast<std::uint32_t>(header_bytes)}),
      scheme_(scheme),
      authority_(authority),
      header_limit_(header_bytes),
      owner_(owner) {}

bool Http2ClientSession::Begin(CallId call, std::shared_ptr<const Request> request,
                               std::size_t body_limit) {
  Fields fields{{":method", request->method},
                {":scheme", scheme_},
                {":authority", authority_},
                {":path", request->target}};
  for (const auto& [name, value] : request->headers) {
    if (!IsConnectionField(name)) fields.emplace_back(name, value);
  }
  const StreamId id = SubmitRequest(fields, request->body.empty() ? Body::kNone : Body::kFollows);
  if (id < 0) return false;
  Stream& stream = streams_[id];
  stream.call = call;
  stream.outgoing.bytes = request->body;
  stream.request = std::move(request);
  stream.body_limit = body_limit;
  stream.response.status = 0;
  calls_.emplace(call, id);
  return true;
}

void Http2ClientSession::Cancel(CallId call) {
  const auto found = calls_.find(call);
  if (found != calls_.end()) Drop(found->second, Http2Code::kCancel);
}

void Http2ClientSession::FailAll(const Error& why) {
  const auto streams = std::exchange(streams_, {});
  calls_.clear();
  for (const auto& [id, stream] : streams) {
    if (stream.was_sent) {
      owner_.OnAnswer(stream.call, Failed(why));
    } else {
      owner_.OnRefused(stream.call, why);
    }
  }
}

Http2ClientSession::Stream* Http2ClientSession::Find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

void Http2ClientSession::Drop(StreamId id, Http2Code code) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  calls_.erase(found->second.call);
  streams_.erase(found);
  Reset(id, code);
}

void Http2ClientSession::Reject(StreamId id, Error why) {
  const CallId call = streams_.at(id).call;
  Drop(id, Http2Code::kCancel);
  owner_.OnAnswer(call, Failed(std::move(why)));
}

void Http2ClientSession::OnHeadersBegin(StreamId id) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->in_trailers = stream->response.status >= kFirstFinalStatus;
  if (!stream->in_trailers) stream->response.headers = {};  // an interim answer came before
}

void Http2ClientSession::OnField(StreamId id, std::string_view name, std::string_view value) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->header_bytes += name.size() + value.size() + kFieldOverhead;
  if (stream->header_bytes > header_limit_) return;  // rejected when the header is complete
  Response& response = stream->response;
  if (name == ":status") {
    std::from_chars(value.data(), value.data() + value.size(), response.status);
  } else {
    (stream->in_trailers ? response.trailers : response.headers).Add(name, value);
  }
}

void Http2ClientSession::OnHeadersEnd(StreamId id) {
  const Stream* const stream = Find(id);
  if (stream == nullptr) return;
  if (stream->header_bytes > header_limit_) {
    Reject(id, {ErrorKind::kDecode,
                fmt::format("the header of the answer is longer than the {} bytes expected of it",
                            header_limit_),
                {}});
  } else if (stream->response.status < kFirstStatus) {
    Reject(id, {ErrorKind::kDecode,
                fmt::format("the answer says status {}, and the least is {} (RFC 9110, section 15)",
                            stream->response.status, kFirstStatus),
                {}});
  }
}

void Http2ClientSession::OnData(StreamId id, std::string_view bytes) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  std::string& body = stream->response.body;
  if (bytes.size() > stream->body_limit - body.size()) {
    Reject(id, {ErrorKind::kDecode,
                fmt::format("the answer is longer than the {} bytes expected of it",
                            stream->body_limit),
                {}});
    return;
  }
  body.append(bytes);
}

void Http2ClientSession::OnStreamEnd(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const CallId call = found->second.call;
  const bool sent_all = found->second.sent_all;
  Response response = std::move(found->second.response);
  calls_.erase(call);
  streams_.erase(found);
  // A server may answer before it has read the request (413); the rest is not sent then.
  if (!sent_all) Reset(id, Http2Code::kNoError);
  owner_.OnAnswer(call, std::move(response));
}

void Http2ClientSession::OnStreamClosed(StreamId id, Http2Code code) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const Stream stream = std::move(found->second);
  calls_.erase(stream.call);
  streams_.erase(found);
  // GOAWAY closes the streams that the server did not look at with this code too.
  if (code == Http2Code::kRefusedStream || !stream.was_sent) {
    owner_.OnRefused(stream.call,
                     Unavailable(goodbye_.empty() ? "the server refused the call" : goodbye_));
    return;
  }
  owner_.OnAnswer(
      stream.call,
      Failed(Unavailable(fmt::format("the server broke the call off ({})", NameOf(code)))));
}

void Http2ClientSession::OnSettings() {
  if (!std::exchange(ready_, true)) owner_.OnReady();
}

void Http2ClientSession::OnGoAway(Http2Code code, std::string_view why) {
  goodbye_ = fmt::format("the server is ending the connection ({}", NameOf(code));
  if (!why.empty()) goodbye_ += ": ";
  for (const char c : why.substr(0, kLongestGoodbye)) goodbye_ += c >= ' ' && c <= '~' ? c : '?';
  goodbye_ += ')';
  owner_.OnDraining();
}

Http2Session::Outgoing* Http2ClientSession::OutgoingOf(StreamId id) {
  Stream* const stream = Find(id);
  return stream == nullptr ? nullptr : &stream->outgoing;
}

void Http2ClientSession::OnHeadersSent(StreamId id) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->was_sent = true;
  if (stream->request->body.empty()) stream->sent_all = true;
}

void Http2ClientSession::OnEndSent(StreamId id) {
  if (Stream* const stream = Find(id)) stream->sent_all = true;
}

}  // namespace tracekeeper::net
