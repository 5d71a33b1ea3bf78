#include "src/vault/answer.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "src/crypto/digest.h"

namespace tracekeeper::vault {
namespace {

constexpr std::size_t kLongestRequestId = 64;
constexpr std::int64_t kLongestSeconds = 100LL * 365 * 24 * 3600;
constexpr std::size_t kIdDigits = 16;

tl::unexpected<Error> Malformed(std::string_view tried, std::string_view key,
                                std::string_view wanted) {
  return Fail(MakeError(Failure::kMalformedSecret, tried,
                        fmt::format("the answer's {} is not {}", key, wanted)));
}

/// The two or four digits at `at`, or nothing.
std::optional<int> Digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  const char* const end = text.data() + at + count;
  const auto read = std::from_chars(text.data() + at, end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 0) return std::nullopt;
  return value;
}

std::optional<Duration> ParseFraction(std::string_view text) {
  constexpr std::size_t kNanoDigits = 9;
  if (text == "Z") return Duration::zero();
  if (text.size() < 3 || text.size() > kNanoDigits + 2 || text.front() != '.' ||
      text.back() != 'Z') {
    return std::nullopt;
  }
  std::int64_t nanoseconds = 0;
  for (std::size_t digit = 1; digit <= kNanoDigits; ++digit) {
    const char c = digit < text.size() - 1 ? text[digit] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    nanoseconds = nanoseconds * 10 + (c - '0');
  }
  return Duration(nanoseconds);
}

std::optional<Instant> ParseTime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size()) return std::nullopt;
  for (std::size_t at = 0; at < kForm.size(); ++at) {
    if (kForm[at] != '0' && kForm[at] != text[at]) return std::nullopt;
  }
  const auto year = Digits(text, 0, 4);
  const auto month = Digits(text, 5, 2);
  const auto day = Digits(text, 8, 2);
  const auto hour = Digits(text, 11, 2);
  const auto minute = Digits(text, 14, 2);
  const auto second = Digits(text, 17, 2);
  const auto fraction = ParseFraction(text.substr(kForm.size()));
  if (!year || !month || !day || !hour || !minute || !second || !fraction) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // An Instant counts nanoseconds, which ends in 2262.
  if (!date.ok() || *year < 1970 || *year > 2261) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second) + *fraction;
}

}  // namespace

Result<Answer> Answer::Parse(std::string& body, std::string_view tried) {
  Answer answer;
  auto root = answer.parser_.emplace().Parse(body);
  crypto::Wipe(body);
  // What the parser says may quote the text, so it is not passed on.
  if (!root || !root->is_object()) {
    return Fail(MakeError(Failure::kAnswerNotVault, tried, "not a JSON object"));
  }
  answer.root_ = *root;
  const std::string_view id = answer.root_["request_id"].StringOr("");
  if (id.size() <= kLongestRequestId &&
      id.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos) {
    answer.request_id_ = id;
  }
  return answer;
}

Result<std::string_view> ReadText(codec::JsonValue object, std::string_view key,
                                  std::string_view tried) {
  const auto text = object[key].String();
  if (!text || text->empty()) return Malformed(tried, key, "a text");
  return *text;
}

Result<std::int64_t> ReadNumber(codec::JsonValue object, std::string_view key,
                                std::string_view tried) {
  const auto number = object[key].Integer();
  if (!number) return Malformed(tried, key, "a whole number");
  return *number;
}

Result<std::uint64_t> ReadCount(codec::JsonValue object, std::string_view key,
                                std::string_view tried) {
  const auto number = object[key].Unsigned();
  if (!number) return Malformed(tried, key, "a whole number of at least 0");
  return *number;
}

Result<Duration> ReadSeconds(codec::JsonValue object, std::string_view key,
                             std::string_view tried) {
  const std::int64_t seconds = TRY(ReadNumber(object, key, tried));
  if (seconds < 0 || seconds > kLongestSeconds) {
    return Malformed(tried, key, "a time of 0 s to 100 years");
  }
  return std::chrono::seconds(seconds);
}

Result<Instant> ReadTime(codec::JsonValue object, std::string_view key, std::string_view tried) {
  const auto time = ParseTime(TRY(ReadText(object, key, tried)));
  if (!time) return Malformed(tried, key, "a time in UTC");
  return *time;
}

std::string HashOfId(std::string_view id) { return crypto::Sha256Hex(id).substr(0, kIdDigits); }

}  // namespace tracekeeper::vault
