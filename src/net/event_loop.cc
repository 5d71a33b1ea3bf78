#include "src/net/event_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace tracekeeper::net {

namespace asio = boost::asio;

struct EventLoop::Context {
  explicit Context(unsigned threads) : io(static_cast<int>(threads)), work(io.get_executor()) {}

  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
};

EventLoop::EventLoop(unsigned threads) : context_(std::make_unique<Context>(threads)) {}

EventLoop::~EventLoop() = default;

void EventLoop::Run() { context_->io.run(); }

void EventLoop::RunOnce(MonotonicTime deadline) { context_->io.run_one_until(deadline); }

void EventLoop::Stop() { context_->io.stop(); }

void EventLoop::Post(std::function<void()> work) { asio::post(context_->io, std::move(work)); }

void EventLoop::After(Duration delay, std::function<void()> work) {
  auto timer = std::make_unique<asio::steady_timer>(context_->io, delay);
  asio::steady_timer& waiting = *timer;
  waiting.async_wait(
      [kept = std::move(timer), due = std::move(work)](const boost::system::error_code& error) {
        if (!error) due();
      });
}

asio::io_context& EventLoop::context() const { return context_->io; }

}  // namespace tracekeeper::net
