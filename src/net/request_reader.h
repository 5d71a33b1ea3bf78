#pragma once
// RequestReader turns the bytes of one connection into requests: Beast's parser with our limits
// and none of its leniency. No socket and no clock, so it can be tested and fuzzed by itself.
//
//   read(fd, reader.Space()) -> reader.Commit(size) -> kNeedMore ... kComplete -> reader.Take()
//                            -> reader.Resume() for a pipelined request that is already here
//
// A body of announced length is read straight into the Request, but for what came with the header.
//
// Threads:  one at a time.
// Owner:    a server connection.
// Failure:  kRefused: refusal() is the answer to give, after which the connection must close,
//           because nobody can tell any more where the next request would begin.
// Strict:   Content-Length with Transfer-Encoding, two different lengths, codings other than
//           chunked, a chunk size that is no number, HTTP/1.1 without exactly one Host: all
//           refused.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "src/net/http.h"

namespace tracekeeper::net {

class RequestReader {
 public:
  enum class Progress { kNeedMore, kComplete, kRefused };

  struct Refusal {
    int status = 400;
    std::string_view reason;
  };

  RequestReader(std::size_t header_limit, std::size_t body_limit);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Where the next bytes go; never empty while more are needed.
  [[nodiscard]] std::span<char> Space();
  /// Says that `size` bytes were put there.
  Progress Commit(std::size_t size);
  /// Begins the next request with the bytes that came along with the last one.
  Progress Resume();

  /// Nothing of the next request has arrived.
  [[nodiscard]] bool at_start() const;
  [[nodiscard]] bool header_done() const;
  /// The peer waits for "100 Continue" before it sends the body. True once per request.
  [[nodiscard]] bool TakeContinueWish();

  /// The length of the body, where the header of this request told it.
  [[nodiscard]] std::size_t announced_body_bytes() const;
  /// Has the body put into `memory`, whose content does not matter: it saves an allocation.
  void UseForBody(std::string memory);

  /// The complete request; afterwards Resume() begins the next.
  [[nodiscard]] Request Take();
  /// Whether the peer wants the connection to stay open after this request.
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] Refusal refusal() const;

  /// Gives the buffer back while the connection is idle; Space() takes a new one.
  void ReleaseBuffer();

 private:
  class Parser;
  Progress Parse();
  [[nodiscard]] bool ReadsIntoBody() const;
  bool SkipEmptyLine();
  bool IsHeaderTooLong(std::size_t used);

  const std::size_t header_limit_;
  const std::size_t body_limit_;
  std::unique_ptr<Parser> parser_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;  // the unparsed bytes
  std::size_t end_ = 0;
  std::size_t header_bytes_ = 0;  // of the request that is being read
  bool has_skipped_line_ = false;
  Refusal refusal_;
};

}  // namespace tracekeeper::net
