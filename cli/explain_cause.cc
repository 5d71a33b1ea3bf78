// `tracekeeper explain cause`: the table of what breaks a trace.

#include <fmt/format.h>

#include <iterator>

#include "cli/explain.h"
#include "src/continuity/cause.h"

namespace tracekeeper::cli {
namespace {

using continuity::Cause;

std::string RatiosOf(Cause cause) {
  const continuity::CountsIn counts = CountsInOf(cause);
  if (counts.nowhere()) return "none: it is reported and counted apart";
  std::string ratios;
  const auto add = [&ratios](bool counted, std::string_view name) {
    if (counted)
      fmt::format_to(std::back_inserter(ratios), "{}{}", ratios.empty() ? "" : ", ", name);
  };
  add(counts.hop, "hop");
  add(counts.request, "request");
  add(counts.in_process, "in-process");
  add(counts.logs, "logs");
  return ratios;
}

}  // namespace

Result<std::string> ExplainCause(std::string_view name) {
  std::string text;
  if (name.empty()) {
    for (std::size_t i = 0; i < continuity::kCauseCount; ++i) {
      const auto cause = static_cast<Cause>(i);
      fmt::format_to(std::back_inserter(text), "{:<4} {:<25} {}\n", ClassOf(cause), NameOf(cause),
                     SentenceOf(cause));
    }
    return text;
  }
  const auto cause = continuity::FindCause(name);
  if (!cause) {
    return Fail(ErrorKind::kNotFound,
                "there is no cause '{}': `tracekeeper explain cause` lists them all", name);
  }
  return fmt::format("{} ({})\n  {}\n  {}\n  Bad in these ratios: {}.\n", NameOf(*cause),
                     ClassOf(*cause), SentenceOf(*cause), AdviceOf(*cause), RatiosOf(*cause));
}

}  // namespace tracekeeper::cli
