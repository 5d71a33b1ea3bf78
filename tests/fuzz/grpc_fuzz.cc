// DEPENDS: tracekeeper::net
//
// gRPC from a peer that is none: a frame and a line of text, as a request and as a response. A call
// that is accepted is written again as the same; every answer becomes a status or a message.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/net/grpc.h"

namespace {

using namespace tracekeeper::net;

void Require(bool holds) {
  if (!holds) std::abort();
}

/// Text that may stand in a header.
std::string FieldText(std::string_view bytes) {
  std::string text(bytes);
  std::erase_if(text, [](unsigned char c) { return c < ' '; });
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t text_size = std::min<std::size_t>(data[0], bytes.size());
  const std::string text = FieldText(bytes.substr(0, text_size));
  const std::string body(bytes.substr(text_size));

  Headers fields = {{"content-type", "application/grpc"}};
  if ((data[1] & 1U) != 0) fields.Add("grpc-encoding", text);
  if ((data[1] & 2U) != 0) fields.Add("grpc-timeout", text);
  if ((data[1] & 4U) != 0) fields.Set("content-type", text);
  const Request request{"POST", "/a.B/C", fields, body};
  if (const auto call = ReadGrpcRequest(request)) {
    const Request written = WriteGrpcRequest(*call, {});
    const auto again = ReadGrpcRequest(written);
    Require(again && again->message == call->message && again->encoding == call->encoding);
  } else {
    Require(!call.error().ok() && !call.error().message.empty());
  }

  Headers trailers;
  if ((data[1] & 8U) != 0) trailers.Add("grpc-status", text);
  if ((data[1] & 16U) != 0) trailers.Add("grpc-status", "0");
  trailers.Add("grpc-message", text);
  const int status = (data[1] & 32U) != 0 ? 503 : 200;
  const GrpcReply reply = ReadGrpcResponse({status, fields, body, trailers});
  Require(reply.status.ok() || reply.message.empty());

  Require(DecodeGrpcMessage(EncodeGrpcMessage(text)) == text);
  Require(DecodeGrpcMessage(text).size() <= text.size());
  return 0;
}
