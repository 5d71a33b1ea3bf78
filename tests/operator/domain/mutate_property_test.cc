// Laws of injection, on 100,000 generated pods and several policies.

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "operator/domain/drift.h"
#include "operator/domain/undo.h"
#include "src/codec/json_patch.h"
#include "tests/operator/domain/pod_generator.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

constexpr int kPods = GENERATED_PODS;
constexpr int kLaterContainers = 5'000;
constexpr std::uint64_t kSeed = 20'261'122;

constexpr std::array<std::string_view, 5> kSpecs = {
    "{}",
    R"({"injection":{"podSecurityDefaults":"Restricted"},"sampling":{"head":{"ratio":"0.5"}}})",
    R"({"injection":{"sidecar":{"native":"Never"},"instrumentation":{"java":{"image":"j"}}}})",
    R"({"injection":{"instrumentation":{"java":{"image":"j"},"nodejs":{"image":"n"},
        "python":{"image":"p"},"dotnet":{"image":"d"}},"podSecurityDefaults":"Restricted"}})",
    R"({"injection":{"containers":["app-0","init-1"]},"export":{"endpoint":"https://c.test:4317",
        "auth":{"secretRef":{"name":"s","key":"k"}}}})",
};

std::array<PolicyPointer, kSpecs.size()> Policies() {
  std::array<PolicyPointer, kSpecs.size()> policies;
  for (std::size_t i = 0; i < kSpecs.size(); ++i) policies[i] = PolicyWith(kSpecs[i]);
  return policies;
}

/// Additions only; the one replace is of a variable's value, at its end (the self-check saw that).
void ExpectAddsOnly(std::string_view patch) {
  const kube::Document parsed = Json(patch);
  for (const codec::JsonValue operation : parsed.root().Elements()) {
    const std::string_view op = operation["op"].StringOr("");
    const std::string_view path = operation["path"].StringOr("");
    if (op == "add") continue;
    ASSERT_EQ(op, "replace") << path;
    ASSERT_TRUE(path.find("/env/") != std::string_view::npos && path.ends_with("/value")) << path;
  }
}

void ExpectUndone(const std::string& after, std::string_view before, const std::string& patch) {
  const auto undone = Undo(Json(after).root());
  ASSERT_TRUE(undone) << undone.error().message;
  ASSERT_EQ(Canonical(*undone), Canonical(before)) << patch;
}

TEST(MutateProperty, NeverRemoves_TwiceIsOnce_UndoGivesThePodBack) {
  const auto policies = Policies();
  PodGenerator generator(kSeed, {});
  int injected = 0;
  for (int i = 0; i < kPods; ++i) {
    const std::string pod = generator.Next();
    const CompiledPolicy& policy = *policies[static_cast<std::size_t>(i) % policies.size()];
    const Mutation mutation = MutateText(pod, policy);
    ASSERT_NE(mutation.reason, Reason::kSelfCheckRefused)
        << mutation.findings.front().detail << "\n"
        << pod;
    ASSERT_FALSE(mutation.findings.empty());
    ASSERT_EQ(mutation.findings.front().reason, mutation.reason);
    if (mutation.patch.empty()) {
      ASSERT_NE(mutation.outcome, Outcome::kInjected) << pod;
      continue;
    }
    ++injected;
    ExpectAddsOnly(mutation.patch);

    const auto after = codec::ApplyJsonPatch(pod, mutation.patch);
    ASSERT_TRUE(after) << after.error().message << "\n" << pod << "\n" << mutation.patch;
    const Mutation again = MutateText(*after, policy);
    ASSERT_EQ(again.patch, "") << pod;
    ASSERT_EQ(again.reason, Reason::kAlreadyInjected) << pod;
    const kube::Document running = Json(*after);
    ASSERT_EQ(DriftOf(ProjectPod(running.root()), policy).state, InjectionState::kInjected);
    ExpectUndone(*after, pod, mutation.patch);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(injected, kPods / 2) << "the generator makes too few pods that can be injected";
}

/// A later webhook adds a container; the API server asks again (reinvocationPolicy IfNeeded).
TEST(MutateProperty, AContainerThatComesLaterIsCoveredToo) {
  const auto policies = Policies();
  PodGenerator generator(kSeed + 1, {});
  constexpr std::string_view kLater =
      R"([{"op":"add","path":"/spec/containers/-","value":{"name":"later","image":"l:1"}}])";
  for (int i = 0; i < kLaterContainers; ++i) {
    const std::string pod = generator.Next();
    const CompiledPolicy& policy = *policies[static_cast<std::size_t>(i) % 4];
    const Mutation first = MutateText(pod, policy);
    if (first.patch.empty()) continue;
    const std::string once = *codec::ApplyJsonPatch(pod, first.patch);
    const std::string grown = *codec::ApplyJsonPatch(once, kLater);
    const Mutation second = MutateText(grown, policy);
    ASSERT_EQ(second.outcome, Outcome::kInjected) << grown;
    ExpectAddsOnly(second.patch);
    const std::string both = *codec::ApplyJsonPatch(grown, second.patch);
    ASSERT_EQ(VariableOf(Json(both).root(), "later", "OTEL_EXPORTER_OTLP_ENDPOINT"),
              "=http://127.0.0.1:4318");
    ASSERT_EQ(MutateText(both, policy).patch, "") << both;
    ExpectUndone(both, *codec::ApplyJsonPatch(pod, kLater), second.patch);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace tracekeeper::domain
