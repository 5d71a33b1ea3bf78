#pragma once
// GrpcExport is what the Export method of OTLP's three services does, whichever library carries the
// call: it reads the message, brings it to the intake and says how to answer.
//
//   INVALID_ARGUMENT no OTLP    UNIMPLEMENTED another method or compression
//   RESOURCE_EXHAUSTED too large; with RetryInfo: no room    UNAVAILABLE with RetryInfo: ending
//
// Threads:  safe from any thread, with a decompressor for each.
// Owner:    a receiver; the intake outlives it.
// Failure:  whatever is wrong is in the answer, and counted by the intake.

#include <string>
#include <string_view>

#include "src/codec/compression.h"
#include "src/net/grpc.h"
#include "src/otlp/intake.h"
#include "src/otlp/receiver_limits.h"

namespace tracekeeper::otlp {

/// Named here for carriers that know nothing of src/net.
using ExportReply = net::GrpcReply;

class GrpcExport {
 public:
  GrpcExport(Intake& intake, ReceiverLimits limits) : intake_(intake), limits_(limits) {}

  ExportReply Take(Signal signal, codec::Compression compression, std::string_view message,
                   codec::Decompressor& decompressor);
  /// For a method that is none of the three.
  ExportReply RefuseMethod(std::string_view method);
  /// For what the carrier itself refuses.
  ExportReply Refuse(Refusal refusal);

  [[nodiscard]] const ReceiverLimits& limits() const { return limits_; }

 private:
  Intake& intake_;
  const ReceiverLimits limits_;
};

}  // namespace tracekeeper::otlp
