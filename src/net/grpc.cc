#include "src/net/grpc.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace tracekeeper::net {

namespace {

constexpr std::string_view kContentType = "application/grpc";
constexpr std::size_t kPrefixBytes = 5;

/// "application/grpc", alone or with a suffix ("+proto") or parameters (";...").
bool IsGrpcContentType(std::string_view type) {
  if (!type.starts_with(kContentType)) return false;
  return type.size() == kContentType.size() || type[kContentType.size()] == '+' ||
         type[kContentType.size()] == ';';
}

/// A compressed-flag, four bytes of length in network order, the message.
std::string Frame(std::string_view message, bool is_compressed) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::string framed;
  framed.reserve(kPrefixBytes + message.size());
  framed += is_compressed ? '\1' : '\0';
  for (const unsigned shift : {24U, 16U, 8U, 0U}) framed += static_cast<char>(size >> shift);
  framed += message;
  return framed;
}

struct Framed {
  std::string_view message;
  bool is_compressed = false;
};

/// The one message of `body`, or what is wrong with it.
tl::expected<Framed, std::string> Unframe(std::string_view body) {
  if (body.size() < kPrefixBytes) {
    return tl::unexpected(fmt::format("{} bytes are no gRPC message", body.size()));
  }
  std::size_t size = 0;
  for (const char c : body.substr(1, 4)) size = size << 8U | static_cast<unsigned char>(c);
  const std::string_view rest = body.substr(kPrefixBytes);
  if (size != rest.size()) {
    return tl::unexpected(
        fmt::format("a gRPC message of {} bytes is announced and {} came: one "
                    "whole message is expected",
                    size, rest.size()));
  }
  const auto flag = static_cast<unsigned char>(body.front());
  if (flag > 1) return tl::unexpected(fmt::format("the gRPC message has unknown flags {}", flag));
  return Framed{rest, flag == 1};
}

bool IsIdentity(std::string_view encoding) { return encoding.empty() || encoding == "identity"; }

/// gRPC's table for answers that are not gRPC's own.
GrpcCode CodeOfHttp(int status) {
  switch (status) {
    case 400:
      return GrpcCode::kInternal;
    case 401:
      return GrpcCode::kUnauthenticated;
    case 403:
      return GrpcCode::kPermissionDenied;
    case 404:
      return GrpcCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcCode::kUnavailable;
    default:
      return GrpcCode::kUnknown;
  }
}

/// The beginning of a page, on one line and without what would garble a log.
std::string Excerpt(std::string_view body) {
  constexpr std::size_t kLongest = 120;
  std::string text;
  for (const char c : body.substr(0, kLongest)) text += c >= ' ' && c <= '~' ? c : ' ';
  return body.size() > kLongest ? text + "..." : text;
}

GrpcStatus NotGrpc(const Response& response) {
  const std::string_view type = response.headers.Get("content-type");
  GrpcStatus status{CodeOfHttp(response.status), {}, {}};
  status.message =
      fmt::format("no gRPC server answered, but HTTP {} {} with {}", response.status,
                  ReasonPhrase(response.status), type.empty() ? "no content type" : Excerpt(type));
  if (!response.body.empty()) status.message += ": " + Excerpt(response.body);
  return status;
}

GrpcStatus ReadStatus(const Headers& fields) {
  GrpcStatus status;
  const std::string_view text = fields.Get("grpc-status");
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  const bool is_known = error == std::errc() && end == text.data() + text.size() && code >= 0 &&
                        code <= static_cast<int>(GrpcCode::kUnauthenticated);
  status.code = is_known ? static_cast<GrpcCode>(code) : GrpcCode::kUnknown;
  status.message = DecodeGrpcMessage(fields.Get("grpc-message"));
  if (!is_known && status.message.empty()) {
    status.message = fmt::format("the server's grpc-status \"{}\" is none", Excerpt(text));
  }
  status.details_base64 = fields.Get("grpc-status-details-bin");
  return status;
}

void WriteStatus(const GrpcStatus& status, Headers& fields) {
  fields.Add("grpc-status", std::to_string(static_cast<int>(status.code)));
  if (!status.message.empty()) fields.Add("grpc-message", EncodeGrpcMessage(status.message));
  if (!status.details_base64.empty()) {
    fields.Add("grpc-status-details-bin", status.details_base64);
  }
}

tl::unexpected<GrpcStatus> Refuse(GrpcCode code, std::string message) {
  return tl::unexpected(GrpcStatus{code, std::move(message), {}});
}

}  // namespace

