#pragma once
// RequestQueue stands between the receivers' threads and the engine's: whole OTLP requests, so many
// bytes of them. It never makes a receiver wait: what finds no room is refused.
//
// Threads:  Push and Post from any thread; TakeUntil and Release from one.
// Owner:    Analysis.
// Cost:     one copy of a request, into memory that an earlier one left: what waits and what is
// kept
//           for that are within the budget together.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/otlp/intake.h"

namespace tracekeeper::analysis {

struct QueuedRequest {
  otlp::Signal signal = otlp::Signal::kTraces;
  otlp::Ingress ingress = otlp::Ingress::kGrpc;
  std::string bytes;
};

/// For the engine's thread to run between two requests.
using QueuedTask = std::function<void()>;

class RequestQueue {
 public:
  enum class Outcome { kTaken, kFull, kClosed };

  RequestQueue(std::size_t budget_bytes, const Clock& clock)
      : budget_bytes_(budget_bytes), clock_(clock) {}

  /// A request that is larger than the budget is taken where nothing else waits.
  Outcome Push(otlp::Signal signal, otlp::Ingress ingress, std::string_view bytes);
  /// False once it is closed: the task will not run.
  bool Post(QueuedTask task);
  /// Nothing is taken any more. What waits is still handed out.
  void Close();

  struct Work {
    std::vector<QueuedTask> tasks;
    std::deque<QueuedRequest> requests;
    bool is_closed = false;  // and this is the last of it
  };
  /// All that waits, as soon as there is some; nothing where none came until `deadline`.
  Work TakeUntil(MonotonicTime deadline);
  /// Tasks that came while requests were read.
  std::vector<QueuedTask> TakeTasks();
  /// One that was handed out is done with: it makes room.
  void Release(QueuedRequest request);

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t budget_bytes() const { return budget_bytes_; }

 private:
  static constexpr std::size_t kMostSpare = 16;

  // With the lock.
  [[nodiscard]] Outcome Reserve(std::size_t bytes);
  [[nodiscard]] bool is_ended() const { return is_closed_ && copied_ == 0; }
  /// For a request of that size; empty where none fits.
  std::string TakeSpare(std::size_t bytes);
  void DropSpare();

  const std::size_t budget_bytes_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<QueuedRequest> requests_;
  std::vector<QueuedTask> tasks_;
  std::size_t bytes_ = 0;   // waiting, being copied, and handed out
  std::size_t copied_ = 0;  // requests that are being copied
  std::vector<std::string> spare_;
  std::size_t spare_bytes_ = 0;
  bool is_closed_ = false;
};

}  // namespace tracekeeper::analysis
