#include "src/otlp/export_response.h"

#include <algorithm>

#include "src/codec/base64.h"
#include "src/codec/json_writer.h"
#include "src/codec/protobuf_wire.h"

namespace tracekeeper::otlp {
namespace {

using codec::WireReader;
using codec::WireType;
using codec::WireWriter;

constexpr std::string_view kRetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";
constexpr std::int64_t kMaxSeconds = 365LL * 24 * 3600;  // far below what a Duration can hold

std::string_view RejectedName(Signal signal) {
  constexpr PerSignal<std::string_view> kNames = {"rejectedSpans", "rejectedDataPoints",
                                                  "rejectedLogRecords"};
  return kNames[IndexOf(signal)];
}

/// google.protobuf.Duration
Duration ReadDuration(std::string_view bytes) {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  WireReader fields(bytes);
  while (fields.Next()) {
    if (fields.Is(1, WireType::kVarint)) seconds = static_cast<std::int64_t>(fields.number());
    if (fields.Is(2, WireType::kVarint)) nanoseconds = static_cast<std::int64_t>(fields.number());
  }
  seconds = std::clamp<std::int64_t>(seconds, 0, kMaxSeconds);
  nanoseconds = std::clamp<std::int64_t>(nanoseconds, 0, 999'999'999);
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
}

/// The value of a google.protobuf.Any of that type.
std::optional<std::string_view> ValueOfAny(std::string_view any, std::string_view type) {
  std::string_view url;
  std::string_view value;
  WireReader fields(any);
  while (fields.Next()) {
    if (fields.Is(1, WireType::kBytes)) url = fields.bytes();
    if (fields.Is(2, WireType::kBytes)) value = fields.bytes();
  }
  if (url != type) return std::nullopt;
  return value;
}

std::string RpcStatus(net::GrpcCode code, std::string_view message) {
  std::string status;
  WireWriter writer(status);
  writer.Varint(1, static_cast<std::uint64_t>(code));
  writer.Bytes(2, message);
  return status;
}

}  // namespace

std::string WriteExportResponse(Signal signal, PayloadFormat format,
                                const PartialSuccess& partial) {
  const bool is_whole = partial.rejected == 0 && partial.message.empty();
  if (format == PayloadFormat::kJson) {
    codec::JsonWriter json;
    json.BeginObject();
    if (!is_whole) {
      json.Key("partialSuccess")
          .BeginObject()
          .Member(RejectedName(signal), std::to_string(partial.rejected))
          .Member("errorMessage", partial.message)
          .EndObject();
    }
    json.EndObject();
    return json.Take();
  }
  std::string response;
  if (is_whole) return response;
  WireWriter writer(response);
  const auto message = writer.Begin(1);
  writer.Varint(1, partial.rejected);
  writer.Bytes(2, partial.message);
  writer.End(message);
  return response;
}

std::optional<PartialSuccess> ReadPartialSuccess(std::string_view response) {
  PartialSuccess partial;
  WireReader fields(response);
  while (fields.Next()) {
    if (!fields.Is(1, WireType::kBytes)) continue;
    WireReader inner(fields.bytes());
    while (inner.Next()) {
      if (inner.Is(1, WireType::kVarint)) partial.rejected = inner.number();
      if (inner.Is(2, WireType::kBytes)) partial.message = inner.bytes();
    }
  }
  if (partial == PartialSuccess{}) return std::nullopt;
  return partial;
}

std::string WriteRpcStatus(PayloadFormat format, net::GrpcCode code, std::string_view message) {
  if (format == PayloadFormat::kProtobuf) return RpcStatus(code, message);
  codec::JsonWriter json;
  json.BeginObject()
      .Key("code")
      .Integer(static_cast<std::int64_t>(code))
      .Member("message", message)
      .EndObject();
  return json.Take();
}

std::string ReadRpcStatusMessage(std::string_view status) {
  std::string message;
  WireReader fields(status);
  while (fields.Next()) {
    if (fields.Is(2, WireType::kBytes)) message = fields.bytes();
  }
  return fields.Finish() ? message : std::string();
}

std::string WriteRetryInfo(net::GrpcCode code, std::string_view message, Duration delay) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
  std::string retry_info;
  WireWriter info(retry_info);
  const auto duration = info.Begin(1);
  info.Varint(1, static_cast<std::uint64_t>(seconds.count()));
  info.Varint(2, static_cast<std::uint64_t>((delay - seconds).count()));
  info.End(duration);

  std::string status = RpcStatus(code, message);
  WireWriter writer(status);
  const auto any = writer.Begin(3);
  writer.Bytes(1, kRetryInfoType);
  writer.Bytes(2, retry_info);
  writer.End(any);
  return codec::EncodeBase64(status);
}

std::optional<Duration> ReadRetryInfo(std::string_view details_base64) {
  std::string padded(details_base64);
  padded.append((4 - padded.size() % 4) % 4, '=');
  const auto status = codec::DecodeBase64(padded);
  if (!status) return std::nullopt;
  WireReader fields(*status);
  while (fields.Next()) {
    if (!fields.Is(3, WireType::kBytes)) continue;
    const auto retry_info = ValueOfAny(fields.bytes(), kRetryInfoType);
    if (!retry_info) continue;
    Duration delay{};
    WireReader inner(*retry_info);
    while (inner.Next()) {
      if (inner.Is(1, WireType::kBytes)) delay = ReadDuration(inner.bytes());
    }
    return delay;
  }
  return std::nullopt;
}

}  // namespace tracekeeper::otlp
