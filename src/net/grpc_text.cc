// The text forms of gRPC: code names, percent-encoded messages, timeouts.

#include <algorithm>
#include <array>
#include <charconv>

#include "src/net/grpc.h"

namespace tracekeeper::net {

namespace {

constexpr std::array<std::string_view, 17> kCodeNames = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

struct Unit {
  char letter;
  Duration length;
};

constexpr std::array<Unit, 6> kUnits = {{
    {'n', std::chrono::nanoseconds(1)},
    {'u', std::chrono::microseconds(1)},
    {'m', std::chrono::milliseconds(1)},
    {'S', std::chrono::seconds(1)},
    {'M', std::chrono::minutes(1)},
    {'H', std::chrono::hours(1)},
}};
constexpr std::int64_t kMostOfAUnit = 99'999'999;  // 8 digits

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view NameOf(GrpcCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kCodeNames.size() ? kCodeNames[index] : "UNKNOWN";
}

std::string EncodeGrpcMessage(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(message.size());
  for (const char c : message) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4U];
    encoded += kDigits[byte & 15U];
  }
  return encoded;
}

std::string DecodeGrpcMessage(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
                           HexValue(text[i + 2]) >= 0;
    if (is_escape) {
      decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string WriteGrpcTimeout(Duration timeout) {
  timeout = std::max(timeout, Duration::zero());
  for (const Unit& unit : kUnits) {
    const bool ends_here = &unit == &kUnits.back();
    const std::int64_t count =
        timeout / unit.length + (timeout % unit.length != Duration() ? 1 : 0);
    if (count > kMostOfAUnit && !ends_here) continue;
    return std::to_string(std::min(count, kMostOfAUnit)) + unit.letter;
  }
  return {};
}

std::optional<Duration> ReadGrpcTimeout(std::string_view text) {
  constexpr std::size_t kMostDigits = 8;
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::nullopt;
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [stopped, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stopped != end || count < 0) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.letter != text.back()) continue;
    return count > Duration::max() / unit.length ? Duration::max() : count * unit.length;
  }
  return std::nullopt;
}

}  // namespace tracekeeper::net
