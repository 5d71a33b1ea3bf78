#pragma once
// StopOnSignal turns SIGTERM and SIGINT into a request to stop. The second signal ends the process
// at once with exit code 1: whoever sends it does not want to wait.
//
//   const StopOnSignal signals;            // first thing in main: threads inherit its signal mask
//   return manager.Run(signals.token()) ? 0 : 1;
//
// Failure:  throws std::system_error when the kernel has no descriptor left.
// Threads:  made and destroyed by main, before other threads begin and after they ended.

#include <stop_token>
#include <thread>

namespace tracekeeper::runtime {

class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  int signals_ = -1;
  int end_ = -1;
  std::thread thread_;
};

}  // namespace tracekeeper::runtime
