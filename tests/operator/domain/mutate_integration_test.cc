// The API server's own judgement: a sample of generated pods, as they are and as injection makes
// them, is created with --dry-run=server. Injection must never turn a pod that is accepted into one
// that is refused, also where Pod Security "restricted" is enforced.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/operator/domain/pod_generator.h"
#include "tests/operator/domain/test_policies.h"
#include "tests/support/bed.h"

namespace tracekeeper::domain {
namespace {

using test_support::Bed;
using test_support::CommandResult;

/// Of the generated pods about half are such that the API server accepts them.
constexpr int kGenerated = 1'100;
constexpr std::size_t kAcceptedAtLeast = 500;
constexpr int kRestrictedSample = 100;

/// A namespace with a service account, which no controller makes here.
std::string NamespaceManifest(std::string_view name, std::string_view level) {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{0}","labels":{{)"
      R"("pod-security.kubernetes.io/enforce":"{1}"}}}}}}
{{"apiVersion":"v1","kind":"ServiceAccount","metadata":{{"name":"default","namespace":"{0}"}}}}
)",
      name, level);
}

/// `pod` as a manifest of its own name, since a dry run answers with names.
std::string AsManifest(std::string_view pod, std::string_view name) {
  const kube::Document document = Json(pod);
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "Pod");
  json.Key("metadata").BeginObject().Member("name", name);
  for (const auto& [key, value] : document["metadata"].Members()) {
    if (key != "name" && key != "generateName") json.Key(key).Raw(value.ToJson());
  }
  json.EndObject();
  for (const auto& [key, value] : document.root().Members()) {
    if (key != "apiVersion" && key != "kind" && key != "metadata")
      json.Key(key).Raw(value.ToJson());
  }
  return json.EndObject().Take();
}

class ApiServerJudgement : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Bed::WhyNot({})) return;
    auto started = Bed::Start({});
    ASSERT_TRUE(started) << started.error().message;
    bed_ = *std::move(started);
    for (const char* level : {"privileged", "baseline", "restricted"}) {
      const CommandResult made =
          bed_->RunKubectl({"apply", "-f", "-"}, NamespaceManifest(level, level));
      ASSERT_TRUE(made.ok()) << made.err;
    }
  }
  static void TearDownTestSuite() { bed_.reset(); }
  void SetUp() override {
    if (const auto why_not = Bed::WhyNot({})) GTEST_SKIP() << *why_not;
    ASSERT_NE(bed_, nullptr);
  }

  struct Verdict {
    std::set<std::string> accepted;
    std::string errors;
  };

  /// Which of the manifests the API server would create.
  static Verdict Judge(const std::string& manifests, std::string_view namespace_name) {
    const CommandResult result =
        bed_->RunKubectl({"create", "--dry-run=server", "--validate=ignore", "-o", "name", "-n",
                          std::string(namespace_name), "-f", "-"},
                         manifests);
    Verdict verdict{.errors = result.err};
    std::size_t begin = 0;
    while (begin < result.out.size()) {
      const std::size_t end = std::min(result.out.find('\n', begin), result.out.size());
      const std::string line = result.out.substr(begin, end - begin);
      if (line.starts_with("pod/")) verdict.accepted.insert(line.substr(4));
      begin = end + 1;
    }
    return verdict;
  }

  /// Judges `pods` as they are and injected; how many were injected and accepted.
  static std::size_t ExpectNoneIsLost(const std::vector<std::string>& pods,
                                      const CompiledPolicy& policy,
                                      std::string_view namespace_name) {
    std::string before;
    std::string after;
    std::set<std::string> injected;
    for (std::size_t i = 0; i < pods.size(); ++i) {
      const std::string name = fmt::format("p{}", i);
      const std::string pod = AsManifest(pods[i], name);
      const MutateContext context{.namespace_name = namespace_name};
      if (MutateText(pod, policy, context).patch.empty()) continue;
      injected.insert(name);
      before.append(pod).append("\n");
      after.append(Injected(pod, policy, context)).append("\n");
    }
    const Verdict plain = Judge(before, namespace_name);
    const Verdict mutated = Judge(after, namespace_name);
    std::size_t both = 0;
    for (const std::string& name : plain.accepted) {
      both += mutated.accepted.count(name);
      EXPECT_EQ(mutated.accepted.count(name), 1U) << name << " is refused once it is injected";
    }
    EXPECT_FALSE(plain.accepted.empty()) << plain.errors;
    if (testing::Test::HasFailure()) ADD_FAILURE() << mutated.errors.substr(0, 4000);
    return both;
  }

  static std::unique_ptr<Bed> bed_;
};

