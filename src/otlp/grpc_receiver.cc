#include "src/otlp/grpc_receiver.h"

#include <fmt/format.h>

namespace tracekeeper::otlp {

net::Response GrpcReceiver::Handle(const net::Request& request) {
  if (!net::IsGrpc(request)) {
    intake_.CountRefused(RefuseReason::kUnsupported);
    return net::RefuseAsNotGrpc();
  }
  const auto call = net::ReadGrpcRequest(request);
  if (!call) {
    intake_.CountRefused(RefuseReason::kMalformed);
    return net::WriteGrpcResponse({.status = call.error()});
  }
  return net::WriteGrpcResponse(Take(*call));
}

net::GrpcReply GrpcReceiver::Take(const net::GrpcCall& call) {
  const auto signal = SignalOfGrpcMethod(call.method);
  if (!signal) return export_.RefuseMethod(call.method);
  const auto compression = codec::CompressionNamed(call.encoding);
  if (!compression) {
    return export_.Refuse({RefuseReason::kUnsupported,
                           fmt::format("grpc-encoding '{}' is not taken: send gzip, zstd, deflate "
                                       "or identity",
                                       call.encoding.substr(0, 40)),
                           std::nullopt});
  }
  const auto scratch = scratch_.Borrow();
  return export_.Take(*signal, *compression, call.message, scratch->decompressor);
}

}  // namespace tracekeeper::otlp
