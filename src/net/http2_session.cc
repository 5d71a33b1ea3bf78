#include "src/net/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

namespace tracekeeper::net {

namespace {

constexpr std::size_t kEnoughOutput = 64U << 10U;
// CVE-2023-44487: so many streams may be reset at once, and so many a second for long.
constexpr std::uint64_t kResetBurst = 1000;
constexpr std::uint64_t kResetsPerSecond = 33;
// CVE-2024-28182: a header that needs more frames is beyond every limit of ours.
constexpr std::size_t kContinuations = 8;
constexpr std::size_t kUnsentAcks = 1000;

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using CallbacksPtr =
    std::unique_ptr<nghttp2_session_callbacks, Deleter<&nghttp2_session_callbacks_del>>;
using OptionPtr = std::unique_ptr<nghttp2_option, Deleter<&nghttp2_option_del>>;

std::string_view View(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv ToNv(std::string_view name, std::string_view value) {
  // The library copies both, and the name in lower case; its type is not const all the same.
  auto* const name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
  auto* const value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
  return {name_bytes, value_bytes, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

template <typename FieldList>
std::vector<nghttp2_nv> ToNvs(const FieldList& fields) {
  std::vector<nghttp2_nv> nvs;
  nvs.reserve(fields.size());
  for (const auto& [name, value] : fields) nvs.push_back(ToNv(name, value));
  return nvs;
}

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

}  // namespace

std::string NameOf(Http2Code code) {
  return nghttp2_http2_strerror(static_cast<std::uint32_t>(code));
}

bool IsConnectionField(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {
      "connection", "content-length",    "host", "keep-alive", "proxy-connection",
      "upgrade",    "transfer-encoding",
  };
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view field) { return SameName(name, field); });
}

std::string_view FindForgedField(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    const auto* const value_bytes = reinterpret_cast<const std::uint8_t*>(value.data());
    const bool is_name = std::all_of(
        name.begin(), name.end(), [](unsigned char c) { return c > ' ' && c < 0x7F && c != ':'; });
    if (name.empty() || !is_name || nghttp2_check_header_value(value_bytes, value.size()) == 0) {
      return name;
    }
  }
  return {};
}

/// nghttp2's callbacks: each finds its session and calls the hook.
struct Http2Session::Callbacks {
  static Http2Session& Of(void* user_data) { return *static_cast<Http2Session*>(user_data); }

  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* head, void* user_data) {
    const bool is_header = head->type == NGHTTP2_HEADERS || head->type == NGHTTP2_CONTINUATION;
    const bool ends_body =
        head->type == NGHTTP2_DATA && (head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM));
    if (!is_header && !ends_body) Of(user_data).OnControlFrame();
    return 0;
  }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Of(user_data).OnHeadersBegin(frame->hd.stream_id);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* user_data) {
    Of(user_data).OnField(frame->hd.stream_id, View(name, name_size), View(value, value_size));
    return 0;
  }

  static int OnDataChunk(nghttp2_session*, std::uint8_t, std::int32_t stream,
                         const std::uint8_t* data, std::size_t size, void* user_data) {
    Of(user_data).OnData(stream, View(data, size));
    return 0;
  }

  static int OnFrameReceived(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Http2Session& session = Of(user_data);
    const auto flags = frame->hd.flags;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        session.OnHeadersEnd(frame->hd.stream_id);
        [[fallthrough]];
      case NGHTTP2_DATA:
        if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) session.OnStreamEnd(frame->hd.stream_id);
        break;
      case NGHTTP2_SETTINGS:
        if ((flags & NGHTTP2_FLAG_ACK) == 0) session.OnSettings();
        break;
      case NGHTTP2_PING:
        if ((flags & NGHTTP2_FLAG_ACK) != 0) session.OnPingAck();
        break;
      case NGHTTP2_GOAWAY:
        session.OnGoAway(static_cast<Http2Code>(frame->goaway.error_code),
                         View(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Http2Session& session = Of(user_data);
    const auto type = frame->hd.type;
    if (type == NGHTTP2_HEADERS) session.OnHeadersSent(frame->hd.stream_id);
    // Behind the shutdown notice, not before it, as two frames submitted at once would go.
    constexpr std::int32_t kNotice = 0x7FFFFFFF;
    if (type == NGHTTP2_GOAWAY && frame->goaway.last_stream_id == kNotice) session.SubmitPing();
    if ((type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      session.OnEndSent(frame->hd.stream_id);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t stream, std::uint32_t code,
                           void* user_data) {
    Of(user_data).OnStreamClosed(stream, static_cast<Http2Code>(code));
    return 0;
  }

  /// Says how much of the body the next frame takes; SendData then puts it there without a copy
  /// in between.
  static ssize_t ReadBody(nghttp2_session* session, std::int32_t stream, std::uint8_t*,
                          std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                          void* user_data) {
    const Outgoing* const outgoing = Of(user_data).OutgoingOf(stream);
    if (outgoing == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    const std::size_t taken = std::min(size, outgoing->bytes.size());
    if (taken == outgoing->bytes.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (outgoing->trailers != nullptr && outgoing->trailers->size() > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto trailers = ToNvs(*outgoing->trailers);
        nghttp2_submit_trailer(session, stream, trailers.data(), trailers.size());
      }
    }
    return static_cast<ssize_t>(taken);
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head,
                      std::size_t size, nghttp2_data_source*, void* user_data) {
    constexpr std::size_t kHeadSize = 9;
    Http2Session& session = Of(user_data);
    if (session.out_.size() >= kEnoughOutput) return NGHTTP2_ERR_WOULDBLOCK;
    Outgoing* const outgoing = session.OutgoingOf(frame->hd.stream_id);
    if (outgoing == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    session.out_.append(View(head, kHeadSize));
    session.out_.append(outgoing->bytes.substr(0, size));
    outgoing->bytes.remove_prefix(size);
    return 0;
  }

  static int OnError(nghttp2_session*, int, const char* text, std::size_t size, void* user_data) {
    Of(user_data).breakage_ = std::string_view(text, size);
    return 0;
  }

  static CallbacksPtr Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, OnBeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnDataChunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrameReceived);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, SendData);
    nghttp2_session_callbacks_set_error_callback2(callbacks, OnError);
    return CallbacksPtr(callbacks);
  }
};

Http2Session::Http2Session(Side side, const Settings& settings) {
  const CallbacksPtr callbacks = Callbacks::Make();
  nghttp2_option* raw_option = nullptr;
  if (nghttp2_option_new(&raw_option) != 0) throw std::bad_alloc();
  const OptionPtr option(raw_option);
  nghttp2_option_set_stream_reset_rate_limit(raw_option, kResetBurst, kResetsPerSecond);
  nghttp2_option_set_max_continuations(raw_option, kContinuations);
  nghttp2_option_set_max_outbound_ack(raw_option, kUnsentAcks);
  nghttp2_option_set_no_closed_streams(raw_option, 1);  // no priority tree to keep them for
  const auto make =
      side == Side::kClient ? &nghttp2_session_client_new2 : nghttp2_session_server_new2;
  if (make(&session_, callbacks.get(), this, raw_option) != 0) throw std::bad_alloc();

  const std::array<nghttp2_settings_entry, 4> entries = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.header_list_bytes},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.streams},
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
  }};
  // A server has nothing to say about push.
  const std::size_t count = side == Side::kClient ? entries.size() : entries.size() - 1;
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), count);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(settings.window_bytes));
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

