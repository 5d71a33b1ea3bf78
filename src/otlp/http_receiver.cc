#include "src/otlp/http_receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/otlp/json_transcoder.h"

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

net::Response PlainText(int status, std::string sentence) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(sentence) + "\n"};
}

net::Response ResponseOf(const Refusal& refusal, PayloadFormat format) {
  net::Response response{HttpStatusOf(refusal.reason),
                         {{"Content-Type", std::string(TypeOf(format))}},
                         WriteRpcStatus(format, GrpcCodeOf(refusal.reason), refusal.sentence)};
  if (refusal.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*refusal.retry_after);
    response.headers.Set("Retry-After", std::to_string(seconds.count()));
  }
  return response;
}

tl::unexpected<Refusal> Refuse(RefuseReason reason, std::string sentence) {
  return tl::unexpected(Refusal{reason, std::move(sentence), std::nullopt});
}

/// kInvalid is what decoders say of content beyond the limit.
RefuseReason ReasonOf(const Error& error) {
  return error.kind == ErrorKind::kInvalid ? RefuseReason::kTooLarge : RefuseReason::kMalformed;
}

}  // namespace

net::Response HttpReceiver::Handle(const net::Request& request) {
  const std::string_view path = net::PathOf(request.target);
  const auto signal = SignalOfHttpPath(path);
  if (!signal) {
    intake_.CountRefused(RefuseReason::kUnsupported);
    return PlainText(404, fmt::format("no path {}: OTLP/HTTP is at /v1/traces, /v1/metrics and "
                                      "/v1/logs; an exporter's own endpoint setting may need the "
                                      "path, OTEL_EXPORTER_OTLP_ENDPOINT must not have it",
                                      path.substr(0, 100)));
  }
  if (request.method != "POST") {
    intake_.CountRefused(RefuseReason::kUnsupported);
    net::Response response = PlainText(405, "only POST is taken here");
    response.headers.Set("Allow", "POST");
    return response;
  }
  const auto format = FormatOf(request);
  if (!format) {
    intake_.CountRefused(RefuseReason::kUnsupported);
    return PlainText(415, fmt::format("Content-Type '{}' is not taken: send {} or {}",
                                      request.headers.Get("Content-Type").substr(0, 100),
                                      kProtobufType, kJsonType));
  }
  return Take(*signal, request, *format);
}

net::Response HttpReceiver::Take(Signal signal, const net::Request& request, PayloadFormat format) {
  const auto scratch = scratch_.Borrow();
  const auto body = Decode(signal, request, format, *scratch);
  if (!body) {
    intake_.CountRefused(body.error().reason);
    return ResponseOf(body.error(), format);
  }
  const Ingress ingress =
      format == PayloadFormat::kJson ? Ingress::kHttpJson : Ingress::kHttpProtobuf;
  const auto accepted = intake_.Accept(signal, ingress, *body);
  if (!accepted) return ResponseOf(accepted.error(), format);
  return {200,
          {{"Content-Type", std::string(TypeOf(format))}},
          WriteExportResponse(signal, format, *accepted)};
}

tl::expected<std::string_view, Refusal> HttpReceiver::Decode(Signal signal,
                                                             const net::Request& request,
                                                             PayloadFormat format,
                                                             RequestScratch& scratch) const {
  const std::string_view encoding = request.headers.Get("Content-Encoding");
  const auto compression = codec::CompressionNamed(encoding);
  if (!compression) {
    return Refuse(
        RefuseReason::kUnsupported,
        fmt::format("Content-Encoding '{}' is not taken: send gzip, zstd, deflate or none",
                    encoding.substr(0, 40)));
  }
  const std::size_t limit = limits_.request_bytes;
  const auto body = scratch.decompressor.Decompress(*compression, request.body, limit);
  if (!body) {
    const RefuseReason reason = ReasonOf(body.error());
    if (reason != RefuseReason::kTooLarge) return Refuse(reason, body.error().message);
    return Refuse(reason, fmt::format("the request is longer than {} bytes when decompressed: "
                                      "send smaller batches",
                                      limit));
  }
  if (format == PayloadFormat::kProtobuf) return *body;
  scratch.bytes.clear();
  if (const Status done = TranscodeJson(signal, *body, limit, scratch.bytes); !done) {
    return Refuse(ReasonOf(done.error()), done.error().message);
  }
  return scratch.bytes;
}

}  // namespace tracekeeper::otlp
