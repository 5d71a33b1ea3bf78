#include "src/otlp/http_receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/otlp/json_transcoder.h"
#include "src/otlp/receiver_limits.h"

namespace tracekeeper::otlp {
namespace {

constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr std::string_view kJsonType = "application/json";

/// The type without parameters, in lower case.
std::string MediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.remove_suffix(1);
  std::string type(content_type);
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return type;
}

std::optional<PayloadFormat> FormatOf(const net::Request& request) {
  const std::string type = MediaType(request.headers.Get("Content-Type"));
  if (type == kProtobufType) return PayloadFormat::kProtobuf;
  if (type == kJsonType) return PayloadFormat::kJson;
  return std::nullopt;
}

std::string_view TypeOf(PayloadFormat format) {
  return format == PayloadFormat::kJson ? kJsonType : kProtobufType;
}

net::GrpcCode CodeOf(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kMalformed:
    case RefuseReason::kUnsupported:
      return net::GrpcCode::kInvalidArgument;
    case RefuseReason::kTooLarge:
    case RefuseReason::kQueueFull:
      return net::GrpcCode::kResourceExhausted;
    case RefuseReason::kDraining:
      return net::GrpcCode::kUnavailable;
  }
  return net::GrpcCode::kUnknown;
}

int StatusOf(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kMalformed:
      return 400;
    case RefuseReason::kUnsupported:
      return 415;
    case RefuseReason::kTooLarge:
      return 413;
    case RefuseReason::kQueueFull:
      return 429;
    case RefuseReason::kDraining:
      return 503;
  }
  return 500;
}

net::Response PlainText(int status, std::string sentence) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(sentence) + "\n"};
}

}  // namespace

net::Response HttpReceiver::Handle(const net::Request& request) {
  const std::string_view path = net::PathOf(request.target);
  const auto signal = SignalOfHttpPath(path);
  if (!signal) {
    relay_.CountRefused(RefuseReason::kUnsupported);
    return PlainText(404, fmt::format("no path {}: OTLP/HTTP is at /v1/traces, /v1/metrics and "
                                      "/v1/logs; an exporter's own endpoint setting may need the "
                                      "path, OTEL_EXPORTER_OTLP_ENDPOINT must not have it",
                                      path.substr(0, 100)));
  }
  if (request.method != "POST") {
    relay_.CountRefused(RefuseReason::kUnsupported);
    net::Response response = PlainText(405, "only POST is taken here");
    response.headers.Set("Allow", "POST");
    return response;
  }
  const auto format = FormatOf(request);
  if (!format) {
    relay_.CountRefused(RefuseReason::kUnsupported);
    return PlainText(415, fmt::format("Content-Type '{}' is not taken: send {} or {}",
                                      request.headers.Get("Content-Type").substr(0, 100),
                                      kProtobufType, kJsonType));
  }
  const auto body = Decode(*signal, request, *format);
  if (!body) {
    relay_.CountRefused(body.error().reason);
    return Refuse(body.error(), *format);
  }
  const Ingress ingress =
      *format == PayloadFormat::kJson ? Ingress::kHttpJson : Ingress::kHttpProtobuf;
  const auto refusal = relay_.Accept(*signal, ingress, *body);
  if (body->size() > kKeptBufferBytes) {
    decompressor_.Release();
    transcoded_ = {};
  }
  if (!refusal) {
    return {200,
            {{"Content-Type", std::string(TypeOf(*format))}},
            WriteExportResponse(*signal, *format)};
  }
  net::Response response =
      Refuse({StatusOf(refusal->reason), refusal->reason, refusal->sentence}, *format);
  if (refusal->retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*refusal->retry_after);
    response.headers.Set("Retry-After", std::to_string(seconds.count()));
  }
  return response;
}

tl::expected<std::string_view, HttpReceiver::Problem> HttpReceiver::Decode(
    Signal signal, const net::Request& request, PayloadFormat format) {
  const std::string_view encoding = request.headers.Get("Content-Encoding");
  const auto compression = codec::CompressionNamed(encoding);
  if (!compression) {
    return tl::unexpected(
        Problem{415, RefuseReason::kUnsupported,
                fmt::format("Content-Encoding '{}' is not taken: send gzip, zstd, deflate or none",
                            encoding.substr(0, 40))});
  }
  const auto body = decompressor_.Decompress(*compression, request.body, kMaxRequestBytes);
  if (!body) {
    const bool too_large = body.error().kind == ErrorKind::kInvalid;
    return tl::unexpected(
        too_large ? Problem{413, RefuseReason::kTooLarge,
                            fmt::format("the request is longer than {} bytes when decompressed: "
                                        "send smaller batches",
                                        kMaxRequestBytes)}
                  : Problem{400, RefuseReason::kMalformed, body.error().message});
  }
  if (format == PayloadFormat::kProtobuf) return *body;
  transcoded_.clear();
  if (const Status done = TranscodeJson(signal, *body, kMaxRequestBytes, transcoded_); !done) {
    const bool too_large = done.error().kind == ErrorKind::kInvalid;
    return tl::unexpected(Problem{too_large ? 413 : 400,
                                  too_large ? RefuseReason::kTooLarge : RefuseReason::kMalformed,
                                  done.error().message});
  }
  return transcoded_;
}

net::Response HttpReceiver::Refuse(const Problem& problem, PayloadFormat format) {
  return {problem.status,
          {{"Content-Type", std::string(TypeOf(format))}},
          WriteRpcStatus(format, CodeOf(problem.reason), problem.sentence)};
}

}  // namespace tracekeeper::otlp
