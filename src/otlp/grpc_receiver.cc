#include "src/otlp/grpc_receiver.h"

#include <fmt/format.h>

#include <utility>

#include "src/otlp/export_response.h"
#include "src/otlp/receiver_limits.h"

namespace tracekeeper::otlp {
namespace {

using net::GrpcCode;
using net::GrpcStatus;

GrpcCode CodeOf(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kMalformed:
      return GrpcCode::kInvalidArgument;
    case RefuseReason::kUnsupported:
      return GrpcCode::kUnimplemented;
    case RefuseReason::kTooLarge:
    case RefuseReason::kQueueFull:
      return GrpcCode::kResourceExhausted;
    case RefuseReason::kDraining:
      return GrpcCode::kUnavailable;
  }
  return GrpcCode::kUnknown;
}

}  // namespace

net::Response GrpcReceiver::Handle(const net::Request& request) {
  if (!net::IsGrpc(request)) {
    relay_.CountRefused(RefuseReason::kUnsupported);
    return net::RefuseAsNotGrpc();
  }
  const auto call = net::ReadGrpcRequest(request);
  if (!call) {
    relay_.CountRefused(RefuseReason::kMalformed);
    return net::WriteGrpcResponse({.status = call.error()});
  }
  // The response of a success has no field that says anything: it is the empty message.
  return net::WriteGrpcResponse({.status = Take(*call)});
}

GrpcStatus GrpcReceiver::Refuse(RefuseReason reason, GrpcCode code, std::string sentence) {
  relay_.CountRefused(reason);
  return {.code = code, .message = std::move(sentence)};
}

GrpcStatus GrpcReceiver::Take(const net::GrpcCall& call) {
  const auto signal = SignalOfGrpcMethod(call.method);
  if (!signal) {
    return Refuse(
        RefuseReason::kUnsupported, GrpcCode::kUnimplemented,
        fmt::format("no method {} here: there is Export of OTLP's trace, metrics and logs "
                    "services",
                    call.method.substr(0, 100)));
  }
  const auto compression = codec::CompressionNamed(call.encoding);
  if (!compression) {
    return Refuse(RefuseReason::kUnsupported, GrpcCode::kUnimplemented,
                  fmt::format("grpc-encoding '{}' is not taken: send gzip, zstd, deflate or "
                              "identity",
                              call.encoding.substr(0, 40)));
  }
  const auto message = decompressor_.Decompress(*compression, call.message, kMaxRequestBytes);
  if (!message) {
    if (message.error().kind != ErrorKind::kInvalid) {
      return Refuse(RefuseReason::kMalformed, GrpcCode::kInvalidArgument, message.error().message);
    }
    return Refuse(RefuseReason::kTooLarge, GrpcCode::kResourceExhausted,
                  fmt::format("the message is longer than {} bytes when decompressed: send smaller "
                              "batches",
                              kMaxRequestBytes));
  }
  auto refusal = relay_.Accept(*signal, Ingress::kGrpc, *message);
  if (message->size() > kKeptBufferBytes) decompressor_.Release();
  if (!refusal) return {};
  GrpcStatus status{.code = CodeOf(refusal->reason), .message = std::move(refusal->sentence)};
  if (refusal->retry_after) {
    status.details_base64 = WriteRetryInfo(status.code, status.message, *refusal->retry_after);
  }
  return status;
}

}  // namespace tracekeeper::otlp
