// `doctor` and `explain` against a real API server, from an empty cluster to one where everything
// is there. The program is run as a user runs it.

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/bed.h"
#include "tests/support/folders.h"
#include "tests/support/free_port.h"
#include "tests/support/operator_process.h"

namespace tracekeeper::cli {
namespace {

using test_support::Bed;
using test_support::CommandResult;
using test_support::OperatorProcess;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr std::string_view kPolicy = R"(
apiVersion: tracekeeper.dev/v1alpha1
kind: TracingPolicy
metadata: {name: checkout, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
)";

std::string PodYaml(std::string_view name, std::string_view more = {}) {
  return fmt::format(R"(
apiVersion: v1
kind: Pod
metadata: {{name: {}, namespace: shop, labels: {{app: checkout}}}}
spec: {{containers: [{{name: app, image: example.com/app:1}}]{}}}
)",
                     name, more);
}

class ClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto bed = Bed::Start({.controllers = true});
    ASSERT_TRUE(bed) << bed.error().message;
    bed_ = *std::move(bed);
  }

  CommandResult Tracekeeper(std::vector<std::string> arguments,
                            const std::string& kubeconfig = {}) {
    arguments.insert(arguments.begin(), test_support::Program("tracekeeper").string());
    arguments.push_back("--kubeconfig");
    arguments.push_back(kubeconfig.empty() ? bed_->admin_kubeconfig().string() : kubeconfig);
    auto result = test_support::RunProcess({.argv = std::move(arguments)});
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : CommandResult{};
  }

  void Kubectl(const std::vector<std::string>& arguments, std::string_view input = {}) {
    const CommandResult result = bed_->RunKubectl(arguments, input);
    ASSERT_TRUE(result.ok()) << result.err;
  }

  /// Runs doctor until it ends with `code`.
  CommandResult WaitForDoctor(int code) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    CommandResult result = Tracekeeper({"doctor"});
    while (result.exit_code != code && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      result = Tracekeeper({"doctor"});
    }
    return result;
  }

  std::unique_ptr<Bed> bed_;
};

TEST_F(ClusterTest, DoctorFollowsAnInstallationStepByStepAndExplainSpeaksOfItsPods) {
  CommandResult doctor = Tracekeeper({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1) << doctor.out << doctor.err;
  EXPECT_THAT(doctor.out, HasSubstr("ok       API server: https://127.0.0.1:"));
  EXPECT_THAT(doctor.out, HasSubstr("ok       Kubernetes version: v1."));
  EXPECT_THAT(doctor.out, HasSubstr("missing  CRD: tracingpolicies.tracekeeper.dev is not"));
  EXPECT_THAT(doctor.out, HasSubstr("kubectl apply --server-side -f crds/"));
  EXPECT_THAT(doctor.out, HasSubstr("missing  Operator: no operator has ever led"));
  EXPECT_THAT(doctor.out, HasSubstr("missing  Operator's rights: system:serviceaccount:"));

  const Status installed = test_support::InstallTracekeeper(*bed_);
  ASSERT_TRUE(installed) << installed.error().message;
  doctor = Tracekeeper({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1);
  EXPECT_THAT(doctor.out, HasSubstr("ok       CRD: tracingpolicies.tracekeeper.dev is installed"));
  EXPECT_THAT(doctor.out, HasSubstr("ok       Operator's rights:"));
  EXPECT_THAT(doctor.out, HasSubstr("missing  Operator: no operator has ever led"));

  Kubectl({"create", "namespace", "shop"});
  Kubectl({"apply", "-f", "-"}, kPolicy);
  ASSERT_TRUE(bed_->WaitForKubectl({"get", "serviceaccount", "default", "-n", "shop"}, "default",
                                   std::chrono::seconds(20)));
  Kubectl({"apply", "-f", "-"}, PodYaml("early"));
  doctor = Tracekeeper({"doctor"});
  EXPECT_THAT(doctor.out, HasSubstr("missing  Policy shop/checkout: the operator has not looked"));
  EXPECT_THAT(doctor.out, HasSubstr("MutatingWebhookConfiguration tracekeeper is not there"));

  auto running = OperatorProcess::Start(*bed_, {.leader_election = true});
  ASSERT_TRUE(running) << running.error().message;
  doctor = WaitForDoctor(0);
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out << running->process().ReadLog();
  EXPECT_THAT(doctor.out, HasSubstr("leads."));
  EXPECT_THAT(doctor.out, HasSubstr("ok       Namespaces: the webhook covers all 1"));
  EXPECT_THAT(doctor.out, HasSubstr("ok       Policies: 1 ready: shop/checkout."));
  EXPECT_THAT(doctor.out, HasSubstr("Nothing is missing."));
  EXPECT_THAT(Tracekeeper({"doctor", "-o", "json"}).out, HasSubstr("{\"checks\":[{\"state\":"));

  Kubectl({"apply", "-f", "-"}, PodYaml("web"));
  Kubectl({"apply", "-f", "-"}, PodYaml("host", ", hostNetwork: true"));
  const CommandResult web = Tracekeeper({"explain", "pod", "shop/web"});
  EXPECT_EQ(web.exit_code, 0) << web.err;
  EXPECT_THAT(web.out, HasSubstr("it carries the injection of shop/checkout, generation 1."));
  EXPECT_THAT(web.out, HasSubstr("That is what the policy says today."));
  EXPECT_THAT(Tracekeeper({"explain", "pod", "host", "-n", "shop"}).out,
              HasSubstr("skipped_host_network"));
  const CommandResult early = Tracekeeper({"explain", "pod", "shop/early"});
  EXPECT_THAT(early.out, HasSubstr("missing_injection"));
  EXPECT_THAT(early.out, Not(HasSubstr("does not cover")));

  const CommandResult policy = Tracekeeper({"explain", "policy", "shop/checkout"});
  EXPECT_EQ(policy.exit_code, 0) << policy.err;
  EXPECT_THAT(policy.out, HasSubstr("pods with app=checkout in namespace shop."));
  EXPECT_THAT(policy.out, HasSubstr("  Ready        True"));
  EXPECT_THAT(policy.out, HasSubstr("Seen now:   pods selected: 3, injected: 1."));
  EXPECT_THAT(policy.out, HasSubstr("shop/early is not injected:"));
}

TEST_F(ClusterTest, SaysWhatItMayNotSeeAndWhatIsNotThere) {
  const CommandResult nobody = Tracekeeper({"explain", "pod", "shop/nobody"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("nobody"));

  const CommandResult blind = Tracekeeper({"doctor"}, bed_->unprivileged_kubeconfig().string());
  EXPECT_THAT(blind.out, HasSubstr("remark   Your rights: you may not list tracingpolicies"));
  EXPECT_THAT(blind.out, HasSubstr("unknown  "));
  EXPECT_THAT(blind.out, HasSubstr("could not be looked at."));

  const std::string kubeconfig = (bed_->folder() / "nowhere.kubeconfig").string();
  std::ofstream(kubeconfig) << fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
      "contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
      "clusters: [{{name: c, cluster: {{server: \"https://127.0.0.1:{}\", "
      "insecure-skip-tls-verify: false, certificate-authority: {}}}}}]\n"
      "users: [{{name: u, user: {{token: t}}}}]\n",
      test_support::FreePort(), bed_->ca_file().string());
  const CommandResult nowhere = Tracekeeper({"doctor"}, kubeconfig);
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.out, HasSubstr("missing  API server: https://127.0.0.1:"));
  EXPECT_THAT(nowhere.out, HasSubstr("Check --kubeconfig"));
}

}  // namespace
}  // namespace tracekeeper::cli
