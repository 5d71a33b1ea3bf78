#include "src/kube/timestamp.h"

#include <fmt/core.h>

#include <cstdint>
#include <optional>

namespace tracekeeper::kube {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Reads the text from left to right; every step says whether it fitted.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<int> Digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  bool Take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// Digits after the point as nanoseconds; more than nine are cut.
  std::optional<Duration> Fraction() {
    std::int64_t nanoseconds = 0;
    std::int64_t unit = 100'000'000;
    std::size_t digits = 0;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      nanoseconds += (text_.front() - '0') * unit;
      unit /= 10;
      ++digits;
      text_.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    return Duration(nanoseconds);
  }
  [[nodiscard]] char front() const { return text_.empty() ? '\0' : text_.front(); }
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

std::optional<std::chrono::sys_days> ReadDate(Reader& reader) {
  const auto year = reader.Digits(4);
  if (!year || !reader.Take("-")) return std::nullopt;
  const auto month = reader.Digits(2);
  if (!month || !reader.Take("-")) return std::nullopt;
  const auto day = reader.Digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<Duration> ReadTimeOfDay(Reader& reader) {
  const auto hour = reader.Digits(2);
  if (!hour || *hour > 23 || !reader.Take(":")) return std::nullopt;
  const auto minute = reader.Digits(2);
  if (!minute || *minute > 59 || !reader.Take(":")) return std::nullopt;
  const auto second = reader.Digits(2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  Duration time = hours(*hour) + minutes(*minute) + seconds(*second);
  if (reader.Take(".")) {
    const auto fraction = reader.Fraction();
    if (!fraction) return std::nullopt;
    time += *fraction;
  }
  return time;
}

/// What to take away to get UTC.
std::optional<Duration> ReadOffset(Reader& reader) {
  if (reader.Take("Zz")) return Duration::zero();
  const bool is_east = reader.front() == '+';
  if (!reader.Take("+-")) return std::nullopt;
  const auto hour = reader.Digits(2);
  if (!hour || *hour > 23 || !reader.Take(":")) return std::nullopt;
  const auto minute = reader.Digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  const Duration offset = hours(*hour) + minutes(*minute);
  return is_east ? offset : -offset;
}

std::optional<Instant> Read(std::string_view text) {
  Reader reader(text);
  const auto date = ReadDate(reader);
  if (!date || !reader.Take("Tt")) return std::nullopt;
  // Nanoseconds in 64 bits reach from 1677 to 2262; a day inside leaves room for the offset.
  if (*date < std::chrono::sys_days(std::chrono::year(1678) / 1 / 1) ||
      *date > std::chrono::sys_days(std::chrono::year(2261) / 12 / 31)) {
    return std::nullopt;
  }
  const auto time_of_day = ReadTimeOfDay(reader);
  if (!time_of_day) return std::nullopt;
  const auto offset = ReadOffset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  return Instant(date->time_since_epoch()) + *time_of_day - *offset;
}

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<Duration> time;
};

Parts Split(Instant time) {
  const auto day = std::chrono::floor<days>(time);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<Duration>(time - day)};
}

std::string FormatSeconds(const Parts& parts) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(parts.date.year()),
                     static_cast<unsigned>(parts.date.month()),
                     static_cast<unsigned>(parts.date.day()), parts.time.hours().count(),
                     parts.time.minutes().count(), parts.time.seconds().count());
}

}  // namespace

Result<Instant> ParseTimestamp(std::string_view text) {
  if (const auto time = Read(text)) return *time;
  return Fail(ErrorKind::kDecode, "\"{}\" is no RFC 3339 time such as 2026-01-02T03:04:05Z",
              text.substr(0, 64));
}

std::string FormatTimestamp(Instant time) { return FormatSeconds(Split(time)) + "Z"; }

std::string FormatMicroTimestamp(Instant time) {
  const Parts parts = Split(time);
  const auto micro =
      std::chrono::duration_cast<std::chrono::microseconds>(parts.time.subseconds()).count();
  return fmt::format("{}.{:06}Z", FormatSeconds(parts), micro);
}

}  // namespace tracekeeper::kube
