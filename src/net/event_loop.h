#pragma once
// EventLoop waits for sockets and timers and calls what is due: the part of Asio that this folder
// uses, so that Asio's headers stay in two source files.
//
// Threads:  Run() may be called by several threads, which then share the work; Post, After, Wake
//           and Stop are safe from any thread.
// Owner:    a server, or one client connection; destroyed after every Run has returned. Work that
//           did not run yet is destroyed with it, uncalled.

#include <functional>
#include <memory>

#include "src/base/clock.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace tracekeeper::net {

class EventLoop {
 public:
  /// `threads` is how many will call Run(): a hint.
  explicit EventLoop(unsigned threads);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Works until Stop().
  void Run();
  /// Works until something was called or `deadline` has passed.
  void RunOnce(MonotonicTime deadline);
  void Stop();

  void Post(std::function<void()> work);
  void After(Duration delay, std::function<void()> work);
  /// Makes one RunOnce() return.
  void Wake() {
    Post([] {});
  }

  [[nodiscard]] boost::asio::io_context& context() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace tracekeeper::net
