#include "src/net/response_writer.h"

#include <array>
#include <charconv>
#include <ctime>
#include <utility>

namespace tracekeeper::net {

namespace {

// Below this a copy is cheaper than a second TLS record or a second piece to the kernel.
constexpr std::size_t kSmallBody = 8U << 10U;

bool IsFramingHeader(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"content-length", "connection",
                                                      "transfer-encoding", "date", "keep-alive"};
  const Headers probe{{std::string(name), ""}};
  for (const std::string_view framing_name : kNames) {
    if (name.size() == framing_name.size() && probe.Has(framing_name)) return true;
  }
  return false;
}

bool BreaksLine(std::string_view text) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  return text.find_first_of(kBreaks) != std::string_view::npos;
}

std::string_view DateText() {
  thread_local std::time_t written_at = -1;
  thread_local std::array<char, 32> text;
  thread_local std::size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != written_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    written_at = now;
  }
  return {text.data(), size};
}

void AppendNumber(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

WireResponse WriteResponse(Response response, const ResponseFraming& framing) {
  WireResponse wire;
  for (const auto& [name, value] : response.headers) {
    if (!BreaksLine(name) && !BreaksLine(value)) continue;
    wire.forged_header = name.substr(0, name.find_first_of("\r\n"));
    response = Response{500, {}, "The answer could not be written.\n"};
    break;
  }
  const bool has_no_body =
      response.status / 100 == 1 || response.status == 204 || response.status == 304;

  std::string& head = wire.head;
  head.reserve(256 + (response.body.size() <= kSmallBody ? response.body.size() : 0));
  head.append("HTTP/1.1 ");
  AppendNumber(head, static_cast<std::size_t>(response.status));
  head.append(" ").append(ReasonPhrase(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    if (!IsFramingHeader(name)) AppendField(head, name, value);
  }
  AppendField(head, "Date", DateText());
  if (!framing.keep_alive) {
    AppendField(head, "Connection", "close");
  } else if (framing.announce_keep_alive) {
    AppendField(head, "Connection", "keep-alive");
  }
  if (!has_no_body) {
    head.append("Content-Length: ");
    AppendNumber(head, response.body.size());
    head.append("\r\n");
  }
  head.append("\r\n");
  if (has_no_body || framing.omit_body) return wire;
  if (response.body.size() <= kSmallBody) {
    head.append(response.body);
  } else {
    wire.body = std::move(response.body);
  }
  return wire;
}

}  // namespace tracekeeper::net
