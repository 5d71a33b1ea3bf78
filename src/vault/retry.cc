#include "src/vault/retry.h"

#include <algorithm>

#include "src/vault/failure.h"

namespace tracekeeper::vault {
namespace {

constexpr Duration kShortest = std::chrono::seconds(1);
constexpr Duration kLongest = std::chrono::seconds(60);
constexpr unsigned kLastDoubling = 5;  // 2^6 s is over the longest
constexpr Duration kAfterProbeSpread = std::chrono::seconds(5);
constexpr Duration kSlowest = std::chrono::minutes(5);

Duration Part(Duration whole, double random) {
  return std::chrono::duration_cast<Duration>(whole * std::clamp(random, 0.0, 1.0));
}

}  // namespace

Duration FullJitter(unsigned attempt, double random) {
  const Duration cap =
      std::min<Duration>(kShortest * (2U << std::min(attempt, kLastDoubling)), kLongest);
  return kShortest + Part(cap - kShortest, random);
}

std::optional<Duration> WaitBeforeRetry(const Error& error, unsigned attempt, double random) {
  if (error.kind == ErrorKind::kCancelled) return std::nullopt;
  const Duration asked = error.retry_after.value_or(Duration::zero());
  const auto failure = FailureOf(error);
  switch (failure ? RowOf(*failure).retry : Retry::kSoon) {
    case Retry::kSoon:
      return std::max(asked, FullJitter(attempt, random));
    case Retry::kAfterProbe:
      return asked + Part(kAfterProbeSpread, random);
    case Retry::kAfterAnswer:
      return asked + FullJitter(0, random);
    case Retry::kRelogin:
      return std::max(asked, kShortest);
    case Retry::kSlow:
      return std::max(asked, kSlowest - Part(kSlowest / 5, random));
    case Retry::kNever:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tracekeeper::vault
