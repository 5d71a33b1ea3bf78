#include "src/net/request_reader.h"

// Beast 1.74 asserts that a last chunk arrives in pieces of five bytes, which a peer need not do;
// its code behind that assertion is right without it.
#define BOOST_DISABLE_ASSERTS

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstring>
#include <string>
#include <utility>

namespace tracekeeper::net {

namespace http = boost::beast::http;
using boost::beast::iequals;
using boost::beast::string_view;

namespace {

// One TLS record; an AdmissionReview of a common pod arrives in one read.
// Header, chunk header and trailer must each fit in.
constexpr std::size_t kBufferSize = 16U << 10U;
// How far a body is made longer before it is read into: memory is touched as bytes really arrive.
constexpr std::size_t kBodyStep = 128U << 10U;

std::string_view View(string_view text) { return {text.data(), text.size()}; }

RequestReader::Refusal RefusalOf(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {431, "The request header is longer than this server accepts."};
  }
  if (error == http::error::body_limit) {
    return {413, "The request body is longer than this server accepts."};
  }
  if (error == http::error::bad_version) return {505, "This server speaks HTTP/1.1 and HTTP/1.0."};
  if (error == http::error::bad_transfer_encoding) {
    return {400, "The request's Transfer-Encoding is not \"chunked\" alone."};
  }
  if (error == http::error::bad_content_length) {
    return {400, "The request's Content-Length is not one number."};
  }
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension) {
    return {400, "A chunk of the request body has no valid size."};
  }
  if (error == http::error::bad_field) {
    return {400, "An HTTP/1.1 request needs exactly one Host header."};
  }
  return {400, "This is not an HTTP/1.1 request."};
}

}  // namespace

/// Collects what Beast's parser recognises straight into a Request.
class RequestReader::Parser final : public http::basic_parser<true> {
 public:
  explicit Parser(std::size_t body_limit_bytes) {
    // Beast's own limit is one for each piece that a header comes in: IsHeaderTooLong decides.
    this->header_limit(kBufferSize);
    this->body_limit(body_limit_bytes);
    this->eager(false);
  }

  Request request;
  /// How much of request.body has arrived; behind it stands nothing of meaning.
  std::size_t body_bytes = 0;
  bool started = false;
  bool wants_continue = false;

  void Append(string_view bytes) {
    std::string& body = request.body;
    if (body_bytes + bytes.size() <= body.size()) {
      std::copy(bytes.begin(), bytes.end(), body.data() + body_bytes);
    } else {
      body.resize(body_bytes);
      body.append(bytes.data(), bytes.size());
    }
    body_bytes += bytes.size();
  }

 private:
  using Error = boost::system::error_code;

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       Error&) override {
    request.method = View(method);
    request.target = View(target);
    is_http11_ = version == 11;
  }

  void on_field_impl(http::field name, string_view name_text, string_view value,
                     Error& error) override {
    if (is_header_done()) return;  // trailers say nothing that a handler here needs
    switch (name) {
      case http::field::host:
        if (std::exchange(has_host_, true)) error = http::error::bad_field;
        break;
      case http::field::transfer_encoding:
        // Beast takes any list that ends in chunked, and ignores others: a smuggler's door.
        if (!is_http11_ || !iequals(value, "chunked")) error = http::error::bad_transfer_encoding;
        break;
      case http::field::content_length:
        if (std::exchange(has_length_, true)) error = http::error::bad_content_length;
        break;
      case http::field::expect:
        wants_continue = is_http11_ && iequals(value, "100-continue");
        break;
      default:
        break;
    }
    request.headers.Add(View(name_text), View(value));
  }

  void on_header_impl(Error& error) override {
    if (is_http11_ && !has_host_) error = http::error::bad_field;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}

  std::size_t on_body_impl(string_view bytes, Error&) override {
    Append(bytes);
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, Error&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, Error&) override {
    Append(bytes);
    return bytes.size();
  }

  void on_finish_impl(Error&) override {}
  void on_response_impl(int, string_view, int, Error&) override {}

  bool is_http11_ = true;
  bool has_host_ = false;
  bool has_length_ = false;
};

RequestReader::RequestReader(std::size_t header_limit, std::size_t body_limit)
    : header_limit_(std::min(header_limit, kBufferSize - 1)),
      body_limit_(body_limit),
      parser_(std::make_unique<Parser>(body_limit_)) {}

RequestReader::~RequestReader() = default;

