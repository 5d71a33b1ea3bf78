#include "src/net/response_reader.h"

// Beast 1.74 asserts that a last chunk arrives in pieces of five bytes, which a peer need not do;
// its code behind that assertion is right without it.
#define BOOST_DISABLE_ASSERTS

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace tracekeeper::net {

namespace http = boost::beast::http;
using boost::beast::string_view;

namespace {

// Long lists and watches are read in pieces of this size; also the longest header accepted.
constexpr std::size_t kBufferSize = 64U << 10U;

constexpr int kFirstStatus = 100;

std::string_view View(string_view text) { return {text.data(), text.size()}; }

}  // namespace

/// Hands what Beast's parser recognises to the sink.
class ResponseReader::Parser final : public http::basic_parser<false> {
 public:
  Parser(StreamSink& sink, BodyRule body_rule) : sink_(sink) {
    header_limit(kBufferSize - 1);
    // The sink decides how much it takes. Beast 1.74 reads "no limit" as a limit of nothing.
    body_limit(std::numeric_limits<std::uint64_t>::max());
    eager(true);
    skip(body_rule == BodyRule::kNever);
  }

  [[nodiscard]] bool is_interim() const { return status_ / 100 == 1; }
  [[nodiscard]] Status TakeSinkStatus() { return std::exchange(sink_status_, Status()); }

 private:
  using Error = boost::system::error_code;

  /// Any error stops Beast's parser; TakeSinkStatus() has the real one.
  void PassOn(Status status, Error& error) {
    if (status) return;
    sink_status_ = std::move(status);
    error = http::error::bad_value;
  }

  void on_response_impl(int code, string_view, int, Error&) override { status_ = code; }

  void on_field_impl(http::field, string_view name, string_view value, Error&) override {
    if (!is_header_done()) headers_.Add(View(name), View(value));
  }

  void on_header_impl(Error& error) override {
    if (is_interim()) return;
    if (status_ < kFirstStatus) {
      PassOn(Fail(ErrorKind::kDecode,
                  "the answer says status {}, and the least is {} (RFC 9110, section 15)", status_,
                  kFirstStatus),
             error);
    } else {
      PassOn(sink_.OnHead(status_, headers_), error);
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}

  std::size_t on_body_impl(string_view bytes, Error& error) override {
    if (!bytes.empty()) PassOn(sink_.OnBytes(View(bytes)), error);
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, Error&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, Error& error) override {
    if (!bytes.empty()) PassOn(sink_.OnBytes(View(bytes)), error);
    return bytes.size();
  }

  void on_finish_impl(Error&) override {}
  void on_request_impl(http::verb, string_view, string_view, int, Error&) override {}

  StreamSink& sink_;
  int status_ = 0;
  Headers headers_;
  Status sink_status_;
};

ResponseReader::ResponseReader(StreamSink& sink, BodyRule body_rule)
    : sink_(sink),
      body_rule_(body_rule),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferSize)) {
  StartParser();
}

ResponseReader::~ResponseReader() { explicit_bzero(buffer_.get(), most_); }

void ResponseReader::StartParser() { parser_ = std::make_unique<Parser>(sink_, body_rule_); }

std::span<char> ResponseReader::Space() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  return {buffer_.get() + end_, kBufferSize - end_};
}

Result<ResponseReader::Progress> ResponseReader::Commit(std::size_t size) {
  end_ += size;
  most_ = std::max(most_, end_);
  got_bytes_ = got_bytes_ || size > 0;
  while (begin_ < end_) {
    boost::system::error_code error;
    begin_ += parser_->put(boost::asio::const_buffer(buffer_.get() + begin_, end_ - begin_), error);
    if (error == http::error::need_more && (begin_ > 0 || end_ < kBufferSize)) break;
    if (error) {
      TRY(parser_->TakeSinkStatus());
      return Fail(ErrorKind::kDecode, "the answer is not HTTP/1.1: {}", error.message());
    }
    if (!parser_->is_done()) continue;
    if (!parser_->is_interim()) return Progress::kComplete;
    StartParser();  // "100 Continue" and the like come before the answer
  }
  return Progress::kNeedMore;
}

Result<ResponseReader::Progress> ResponseReader::CommitEnd() {
  if (parser_->is_header_done() && parser_->need_eof()) {
    boost::system::error_code error;
    parser_->put_eof(error);
    if (!error) return Progress::kComplete;
  }
  return Fail(ErrorKind::kUnavailable, "the server closed the connection {}",
              got_bytes_ ? "in the middle of its answer" : "without an answer");
}

bool ResponseReader::head_done() const {
  return parser_->is_header_done() && !parser_->is_interim();
}

bool ResponseReader::reusable() const { return parser_->keep_alive() && begin_ == end_; }

}  // namespace tracekeeper::net
