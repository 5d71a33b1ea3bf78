#include "src/otlp/grpc_export.h"

#include <fmt/format.h>

#include <utility>

#include "src/otlp/export_response.h"

namespace tracekeeper::otlp {
namespace {

ExportReply ReplyOf(Refusal refusal) {
  net::GrpcStatus status{.code = GrpcCodeOf(refusal.reason),
                         .message = std::move(refusal.sentence)};
  if (refusal.retry_after) {
    status.details_base64 = WriteRetryInfo(status.code, status.message, *refusal.retry_after);
  }
  return {.status = std::move(status)};
}

}  // namespace

ExportReply GrpcExport::Refuse(Refusal refusal) {
  intake_.CountRefused(refusal.reason);
  return ReplyOf(std::move(refusal));
}

ExportReply GrpcExport::RefuseMethod(std::string_view method) {
  return Refuse({RefuseReason::kUnsupported,
                 fmt::format("no method {} here: there is Export of OTLP's trace, metrics and logs "
                             "services",
                             method.substr(0, 100)),
                 std::nullopt});
}

ExportReply GrpcExport::Take(Signal signal, codec::Compression compression,
                             std::string_view message, codec::Decompressor& decompressor) {
  const auto request = decompressor.Decompress(compression, message, limits_.request_bytes);
  if (!request) {
    if (request.error().kind != ErrorKind::kInvalid) {
      return Refuse({RefuseReason::kMalformed, request.error().message, std::nullopt});
    }
    return Refuse(
        {RefuseReason::kTooLarge,
         fmt::format("the message is longer than {} bytes when decompressed: send smaller "
                     "batches",
                     limits_.request_bytes),
         std::nullopt});
  }
  auto accepted = intake_.Accept(signal, Ingress::kGrpc, *request);
  if (!accepted) return ReplyOf(std::move(accepted).error());
  return {.message = WriteExportResponse(signal, PayloadFormat::kProtobuf, *accepted)};
}

}  // namespace tracekeeper::otlp
