#pragma once
// FakeExporter answers a relay's attempts from a script and keeps what was delivered.
//
// Threads:  safe from any thread.
// Owner:    the test, shared with the relay.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "src/otlp/exporter.h"

namespace tracekeeper::otlp {

class FakeExporter final : public Exporter {
 public:
  struct Attempt {
    Signal signal;
    std::string body;
    Answer answer;
  };

  explicit FakeExporter(std::string destination = "fake http://backend",
                        codec::Compression compression = codec::Compression::kIdentity)
      : destination_(std::move(destination)), compression_(compression) {}

  /// The answer to the next attempt that has none yet; without one left `otherwise` is given.
  void Script(Answer answer) {
    const std::scoped_lock guard(mutex_);
    script_.push_back(std::move(answer));
  }
  void set_otherwise(Answer answer) {
    const std::scoped_lock guard(mutex_);
    otherwise_ = std::move(answer);
  }
  /// Attempts hang until their stop token ends them.
  void Hang() {
    const std::scoped_lock guard(mutex_);
    hangs_ = true;
  }

  /// Waits, in real time, until there were `count` attempts.
  bool WaitForAttempts(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return attempts_.size() >= count; });
  }
  std::vector<Attempt> attempts() {
    const std::scoped_lock guard(mutex_);
    return attempts_;
  }

  Answer Export(Signal signal, std::string& body, const StopToken& stop) override {
    std::unique_lock lock(mutex_);
    Answer answer = otherwise_;
    if (!script_.empty()) {
      answer = std::move(script_.front());
      script_.pop_front();
    }
    attempts_.push_back({signal, body, answer});
    changed_.notify_all();
    if (!hangs_) return answer;
    changed_.wait(lock, stop, [] { return false; });
    return NoAnswer{{ErrorKind::kCancelled, "cut off"}};
  }
  [[nodiscard]] codec::Compression compression() const override { return compression_; }
  [[nodiscard]] const std::string& destination() const override { return destination_; }

 private:
  const std::string destination_;
  const codec::Compression compression_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Answer> script_;
  Answer otherwise_ = HttpAnswer{};
  bool hangs_ = false;
  std::vector<Attempt> attempts_;
};

}  // namespace tracekeeper::otlp
