#include "operator/domain/continuity_rules.h"

#include <gtest/gtest.h>

namespace tracekeeper::domain {
namespace {

using continuity::Rules;
using continuity::Shape;

api::Slo SloOf(std::string entrypoint, std::string service) {
  return {.entrypoints = {std::move(entrypoint)},
          .exclude = {.scopes = {}, .span_names = {}, .services = {std::move(service)}}};
}

TEST(ContinuityRules, TakeEveryFieldOfAPolicysSlo) {
  const Rules rules = RulesOf(api::Slo{
      .entrypoints = {"web"},
      .exclude = {.scopes = {"jdbc"}, .span_names = {"GET /health*"}, .services = {"probe"}}});
  EXPECT_TRUE(rules.entrypoints.Has("web"));
  EXPECT_TRUE(rules.excluded_scopes.Has("jdbc"));
  EXPECT_TRUE(rules.excluded_span_names.Has("GET /healthz"));
  EXPECT_TRUE(rules.excluded_services.Has("probe"));
}

TEST(ContinuityRules, OfAPolicyHoldForItsSpansAndOfAllForSpansOfNone) {
  const auto rules = RulesOf(SloByPolicy{{"shop/checkout", SloOf("web", "probe")},
                                         {"bank/ledger", SloOf("teller", "night")}});
  continuity::Names names;
  const auto of = [&](std::string_view policy) -> const Rules& {
    return rules.Of(Shape{.policy = names.Intern(policy)}, names);
  };
  EXPECT_TRUE(of("shop/checkout").entrypoints.Has("web"));
  EXPECT_FALSE(of("shop/checkout").entrypoints.Has("teller"));
  EXPECT_FALSE(of("bank/ledger").excluded_services.Has("probe"));
  for (const std::string_view entry : {"web", "teller"}) {
    EXPECT_TRUE(of("").entrypoints.Has(entry)) << entry;
  }
}

}  // namespace
}  // namespace tracekeeper::domain
