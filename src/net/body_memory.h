#pragma once
// BodyMemory keeps the memory of request bodies for the bodies that come next. What stands in it is
// left as it was: a string that is long already need not be filled before it is read into.
//
// Threads:  safe from any thread.
// Owner:    a server.
// Limit:    no more than `most` bytes are kept; of what does not fit, the oldest goes.

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>

namespace tracekeeper::net {

class BodyMemory {
 public:
  explicit BodyMemory(std::size_t most) : most_(most) {}

  /// With room for `size` bytes, or empty.
  [[nodiscard]] std::string Take(std::size_t size);
  void Give(std::string memory);

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::deque<std::string> kept_;  // the warmest last
  std::size_t bytes_ = 0;
};

}  // namespace tracekeeper::net