bool RequestReader::ReadsIntoBody() const {
  return begin_ == end_ && parser_->is_header_done() && !parser_->is_done() &&
         announced_body_bytes() > parser_->body_bytes;
}

std::size_t RequestReader::announced_body_bytes() const {
  if (!parser_->is_header_done()) return 0;
  return parser_->content_length().value_or(0);
}

void RequestReader::UseForBody(std::string memory) {
  std::string& body = parser_->request.body;
  const std::size_t length = announced_body_bytes();
  if (memory.capacity() < length) memory = {};
  // The limit was checked already, so this reserves no more than the handler may be given.
  memory.reserve(length);
  memory.resize(std::max(parser_->body_bytes, std::min(memory.size(), length)));
  std::copy_n(body.data(), parser_->body_bytes, memory.data());
  body = std::move(memory);
}

std::span<char> RequestReader::Space() {
  if (ReadsIntoBody()) {
    std::string& body = parser_->request.body;
    const std::size_t had = parser_->body_bytes;
    if (had == body.size()) body.resize(std::min(announced_body_bytes(), had + kBodyStep));
    return {body.data() + had, body.size() - had};
  }
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBufferSize);
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  return {buffer_.get() + end_, kBufferSize - end_};
}

RequestReader::Progress RequestReader::Commit(std::size_t size) {
  if (ReadsIntoBody()) {
    parser_->body_bytes += size;
    const bool is_whole = parser_->body_bytes == announced_body_bytes();
    return is_whole ? Progress::kComplete : Progress::kNeedMore;
  }
  end_ += size;
  return Parse();
}

/// RFC 9112 2.2: an empty line before a request is skipped; some clients end a body with one. Only
/// one, or a peer could keep a connection with nothing else. False where the line is not whole yet.
bool RequestReader::SkipEmptyLine() {
  if (parser_->started || has_skipped_line_ || begin_ == end_ || buffer_[begin_] != '\r')
    return true;
  if (end_ - begin_ < 2) return false;
  if (buffer_[begin_ + 1] == '\n') {
    begin_ += 2;
    has_skipped_line_ = true;
  }
  return true;
}

RequestReader::Progress RequestReader::Parse() {
  if (!SkipEmptyLine()) return Progress::kNeedMore;
  while (begin_ < end_) {
    boost::system::error_code error;
    parser_->started = true;
    const bool was_header = !parser_->is_header_done();
    const std::size_t used =
        parser_->put(boost::asio::const_buffer(buffer_.get() + begin_, end_ - begin_), error);
    begin_ += used;
    const bool was_read = !error || error == http::error::need_more;
    if (was_header && was_read && IsHeaderTooLong(used)) error = http::error::header_limit;
    if (error == http::error::need_more) {
      if (begin_ > 0 || end_ < kBufferSize) return Progress::kNeedMore;
      error = parser_->is_header_done() ? http::error::bad_chunk : http::error::header_limit;
    }
    if (error) {
      refusal_ = RefusalOf(error);
      return Progress::kRefused;
    }
    if (parser_->is_done()) return Progress::kComplete;
  }
  return Progress::kNeedMore;
}

/// Counts what a put took of the header, and what waits for the rest of its line.
bool RequestReader::IsHeaderTooLong(std::size_t used) {
  header_bytes_ += used;
  if (parser_->is_header_done()) {
    parser_->eager(true);
    return header_bytes_ > header_limit_;
  }
  return header_bytes_ + (end_ - begin_) > header_limit_;
}

RequestReader::Progress RequestReader::Resume() { return Parse(); }

bool RequestReader::at_start() const { return !parser_->started; }

bool RequestReader::header_done() const { return parser_->is_header_done(); }

bool RequestReader::TakeContinueWish() {
  if (!parser_->is_header_done() || parser_->is_done()) return false;
  return std::exchange(parser_->wants_continue, false);
}

Request RequestReader::Take() {
  Request request = std::move(parser_->request);
  request.body.resize(parser_->body_bytes);
  parser_ = std::make_unique<Parser>(body_limit_);
  header_bytes_ = 0;
  has_skipped_line_ = false;
  return request;
}

bool RequestReader::keep_alive() const { return parser_->keep_alive(); }

RequestReader::Refusal RequestReader::refusal() const { return refusal_; }

void RequestReader::ReleaseBuffer() {
  if (begin_ == end_) buffer_.reset();
}

}  // namespace tracekeeper::net
