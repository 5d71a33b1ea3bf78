#pragma once
// GrpcReceiver answers OTLP/gRPC on our own HTTP/2 server: the Export method of the three services,
// messages plain, gzip, deflate or zstd. The answers are in grpc_export.h.
//
// Threads:  Handle from any thread: the server's workers call it.
// Owner:    the program's wiring; the intake outlives it.

#include "src/net/http.h"
#include "src/otlp/grpc_export.h"
#include "src/otlp/request_scratch.h"

namespace tracekeeper::otlp {

class GrpcReceiver {
 public:
  explicit GrpcReceiver(Intake& intake, ReceiverLimits limits = {})
      : intake_(intake), export_(intake, limits), scratch_(limits.kept_bytes) {}

  net::Response Handle(const net::Request& request);

 private:
  net::GrpcReply Take(const net::GrpcCall& call);

  Intake& intake_;
  GrpcExport export_;
  ScratchPool scratch_;
};

}  // namespace tracekeeper::otlp
