#pragma once
// GrpcReceiver answers OTLP/gRPC: the Export method of the three services, messages plain, gzip,
// deflate or zstd.
//
//   INVALID_ARGUMENT no OTLP    UNIMPLEMENTED another method or compression
//   RESOURCE_EXHAUSTED too large; with RetryInfo: no room    UNAVAILABLE with RetryInfo: ending
//
// Threads:  one thread at a time: its server has one.
// Owner:    the sidecar's wiring; relay outlives it.

#include "src/codec/compression.h"
#include "src/net/grpc.h"
#include "src/net/http.h"
#include "src/otlp/relay.h"

namespace tracekeeper::otlp {

class GrpcReceiver {
 public:
  explicit GrpcReceiver(Relay& relay) : relay_(relay) {}

  net::Response Handle(const net::Request& request);

 private:
  net::GrpcStatus Take(const net::GrpcCall& call);
  net::GrpcStatus Refuse(RefuseReason reason, net::GrpcCode code, std::string sentence);

  Relay& relay_;
  codec::Decompressor decompressor_;
};

}  // namespace tracekeeper::otlp
