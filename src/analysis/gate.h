#pragma once
// Gate answers a pipeline: is continuity good enough? It keeps nothing: an answer holds a token,
// with which a later question asks about what came since.
//
//   before the rollout   GET /api/v1/gate?policy=shop/checkout            -> token
//   after it             GET /api/v1/gate?policy=shop/checkout&since=TOKEN -> pass, fail or
//                                                                            inconclusive
//
// Threads:  pure.
// Failure:  kInvalid with a sentence for a token that is none.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/analysis/snapshot.h"
#include "src/base/result.h"

namespace tracekeeper::analysis {

struct GateQuestion {
  /// Nothing: of all policies together.
  std::optional<PolicyLabels> policy;
  continuity::Family indicator = continuity::Family::kHop;
  double min_ratio = 0.99;
  /// Of good and bad units together; fewer prove nothing.
  std::uint64_t min_judged = 20;
  std::string since;  // a token; empty: since the start
};

enum class GateResult : std::uint8_t { kPass, kFail, kInconclusive };
std::string_view NameOf(GateResult result);

struct GateAnswer {
  GateResult result = GateResult::kInconclusive;
  std::string reason;                                        // a sentence
  std::optional<double> ratio;                               // nothing: nothing was judged
  std::array<std::uint64_t, continuity::kOutcomes> units{};  // net of repairs
  std::string token;                                         // of now

  [[nodiscard]] std::uint64_t Of(continuity::Outcome outcome) const {
    return units[static_cast<std::size_t>(outcome)];
  }
};

Result<GateAnswer> AnswerGate(const Snapshot& snapshot, const GateQuestion& question);

}  // namespace tracekeeper::analysis