Http2Session::Progress Http2Session::ReceiveFrames(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0) return Progress::kGoOn;
  if (breakage_.empty()) breakage_ = nghttp2_strerror(static_cast<int>(taken));
  return taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? Progress::kNotHttp2 : Progress::kBroken;
}

std::string_view Http2Session::NextOutput() {
  out_.clear();
  while (out_.size() < kEnoughOutput) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) break;
    out_.append(View(data, static_cast<std::size_t>(size)));
  }
  return out_;
}

bool Http2Session::is_over() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

Http2Session::StreamId Http2Session::SubmitRequest(const Fields& fields, Body body) {
  nghttp2_data_provider provider{};
  provider.read_callback = &Callbacks::ReadBody;
  const auto nvs = ToNvs(fields);
  return nghttp2_submit_request(session_, nullptr, nvs.data(), nvs.size(),
                                body == Body::kFollows ? &provider : nullptr, nullptr);
}

void Http2Session::SubmitResponse(StreamId stream, const Fields& fields, Body body) {
  nghttp2_data_provider provider{};
  provider.read_callback = &Callbacks::ReadBody;
  const auto nvs = ToNvs(fields);
  nghttp2_submit_response(session_, stream, nvs.data(), nvs.size(),
                          body == Body::kFollows ? &provider : nullptr);
}

void Http2Session::Reset(StreamId stream, Http2Code code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, static_cast<std::uint32_t>(code));
}

void Http2Session::SubmitPing() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

void Http2Session::SubmitShutdownNotice() { nghttp2_submit_shutdown_notice(session_); }

void Http2Session::SubmitGoAway(Http2Code code) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_),
                        static_cast<std::uint32_t>(code), nullptr, 0);
}

void Http2Session::Terminate(Http2Code code, std::string_view why) {
  breakage_ = why;
  nghttp2_session_terminate_session(session_, static_cast<std::uint32_t>(code));
}

std::size_t Http2Session::PeerStreams() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

}  // namespace tracekeeper::net
