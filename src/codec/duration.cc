#include "src/codec/duration.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>

namespace tracekeeper::codec {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array kUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                               Unit{"ms", 1}};
// What fits a Duration, which counts nanoseconds: 292 years.
constexpr std::int64_t kMaxMilliseconds = std::numeric_limits<std::int64_t>::max() / 1'000'000;

tl::unexpected<Error> Unreadable(std::string_view text) {
  return Fail(ErrorKind::kInvalid,
              "duration \"{}\" must be whole numbers with units, the largest first, such as "
              "\"30s\", \"1h30m\" or \"72h\"",
              text);
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  std::size_t next_unit = 0;
  std::int64_t total = 0;
  if (rest.empty()) return Unreadable(text);
  while (!rest.empty()) {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc()) return Unreadable(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t unit_length = std::min(rest.find_first_of("0123456789"), rest.size());
    const std::string_view unit_name = rest.substr(0, unit_length);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != unit_name) ++next_unit;
    if (next_unit == kUnits.size()) return Unreadable(text);
    const std::int64_t unit = kUnits[next_unit++].milliseconds;
    const auto room = static_cast<std::uint64_t>((kMaxMilliseconds - total) / unit);
    if (count > room) {
      return Fail(ErrorKind::kInvalid, "duration \"{}\" is more than 292 years", text);
    }
    total += static_cast<std::int64_t>(count) * unit;
    rest.remove_prefix(unit_length);
  }
  return std::chrono::milliseconds(total);
}

std::string FormatDuration(Duration duration) {
  std::int64_t rest = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (rest == 0) return "0s";
  std::string text;
  if (rest < 0) {
    text.push_back('-');
    rest = -rest;
  }
  for (const Unit& unit : kUnits) {
    const std::int64_t count = rest / unit.milliseconds;
    rest %= unit.milliseconds;
    if (count > 0) text.append(std::to_string(count)).append(unit.name);
  }
  return text;
}

}  // namespace tracekeeper::codec
