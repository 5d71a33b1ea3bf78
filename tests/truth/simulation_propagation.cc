#include "tests/truth/simulation_propagation.h"

#include <charconv>
#include <string_view>

namespace tracekeeper::truth {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kThresholdDigits = 14;

void AppendHex(std::string& text, std::uint64_t value, std::size_t digits) {
  for (std::size_t i = digits; i-- > 0;) {
    text += kDigits[(value >> (4 * i)) & 15U];
  }
}

std::uint64_t FromHex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

void AppendBytes(std::string& bytes, std::uint64_t value) {
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    bytes += static_cast<char>((value >> (shift - 8)) & 255U);
  }
}

}  // namespace

std::string TraceIdBytes(const SpanContext& context) {
  std::string bytes;
  AppendBytes(bytes, context.trace_high);
  AppendBytes(bytes, context.trace_low);
  return bytes;
}

std::string SpanIdBytes(std::uint64_t id) {
  std::string bytes;
  AppendBytes(bytes, id);
  return bytes;
}

void InjectW3c(const SpanContext& context, Headers& headers) {
  std::string& header = headers["traceparent"];
  header = "00-";
  AppendHex(header, context.trace_high, 16);
  AppendHex(header, context.trace_low, 16);
  header += '-';
  AppendHex(header, context.span, 16);
  header += '-';
  AppendHex(header, context.flags, 2);
  if (!context.tracestate.empty()) {
    headers["tracestate"] = context.tracestate;
  }
}

void InjectB3(const SpanContext& context, B3Width width, Headers& headers) {
  std::string& header = headers["b3"];
  header.clear();
  if (width == B3Width::k128) {
    AppendHex(header, context.trace_high, 16);
  }
  AppendHex(header, context.trace_low, 16);
  header += '-';
  AppendHex(header, context.span, 16);
  header += context.sampled() ? "-1" : "-0";
  if (context.parent != 0) {
    header += '-';
    AppendHex(header, context.parent, 16);
  }
}

SpanContext ExtractW3c(const Headers& headers) {
  SpanContext context;
  const auto parent = headers.find("traceparent");
  if (parent == headers.end() || parent->second.size() != 55) {
    return context;
  }
  const std::string_view text = parent->second;
  context.trace_high = FromHex(text.substr(3, 16));
  context.trace_low = FromHex(text.substr(19, 16));
  context.span = FromHex(text.substr(36, 16));
  context.flags = static_cast<std::uint8_t>(FromHex(text.substr(53, 2)));
  if (const auto state = headers.find("tracestate"); state != headers.end()) {
    context.tracestate = state->second;
  }
  return context;
}

SpanContext ExtractB3(const Headers& headers) {
  SpanContext context;
  const auto header = headers.find("b3");
  if (header == headers.end()) {
    return context;
  }
  std::string_view text = header->second;
  const std::size_t width = text.find('-');
  if (width == 32) {
    context.trace_high = FromHex(text.substr(0, 16));
    text.remove_prefix(16);
  }
  context.trace_low = FromHex(text.substr(0, 16));
  context.span = FromHex(text.substr(17, 16));
  context.flags = text.substr(34, 1) == "1" ? 1 : 0;
  if (text.size() >= 52) {
    context.parent = FromHex(text.substr(36, 16));
  }
  return context;
}

std::int64_t ThresholdOf(const std::string& tracestate) {
  if (!tracestate.starts_with("ot=th:")) {
    return -1;
  }
  std::string digits = tracestate.substr(6);
  digits.resize(kThresholdDigits, '0');
  return static_cast<std::int64_t>(FromHex(digits));
}

std::string TracestateOf(std::uint64_t threshold) {
  std::string digits;
  AppendHex(digits, threshold, kThresholdDigits);
  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
  }
  return "ot=th:" + digits;
}

}  // namespace tracekeeper::truth
