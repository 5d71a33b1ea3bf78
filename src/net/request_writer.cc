#include "src/net/request_writer.h"

#include <string_view>

namespace tracekeeper::net {

namespace {

constexpr std::string_view kLineBreaks("\r\n\0", 3);
constexpr std::string_view kTokenBreaks("\r\n \t\0", 5);

bool HoldsAny(std::string_view text, std::string_view characters) {
  return text.find_first_of(characters) != std::string_view::npos;
}

}  // namespace

Status CheckRequest(const Request& request) {
  if (request.method.empty() || HoldsAny(request.method, kTokenBreaks)) {
    return Fail(ErrorKind::kInvalid, "\"{}\" is not an HTTP method", request.method);
  }
  if (!request.target.starts_with('/') || HoldsAny(request.target, kTokenBreaks)) {
    return Fail(ErrorKind::kInvalid,
                "a request target begins with / and has its spaces and line breaks encoded");
  }
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || HoldsAny(name, kTokenBreaks) || HoldsAny(value, kLineBreaks)) {
      // The value may be a secret, so only the name is told.
      return Fail(ErrorKind::kInvalid, "header {} holds a line break", name);
    }
  }
  return {};
}

Result<std::string> WriteRequestHead(const Request& request, const Origin& origin) {
  TRY(CheckRequest(request));
  static const Headers ours{
      {"host", ""}, {"content-length", ""}, {"connection", ""}, {"transfer-encoding", ""}};
  // With room for all of it: a header may be a token, and what a string grows out of is not wiped.
  std::size_t size = 512 + request.target.size();
  for (const auto& [name, value] : request.headers) size += name.size() + value.size() + 4;
  std::string head;
  head.reserve(size);
  head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  head.append("Host: ").append(origin.Authority()).append("\r\n");
  for (const auto& [name, value] : request.headers) {
    if (ours.Has(name)) continue;
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.headers.Has("User-Agent")) head.append("User-Agent: tracekeeper\r\n");
  const bool may_have_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (may_have_body || !request.body.empty()) {
    head.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  head.append("\r\n");
  return head;
}

}  // namespace tracekeeper::net
