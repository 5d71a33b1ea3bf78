#pragma once
// GrpcLog has what gRPC's library says written to our log while it lives, in place of lines of its
// own format on standard error. The library has one such place for the whole process; of several
// GrpcLogs the newest gets the lines.
//
// Threads:  made and destroyed on any thread; gRPC writes from its own.
// Owner:    each gRPC server has one; the log outlives it.

#include "src/base/log.h"

namespace tracekeeper::ingest {

class GrpcLog {
 public:
  explicit GrpcLog(const Logger& log);
  ~GrpcLog();
  GrpcLog(const GrpcLog&) = delete;
  GrpcLog& operator=(const GrpcLog&) = delete;

  [[nodiscard]] const Logger& log() const { return log_; }

 private:
  const Logger log_;
};

}  // namespace tracekeeper::ingest
