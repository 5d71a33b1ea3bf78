#include "src/ingest/grpc_log.h"

#include <grpc/support/log.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace tracekeeper::ingest {
namespace {

struct Listeners {
  std::mutex mutex;
  std::vector<const GrpcLog*> logs;  // guarded by mutex
};

/// Never destroyed: gRPC's threads may speak until the process is gone.
Listeners& AllListeners() {
  static auto* const listeners = new Listeners;
  return *listeners;
}

void Write(gpr_log_func_args* line) {
  Listeners& listeners = AllListeners();
  const std::scoped_lock guard(listeners.mutex);
  if (listeners.logs.empty()) return;
  const Logger& log = listeners.logs.back()->log();
  if (line->severity == GPR_LOG_SEVERITY_ERROR) {
    log.Warn("gRPC reported a problem", {{"error", line->message}});
  } else {
    log.Debug("gRPC reported", {{"message", line->message}});
  }
}

}  // namespace

GrpcLog::GrpcLog(const Logger& log) : log_(log) {
  Listeners& listeners = AllListeners();
  const std::scoped_lock guard(listeners.mutex);
  listeners.logs.push_back(this);
  gpr_set_log_function(&Write);
}

GrpcLog::~GrpcLog() {
  Listeners& listeners = AllListeners();
  const std::scoped_lock guard(listeners.mutex);
  std::erase(listeners.logs, this);
}

}  // namespace tracekeeper::ingest
