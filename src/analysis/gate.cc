#include "src/analysis/gate.h"

#include <fmt/format.h>

#include <charconv>

namespace tracekeeper::analysis {
namespace {

using continuity::Outcome;

using Units = std::array<std::uint64_t, continuity::kOutcomes>;

/// What was counted when a token was given.
struct Baseline {
  std::uint64_t start = 0;
  Units units{};
};

Units UnitsOf(const Snapshot& snapshot, const GateQuestion& question) {
  Units units{};
  for (const auto& [key, counts] : snapshot.series.units) {
    const bool is_asked =
        key.family == question.indicator && (!question.policy || key.policy == *question.policy);
    if (!is_asked) continue;
    for (std::size_t i = 0; i < units.size(); ++i) {
      const std::int64_t net = counts.NetOf(static_cast<Outcome>(i));
      units[i] += net > 0 ? static_cast<std::uint64_t>(net) : 0;
    }
  }
  return units;
}

std::string TokenOf(const Baseline& baseline) {
  std::string token = fmt::format("{:x}", baseline.start);
  for (const std::uint64_t count : baseline.units) token += fmt::format(".{:x}", count);
  return token;
}

std::optional<Baseline> ReadToken(std::string_view token) {
  Baseline baseline;
  const char* at = token.data();
  const char* const end = at + token.size();
  const auto read = [&](std::uint64_t& number) {
    const auto [next, error] = std::from_chars(at, end, number, 16);
    const bool is_number = error == std::errc() && next != at;
    at = next;
    return is_number;
  };
  if (!read(baseline.start)) return std::nullopt;
  for (std::uint64_t& count : baseline.units) {
    if (at == end || *at != '.') return std::nullopt;
    ++at;
    if (!read(count)) return std::nullopt;
  }
  return at == end ? std::optional(baseline) : std::nullopt;
}

void Judge(const GateQuestion& question, GateAnswer& answer) {
  const std::uint64_t bad = answer.Of(Outcome::kBad);
  const std::uint64_t judged = answer.Of(Outcome::kGood) + bad;
  if (judged > 0) {
    answer.ratio = static_cast<double>(answer.Of(Outcome::kGood)) / static_cast<double>(judged);
  }
  if (judged == 0 || judged < question.min_judged) {
    answer.reason = fmt::format(
        "only {} units were judged and {} are wanted: send more traffic, "
        "or wait until its traces are settled",
        judged, question.min_judged);
    return;
  }
  const bool passes = *answer.ratio >= question.min_ratio;
  answer.result = passes ? GateResult::kPass : GateResult::kFail;
  answer.reason =
      fmt::format("{} of {} kept their context, {} {}", judged - bad, judged,
                  passes ? "which is at least" : "which is less than", question.min_ratio);
}

}  // namespace

std::string_view NameOf(GateResult result) {
  switch (result) {
    case GateResult::kPass:
      return "pass";
    case GateResult::kFail:
      return "fail";
    case GateResult::kInconclusive:
      break;
  }
  return "inconclusive";
}

Result<GateAnswer> AnswerGate(const Snapshot& snapshot, const GateQuestion& question) {
  Baseline since{.start = snapshot.start};
  if (!question.since.empty()) {
    const auto read = ReadToken(question.since);
    if (!read) {
      return Fail(ErrorKind::kInvalid,
                  "since is no token: take the token of an earlier answer of this page");
    }
    since = *read;
  }
  const Units now = UnitsOf(snapshot, question);
  GateAnswer answer{.token = TokenOf({.start = snapshot.start, .units = now})};
  if (since.start != snapshot.start) {
    answer.reason =
        "the analyzer was started anew since the token was given: what came in between "
        "is not known";
    return answer;
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    // Repairs may have taken more than came.
    answer.units[i] = now[i] > since.units[i] ? now[i] - since.units[i] : 0;
  }
  if (snapshot.is_learned) {
    Judge(question, answer);
  } else {
    answer.reason =
        "nothing is judged yet: the analyzer learns the services first, which takes half a minute "
        "from the first spans on";
  }
  return answer;
}

}  // namespace tracekeeper::analysis
