#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "operator/domain/select_policy.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

using Op = LabelSelector::Operator;

struct SelectorCase {
  LabelSelector selector;
  bool matches;
};

TEST(LabelSelector, MatchesAsTheApiServerDoes) {
  const std::vector<Label> labels = {{"app", "cart"}, {"tier", ""}};
  const SelectorCase cases[] = {
      {LabelSelector(), true},
      {LabelSelector({{"app", Op::kIn, {"cart"}}}), true},
      {LabelSelector({{"app", Op::kIn, {"web", "cart"}}}), true},
      {LabelSelector({{"app", Op::kIn, {"web"}}}), false},
      {LabelSelector({{"none", Op::kIn, {""}}}), false},
      {LabelSelector({{"tier", Op::kIn, {""}}}), true},
      {LabelSelector({{"app", Op::kNotIn, {"cart"}}}), false},
      {LabelSelector({{"none", Op::kNotIn, {"cart"}}}), true},
      {LabelSelector({{"tier", Op::kExists}}), true},
      {LabelSelector({{"none", Op::kExists}}), false},
      {LabelSelector({{"none", Op::kDoesNotExist}}), true},
      {LabelSelector({{"app", Op::kDoesNotExist}}), false},
      {LabelSelector({{"app", Op::kExists}, {"none", Op::kExists}}), false},
  };
  for (const SelectorCase& c : cases) {
    EXPECT_EQ(c.selector.Matches(labels), c.matches) << c.selector.ToString();
  }
}

TEST(LabelSelector, IsWrittenAsKubectlWritesIt) {
  EXPECT_EQ(LabelSelector({{"a", Op::kIn, {"1"}},
                           {"b", Op::kIn, {"1", "2"}},
                           {"c", Op::kNotIn, {"3"}},
                           {"d", Op::kExists},
                           {"e", Op::kDoesNotExist}})
                .ToString(),
            "a=1,b in (1,2),c notin (3),d,!e");
}

PolicyPointer Policy(std::string_view name, std::string_view spec, int created_second = 0) {
  return CompileSpec(
             spec, name,
             fmt::format(R"(,"creationTimestamp":"2026-01-01T00:00:{:02}Z")", created_second))
      .policy;
}

std::string Chosen(const PolicySnapshot& snapshot, std::string_view namespace_name,
                   std::vector<Label> pod_labels = {{"app", "cart"}},
                   std::vector<Label> namespace_labels = {}) {
  const CompiledPolicy* policy =
      SelectPolicy(snapshot, namespace_name, namespace_labels, pod_labels);
  return policy == nullptr ? "none" : policy->qualified_name;
}

TEST(SelectPolicy, PrefersTheNamespacesOwnToTheFleets) {
  const PolicySnapshot snapshot({
      Policy("tracekeeper-system/fleet", R"({"namespaceSelector":{},"priority":100})"),
      Policy("shop/own", R"({"selector":{"matchLabels":{"app":"cart"}}})"),
  });
  EXPECT_EQ(Chosen(snapshot, "shop"), "shop/own");
  EXPECT_EQ(Chosen(snapshot, "shop", {{"app", "web"}}), "tracekeeper-system/fleet");
  EXPECT_EQ(Chosen(snapshot, "other"), "tracekeeper-system/fleet");
}

TEST(SelectPolicy, PrefersPriorityThenAgeThenName) {
  const PolicyPointer high = Policy("shop/z-high", R"({"priority":1})", 9);
  const PolicyPointer old = Policy("shop/y-old", "{}", 1);
  const PolicyPointer young = Policy("shop/a-young", "{}", 2);
  const PolicyPointer twin = Policy("shop/x-twin", "{}", 1);
  EXPECT_EQ(Chosen(PolicySnapshot({young, old, high}), "shop"), "shop/z-high");
  EXPECT_EQ(Chosen(PolicySnapshot({young, old}), "shop"), "shop/y-old");
  EXPECT_EQ(Chosen(PolicySnapshot({old, twin}), "shop"), "shop/x-twin");

  const PolicySnapshot all({young, old, high, twin});
  std::vector<std::string> order;
  for (const CompiledPolicy* candidate : CandidatePolicies(all, "shop", {}, {})) {
    order.push_back(candidate->key.name);
  }
  EXPECT_THAT(order, testing::ElementsAre("z-high", "x-twin", "y-old", "a-young"));
}

TEST(SelectPolicy, AFleetPolicyLooksAtTheNamespacesLabels) {
  const PolicySnapshot snapshot({Policy(
      "tracekeeper-system/fleet", R"({"namespaceSelector":{"matchLabels":{"env":"prod"}}})")});
  EXPECT_EQ(Chosen(snapshot, "shop", {}, {{"env", "prod"}}), "tracekeeper-system/fleet");
  EXPECT_EQ(Chosen(snapshot, "shop", {}, {{"env", "dev"}}), "none");
}

TEST(SelectPolicy, ANamespaceSelectorElsewhereIsIgnoredAndSaidSo) {
  const PolicyCompilation compilation = CompileSpec(R"({"namespaceSelector":{}})", "shop/own");
  EXPECT_FALSE(compilation.policy->is_fleet());
  EXPECT_THAT(compilation.findings,
              testing::Contains(Finding{Reason::kNamespaceSelectorIgnored, ""}));
  EXPECT_EQ(Chosen(PolicySnapshot({compilation.policy}), "other"), "none");
}

TEST(PolicySnapshot, FindsByKey) {
  const PolicySnapshot snapshot({Policy("shop/b", "{}"), Policy("cart/a", "{}")});
  EXPECT_EQ(snapshot.Find({"shop", "b"})->qualified_name, "shop/b");
  EXPECT_EQ(snapshot.Find({"shop", "a"}), nullptr);
  EXPECT_EQ(snapshot.All().size(), 2U);
}

}  // namespace
}  // namespace tracekeeper::domain