Request WriteGrpcRequest(const GrpcCall& call, const Headers& metadata) {
  const bool is_compressed = !IsIdentity(call.encoding);
  Request request;
  request.method = "POST";
  request.target = call.method;
  request.headers.Add("te", "trailers");  // proxies that drop trailers show themselves by it
  request.headers.Add("content-type", kContentType);
  if (call.timeout) request.headers.Add("grpc-timeout", WriteGrpcTimeout(*call.timeout));
  if (is_compressed) request.headers.Add("grpc-encoding", call.encoding);
  request.headers.Add("grpc-accept-encoding", kGrpcAcceptEncoding);
  for (const auto& [name, value] : metadata) request.headers.Add(name, value);
  request.body = Frame(call.message, is_compressed);
  return request;
}

GrpcReply ReadGrpcResponse(Response response) {
  GrpcReply reply;
  // Trailers-only: the one header block is the trailers.
  const bool in_headers = response.headers.Has("grpc-status");
  const Headers& fields = in_headers ? response.headers : response.trailers;
  if (response.status != 200 || !IsGrpcContentType(response.headers.Get("content-type"))) {
    reply.status = fields.Has("grpc-status") ? ReadStatus(fields) : NotGrpc(response);
    reply.retry_after = response.headers.Get("retry-after");
    return reply;
  }
  if (!fields.Has("grpc-status")) {
    reply.status = {GrpcCode::kInternal, "the server's answer ended without a grpc-status", {}};
    return reply;
  }
  reply.status = ReadStatus(fields);
  if (!reply.status.ok()) return reply;
  const auto framed = Unframe(response.body);
  if (!framed) {
    reply.status = {GrpcCode::kInternal, "the server's answer is damaged: " + framed.error(), {}};
    return reply;
  }
  if (framed->is_compressed) {
    reply.encoding = response.headers.Get("grpc-encoding");
    if (IsIdentity(reply.encoding)) {
      reply.status = {
          GrpcCode::kInternal, "the server compressed its answer, but not with what", {}};
      return reply;
    }
  }
  reply.message = std::move(response.body);
  reply.message.erase(0, kPrefixBytes);
  return reply;
}

bool IsGrpc(const Request& request) {
  return IsGrpcContentType(request.headers.Get("content-type"));
}

Response RefuseAsNotGrpc() {
  return {415,
          {{"Content-Type", "text/plain; charset=utf-8"}},
          "This port serves gRPC: send POST with Content-Type application/grpc.\n"};
}

tl::expected<GrpcCall, GrpcStatus> ReadGrpcRequest(const Request& request) {
  if (request.method != "POST") {
    return Refuse(GrpcCode::kInternal, "gRPC calls are POST requests");
  }
  if (!IsGrpc(request)) return Refuse(GrpcCode::kInternal, "the content type is not gRPC's");
  GrpcCall call;
  call.method = PathOf(request.target);
  const auto framed = Unframe(request.body);
  if (!framed) return Refuse(GrpcCode::kInternal, framed.error());
  call.message = framed->message;
  if (framed->is_compressed) {
    call.encoding = request.headers.Get("grpc-encoding");
    if (IsIdentity(call.encoding)) {
      return Refuse(GrpcCode::kInternal,
                    "the message is compressed, but grpc-encoding does not say with what");
    }
  }
  if (const std::string_view timeout = request.headers.Get("grpc-timeout"); !timeout.empty()) {
    call.timeout = ReadGrpcTimeout(timeout);
    if (!call.timeout) return Refuse(GrpcCode::kInternal, "grpc-timeout is no time");
  }
  return call;
}

Response WriteGrpcResponse(const GrpcReply& reply) {
  Response response;
  response.headers.Add("content-type", kContentType);
  if (!reply.status.ok()) {
    WriteStatus(reply.status, response.headers);  // trailers-only
    if (reply.status.code == GrpcCode::kUnimplemented) {
      response.headers.Add("grpc-accept-encoding", kGrpcAcceptEncoding);
    }
    return response;
  }
  const bool is_compressed = !IsIdentity(reply.encoding);
  if (is_compressed) response.headers.Add("grpc-encoding", reply.encoding);
  response.headers.Add("grpc-accept-encoding", kGrpcAcceptEncoding);
  response.body = Frame(reply.message, is_compressed);
  WriteStatus(reply.status, response.trailers);
  return response;
}

}  // namespace tracekeeper::net
