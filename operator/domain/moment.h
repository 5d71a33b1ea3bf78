#pragma once
// Moment is a time as a journal or an audit record holds it: whole microseconds, so that what is
// read back equals what was written, and RFC 3339 text, so that a person can read it.
//
// Threads:  a value.
// Failure:  text that is no such time is kDecode.

#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/fields.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::domain {

struct Moment {
  Instant at{};

  /// What is finer than a microsecond is cut off.
  static Moment Of(Instant time) {
    return {std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()) + Instant{}};
  }

  auto operator<=>(const Moment&) const = default;
};

}  // namespace tracekeeper::domain

namespace tracekeeper::codec {

template <>
struct TextScalar<domain::Moment> {
  static Result<domain::Moment> FromText(std::string_view text) {
    return domain::Moment::Of(TRY(kube::ParseTimestamp(text)));
  }
  static std::string ToText(const domain::Moment& moment) {
    return kube::FormatMicroTimestamp(moment.at);
  }
  static constexpr TextSchema kSchema{.max_length = 64, .format = "date-time"};
};

}  // namespace tracekeeper::codec
