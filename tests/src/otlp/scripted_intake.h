#pragma once
// ScriptedIntake takes what is OTLP, keeps it, and answers what the test wants; it can hold a
// request in hand until it is told to go on.
//
// Threads:  safe from any thread.
// Owner:    the test; outlives the receivers.

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/otlp/intake.h"
#include "src/otlp/request.h"

namespace tracekeeper::otlp {

class ScriptedIntake final : public Intake {
 public:
  struct Taken {
    Signal signal;
    Ingress ingress;
    std::string request;
  };

  Accepted Accept(Signal signal, Ingress ingress, std::string_view request) override {
    std::unique_lock lock(mutex_);
    ++in_hand_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !holds_; });
    --in_hand_;
    if (const auto items = CountItems(signal, request); !items) {
      ++refused_[static_cast<std::size_t>(RefuseReason::kMalformed)];
      return tl::unexpected(Refusal{RefuseReason::kMalformed, items.error().message, std::nullopt});
    }
    taken_.push_back({signal, ingress, std::string(request)});
    return answer_;
  }
  void CountRefused(RefuseReason reason) override {
    const std::scoped_lock guard(mutex_);
    ++refused_[static_cast<std::size_t>(reason)];
  }

  void set_answer(Accepted answer) {
    const std::scoped_lock guard(mutex_);
    answer_ = std::move(answer);
  }
  /// Requests stay in hand from now on.
  void Hold() {
    const std::scoped_lock guard(mutex_);
    holds_ = true;
  }
  void LetGo() {
    const std::scoped_lock guard(mutex_);
    holds_ = false;
    changed_.notify_all();
  }
  /// Waits until a request is in hand.
  void WaitForOne() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return in_hand_ > 0; });
  }

  /// What was taken since the last time it was asked.
  std::vector<Taken> TakeAll() {
    const std::scoped_lock guard(mutex_);
    return std::exchange(taken_, {});
  }
  std::size_t refused(RefuseReason reason) {
    const std::scoped_lock guard(mutex_);
    return refused_[static_cast<std::size_t>(reason)];
  }
  std::size_t refused() {
    const std::scoped_lock guard(mutex_);
    std::size_t sum = 0;
    for (const std::size_t count : refused_) sum += count;
    return sum;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Taken> taken_;
  Accepted answer_;
  bool holds_ = false;
  std::size_t in_hand_ = 0;
  std::array<std::size_t, kRefuseReasons.size()> refused_{};
};

}  // namespace tracekeeper::otlp
