#pragma once
// ResponseReader turns the bytes of one connection into one response, handed to a StreamSink as it
// arrives. No socket and no clock.
//
// Threads:  one at a time.
// Owner:    a client connection, for one call; the sink outlives it.
// Failure:  an error of the sink is passed on; bytes that are no HTTP response are kDecode.

#include <cstddef>
#include <memory>
#include <span>

#include "src/base/result.h"
#include "src/net/transport.h"

namespace tracekeeper::net {

class ResponseReader {
 public:
  enum class Progress { kNeedMore, kComplete };

  /// Whether the request was a HEAD: its answer has a length but no body.
  enum class BodyRule { kAsFramed, kNever };

  ResponseReader(StreamSink& sink, BodyRule body_rule);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  [[nodiscard]] std::span<char> Space();
  Result<Progress> Commit(std::size_t size);
  /// The peer ended the stream: completes a body that has no other end, else kUnavailable.
  Result<Progress> CommitEnd();

  /// The final head (not a 1xx) has been given to the sink.
  [[nodiscard]] bool head_done() const;
  [[nodiscard]] bool got_bytes() const { return got_bytes_; }
  /// After kComplete: the connection can carry another call.
  [[nodiscard]] bool reusable() const;

 private:
  class Parser;
  void StartParser();

  StreamSink& sink_;
  const BodyRule body_rule_;
  std::unique_ptr<Parser> parser_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t most_ = 0;  // of the buffer that was ever used, to be wiped
  bool got_bytes_ = false;
};

}  // namespace tracekeeper::net
