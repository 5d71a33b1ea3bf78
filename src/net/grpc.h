#pragma once
// gRPC's unary calls as HTTP requests and responses: framing, status, timeouts. What carries them
// is Http2Client and the HTTP/2 Server. Messages stay bytes; compressed ones stay compressed,
// because the codecs are above this layer.
//
//   client:  Request sent = WriteGrpcRequest(call);   GrpcReply reply = ReadGrpcResponse(response);
//   server:  GrpcCall call = ReadGrpcRequest(request) or a GrpcStatus to refuse it with;
//            Response answer = WriteGrpcResponse(reply);
//
// Threads:  pure functions of values.
// Failure:  whatever a peer sends becomes a GrpcStatus, as gRPC's own libraries would have it.
// Source:   grpc/grpc doc/PROTOCOL-HTTP2.md, doc/http-grpc-status-mapping.md,
//           doc/compression.md; codes: grpc/status.

#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/http.h"

namespace tracekeeper::net {

enum class GrpcCode {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// As gRPC writes them: "DEADLINE_EXCEEDED".
[[nodiscard]] std::string_view NameOf(GrpcCode code);

struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message;
  /// grpc-status-details-bin as it stood in the trailers: base64, with or without padding, of a
  /// google.rpc.Status. Empty when there was none.
  std::string details_base64;

  [[nodiscard]] bool ok() const { return code == GrpcCode::kOk; }
};

/// A call, on either side. On the server's the views point into the Request.
struct GrpcCall {
  /// "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
  std::string_view method;
  std::string_view message;
  /// What `message` is compressed with, as grpc-encoding names it; empty when it is not compressed.
  std::string_view encoding;
  std::optional<Duration> timeout;
};

/// The answer to a call. `encoding` as in GrpcCall.
struct GrpcReply {
  GrpcStatus status;
  std::string message;
  std::string encoding;
  /// Client: the HTTP Retry-After of a proxy that answered in the server's place, in its own text.
  std::string retry_after;
};

/// What our side can decompress, as grpc-accept-encoding tells the other.
inline constexpr std::string_view kGrpcAcceptEncoding = "identity,gzip,zstd";

/// `metadata` are further header fields (authorization, ...).
[[nodiscard]] Request WriteGrpcRequest(const GrpcCall& call, const Headers& metadata);
/// What the call came to. A response that is not gRPC's (a proxy's page of HTML, 502, 429) becomes
/// the status that gRPC prescribes, with a sentence that says what answered.
[[nodiscard]] GrpcReply ReadGrpcResponse(Response response);

/// The call in `request`, or the status to refuse it with: no POST, another content type, a frame
/// that is damaged, cut off, or followed by another, compressed without an encoding.
[[nodiscard]] tl::expected<GrpcCall, GrpcStatus> ReadGrpcRequest(const Request& request);
[[nodiscard]] Response WriteGrpcResponse(const GrpcReply& reply);

/// The answer to a request that is not gRPC at all: HTTP 415, as gRPC prescribes.
[[nodiscard]] bool IsGrpc(const Request& request);
[[nodiscard]] Response RefuseAsNotGrpc();

/// grpc-message: everything but printable ASCII, and '%' itself, as %XX.
[[nodiscard]] std::string EncodeGrpcMessage(std::string_view message);
/// Never fails: what is no escape stays as it is.
[[nodiscard]] std::string DecodeGrpcMessage(std::string_view text);

/// grpc-timeout: at most 8 digits and a unit, "10000000u". Rounded up, so a call never gets less
/// time.
[[nodiscard]] std::string WriteGrpcTimeout(Duration timeout);
[[nodiscard]] std::optional<Duration> ReadGrpcTimeout(std::string_view text);

}  // namespace tracekeeper::net
