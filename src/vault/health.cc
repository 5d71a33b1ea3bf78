#include "src/vault/health.h"

#include "src/codec/json_value.h"
#include "src/vault/answer_judge.h"

namespace tracekeeper::vault {
namespace {

constexpr std::string_view kTried = "ask for Vault's health";
constexpr std::size_t kLongestHealth = 64U << 10U;

std::optional<NodeState> StateOf(int status) {
  switch (status) {
    case 200:
      return NodeState::kActive;
    case 429:
      return NodeState::kStandby;
    case 472:
      return NodeState::kDisasterRecovery;
    case 473:
      return NodeState::kPerformanceStandby;
    case 501:
      return NodeState::kNotInitialised;
    case 503:
      return NodeState::kSealed;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<Health> ReadHealth(const net::Response& response, Instant now) {
  const auto state = StateOf(response.status);
  codec::JsonParser parser;
  const auto root = parser.Parse(std::string_view(response.body).substr(0, kLongestHealth));
  const bool is_health = root && (*root)["initialized"].Bool() && (*root)["sealed"].Bool();
  if (!state || !is_health) {
    const auto judgement = JudgeAnswer(response, Operation::kHealth, now);
    return Fail(MakeError(judgement ? judgement->failure : Failure::kAnswerNotVault, kTried,
                          judgement ? judgement->detail : "not what sys/health says"));
  }
  return Health{*state, Scrub((*root)["version"].StringOr(""))};
}

std::optional<Failure> WhyNotAsk(NodeState state) {
  switch (state) {
    case NodeState::kActive:
    case NodeState::kStandby:
    case NodeState::kPerformanceStandby:
      return std::nullopt;
    case NodeState::kDisasterRecovery:
      return Failure::kStandby;
    case NodeState::kSealed:
      return Failure::kSealed;
    case NodeState::kNotInitialised:
      return Failure::kNotInitialised;
  }
  return Failure::kUnavailable;
}

}  // namespace tracekeeper::vault
