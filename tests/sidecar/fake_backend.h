#pragma once
// FakeBackend does what a real one won't do on demand: it answers each request with the bytes that
// the test wrote for it, at once, drop by drop or not at all, and breaks connections.
//
// Threads:  its own; the methods are safe from any thread.
// Owner:    the test; the destructor ends its connections.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/spawn.h"

namespace tracekeeper::sidecar {

/// What follows one request, whatever is in it.
struct Exchange {
  std::string bytes;  // as they go over the wire
  /// Between two bytes; zero sends all at once.
  std::chrono::milliseconds drip{0};
  enum class End { kKeep, kClose, kReset } end = End::kKeep;
};

/// An answer in HTTP/1.1 with a body of that type.
std::string HttpText(int status, std::string_view type, std::string_view body,
                     std::string_view more_headers = {});

class FakeBackend {
 public:
  FakeBackend();
  ~FakeBackend();
  FakeBackend(const FakeBackend&) = delete;
  FakeBackend& operator=(const FakeBackend&) = delete;

  /// For the next request that has none yet. Without a script the answer is OTLP's success.
  void Script(Exchange exchange);
  [[nodiscard]] std::string endpoint() const;
  [[nodiscard]] std::size_t requests() const { return requests_; }

 private:
  void Accept(const std::stop_token& stop);
  void Serve(const std::stop_token& stop, test_support::FileHandle connection);
  bool ReadRequest(const std::stop_token& stop, int connection) const;
  /// False when the connection is over.
  bool Play(const std::stop_token& stop, int connection, const Exchange& exchange) const;

  test_support::FileHandle listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::deque<Exchange> script_;
  std::atomic<std::size_t> requests_ = 0;
  std::vector<std::jthread> connections_;
  std::jthread accepting_;
};

}  // namespace tracekeeper::sidecar