std::unique_ptr<Bed> ApiServerJudgement::bed_;

std::vector<std::string> Generate(int count, std::uint64_t seed, PodGenerator::Options options) {
  PodGenerator generator(seed, options);
  std::vector<std::string> pods;
  for (int i = 0; i < count; ++i) pods.push_back(generator.Next());
  return pods;
}

constexpr std::string_view kRichSpec =
    R"({"sampling":{"head":{"ratio":"0.5"}},"injection":{"instrumentation":{
        "java":{"image":"j"},"nodejs":{"image":"n"},"python":{"image":"p"},"dotnet":{"image":"d"}}},
        "export":{"endpoint":"https://c.test:4317","auth":{"secretRef":{"name":"s","key":"k"}},
          "tls":{"ca":{"configMapRef":{"name":"c","key":"k"}},"clientCertificate":{"secretName":"t"}}}})";

TEST_F(ApiServerJudgement, AcceptsEveryInjectedPodThatItAcceptsWithoutUs) {
  const std::size_t accepted =
      ExpectNoneIsLost(Generate(kGenerated, 1, {}), *PolicyWith(kRichSpec), "privileged");
  EXPECT_GE(accepted, kAcceptedAtLeast) << "the sample says too little";
}

TEST_F(ApiServerJudgement, AcceptsAPlainSidecarToo) {
  const std::size_t accepted = ExpectNoneIsLost(
      Generate(kRestrictedSample, 2, {.wild = false}),
      *PolicyWith(R"({"injection":{"sidecar":{"native":"Never"}}})"), "privileged");
  EXPECT_GT(accepted, kRestrictedSample / 4U);
}

TEST_F(ApiServerJudgement, AcceptsInjectedPodsUnderBaselineAndRestricted) {
  const auto pods = Generate(kRestrictedSample, 3, {.wild = false, .restricted = true});
  const PolicyPointer policy = PolicyWith(kRichSpec);
  for (const std::string_view level : {"baseline", "restricted"}) {
    EXPECT_GT(ExpectNoneIsLost(pods, *policy, level), kRestrictedSample / 2U) << level;
  }
}

TEST_F(ApiServerJudgement, AcceptsAnInjectedPodWhoseResourcesAreForThePodAsAWhole) {
  constexpr std::string_view kPod =
      R"({"metadata":{},"spec":{"resources":{"requests":{"cpu":"100m","memory":"64Mi"},
          "limits":{"cpu":"100m","memory":"64Mi"}},"containers":[{"name":"a","image":"a:1",
          "resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}})";
  EXPECT_EQ(ExpectNoneIsLost({std::string(kPod)}, *PolicyWith(kRichSpec), "baseline"), 1U);
}

TEST_F(ApiServerJudgement, SecurityDefaultsMakeABarePodPassRestricted) {
  const std::string pod = AsManifest(
      R"({"metadata":{},"spec":{"initContainers":[{"name":"i","image":"i:1","securityContext":null}],
          "containers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:1","securityContext":{
          "capabilities":{"add":["NET_BIND_SERVICE"]}}}]}})",
      "bare");
  const PolicyPointer policy = PolicyWith(R"({"injection":{"podSecurityDefaults":"Restricted"}})");
  EXPECT_TRUE(Judge(pod, "restricted").accepted.empty());
  const Verdict mutated =
      Judge(Injected(pod, *policy, {.namespace_name = "restricted"}), "restricted");
  EXPECT_EQ(mutated.accepted.count("bare"), 1U) << mutated.errors;
}

TEST_F(ApiServerJudgement, SecurityDefaultsNeverMakeAPodInvalid) {
  ExpectNoneIsLost(Generate(kRestrictedSample * 2, 4, {.wild = false}),
                   *PolicyWith(R"({"injection":{"podSecurityDefaults":"Restricted"}})"),
                   "privileged");
}

}  // namespace
}  // namespace tracekeeper::domain
