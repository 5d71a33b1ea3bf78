#pragma once
// Durations as people write them in a document: "30s", "1h30m", "72h".
//
// Threads:  pure functions.
// Failure:  kInvalid with what may stand there.

#include <array>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/fields.h"

namespace tracekeeper::codec {

/// Reads whole numbers with the units h, m, s and ms, each at most once and in this order: the
/// largest unit first.
Result<Duration> ParseDuration(std::string_view text);

/// The shortest such text: "1h30m", "250ms", "0s". What is finer than a millisecond is cut off.
std::string FormatDuration(Duration duration);

template <>
struct TextScalar<Duration> {
  static Result<Duration> FromText(std::string_view text) { return ParseDuration(text); }
  static std::string ToText(const Duration& duration) { return FormatDuration(duration); }
  static constexpr TextSchema kSchema{.max_length = 32};
};

}  // namespace tracekeeper::codec
