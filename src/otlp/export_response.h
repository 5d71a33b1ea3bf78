#pragma once
// What stands in the answers of OTLP: Export...ServiceResponse with its partial success, and
// google.rpc.Status with its RetryInfo, as protobuf and as JSON.
//
// Threads:  pure functions.
// Failure:  reading gives nothing where bytes say nothing that is understood.
// Source:   opentelemetry-proto, collector/*/v1; google/rpc/{status,error_details}.proto.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/net/grpc.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

enum class PayloadFormat { kProtobuf, kJson };

struct PartialSuccess {
  std::uint64_t rejected = 0;
  std::string message;

  bool operator==(const PartialSuccess&) const = default;
};

/// The body of a success; `partial` says what was not taken.
[[nodiscard]] std::string WriteExportResponse(Signal signal, PayloadFormat format,
                                              const PartialSuccess& partial = {});
/// The partial success in a protobuf answer; nothing where all was taken without a word.
[[nodiscard]] std::optional<PartialSuccess> ReadPartialSuccess(std::string_view response);

/// A google.rpc.Status for an HTTP error body.
[[nodiscard]] std::string WriteRpcStatus(PayloadFormat format, net::GrpcCode code,
                                         std::string_view message);
/// The message of a google.rpc.Status in protobuf.
[[nodiscard]] std::string ReadRpcStatusMessage(std::string_view status);

/// grpc-status-details-bin that asks the sender to come again after `delay`.
[[nodiscard]] std::string WriteRetryInfo(net::GrpcCode code, std::string_view message,
                                         Duration delay);
/// The RetryInfo in grpc-status-details-bin, as base64 with or without padding. A RetryInfo
/// without a delay is a delay of zero.
[[nodiscard]] std::optional<Duration> ReadRetryInfo(std::string_view details_base64);

}  // namespace tracekeeper::otlp
