// What the test cluster promises (tests/support/bed.h) is what all other integration tests stand
// on. Here: the control plane.

#include "tests/support/bed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/eventually.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using namespace std::chrono_literals;

// These share one control plane; each has a namespace of its own in it.
class BedTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { bed = StartBed({.controllers = true}); }
  static void TearDownTestSuite() { bed.reset(); }

  void SetUp() override {
    ASSERT_TRUE(bed);
    name_space = fmt::format("test-{}", ++namespaces_made);
    ASSERT_TRUE(bed->RunKubectl({"create", "namespace", name_space}).ok());
    ASSERT_TRUE(bed->WaitForKubectl({"get", "serviceaccounts", "-n", name_space}, "default", 20s));
  }

  CommandResult Kubectl(std::vector<std::string> arguments) const {
    return KubectlAs(bed->admin_kubeconfig(), std::move(arguments));
  }
  CommandResult KubectlAs(const std::filesystem::path& kubeconfig,
                          std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--namespace", name_space});
    return bed->RunKubectlAs(kubeconfig, arguments);
  }

  static inline std::unique_ptr<Bed> bed;
  static inline int namespaces_made = 0;
  std::string name_space;
};

TEST_F(BedTest, ControlPlaneAnswersItsAdmin) {
  const auto version = Kubectl({"version"});
  EXPECT_TRUE(version.ok()) << version.err;
  EXPECT_THAT(version.out, HasSubstr("Server Version: v1.34"));
  EXPECT_THAT(bed->server_url(), HasSubstr("https://127.0.0.1:"));
  EXPECT_TRUE(fs::exists(bed->ca_file()));
}

TEST_F(BedTest, RbacRefusesUserWithoutRights) {
  const auto answer = KubectlAs(bed->unprivileged_kubeconfig(), {"get", "pods"});
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.err, HasSubstr("(Forbidden)"));
  EXPECT_THAT(answer.err, HasSubstr("\"tester\""));
}

TEST_F(BedTest, ServiceAccountKubeconfigActsAsThatAccountWithItsRightsAlone) {
  const auto kubeconfig = bed->ServiceAccountKubeconfig(name_space, "reader");
  ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
  EXPECT_THAT(KubectlAs(*kubeconfig, {"auth", "whoami"}).out,
              HasSubstr("system:serviceaccount:" + name_space + ":reader"));
  EXPECT_THAT(KubectlAs(*kubeconfig, {"get", "configmaps"}).err, HasSubstr("(Forbidden)"));

  ASSERT_TRUE(Kubectl({"create", "role", "reader", "--verb=list", "--resource=configmaps"}).ok());
  ASSERT_TRUE(Kubectl({"create", "rolebinding", "reader", "--role=reader",
                       "--serviceaccount=" + name_space + ":reader"})
                  .ok());
  const auto allowed = [&] { return KubectlAs(*kubeconfig, {"get", "configmaps"}).ok(); };
  EXPECT_TRUE(Eventually(allowed, 10s));
}

TEST_F(BedTest, PodSecurityRefusesWhatItsNamespaceForbids) {
  ASSERT_TRUE(
      Kubectl({"label", "namespace", name_space, "pod-security.kubernetes.io/enforce=restricted"})
          .ok());
  const auto answer = Kubectl({"run", "bare", "--image=none"});
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.err, HasSubstr("violates PodSecurity \"restricted"));
}

TEST_F(BedTest, ControllersMakePodsOfDeployments) {
  ASSERT_TRUE(Kubectl({"create", "deployment", "web", "--image=none"}).ok());
  const auto pods = bed->WaitForKubectl({"get", "pods", "-n", name_space}, "Pending", 20s);
  EXPECT_TRUE(pods) << pods.error().message;
}

TEST_F(BedTest, ApiServerComesBackOnItsPortWithItsData) {
  ASSERT_TRUE(Kubectl({"create", "configmap", "kept", "--from-literal=a=b"}).ok());
  ASSERT_TRUE(bed->Kill(BedPart::kApiServer));
  EXPECT_THAT(Kubectl({"get", "configmap", "kept"}).err, HasSubstr("refused"));

  const auto back = bed->StartPart(BedPart::kApiServer);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(Kubectl({"get", "configmap", "kept"}).ok());
}

TEST_F(BedTest, EtcdComesBackWithItsData) {
  ASSERT_TRUE(Kubectl({"create", "configmap", "kept", "--from-literal=a=b"}).ok());
  const auto back = bed->Restart(BedPart::kEtcd);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(Kubectl({"get", "configmap", "kept"}).ok());
  const auto written = Kubectl({"create", "configmap", "new", "--from-literal=a=b"});
  EXPECT_TRUE(written.ok()) << written.err;
}

TEST_F(BedTest, CompactionAndARestartExpireContinueTokensAndOldWatches) {
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(Kubectl({"create", "configmap", name}).ok());
  }
  const std::string list = "/api/v1/namespaces/" + name_space + "/configmaps?limit=1";
  const std::string page = Kubectl({"get", "--raw", list}).out;
  const std::string key = "\"continue\":\"";
  const auto begin = page.find(key) + key.size();
  const std::string token = page.substr(begin, page.find('"', begin) - begin);
  ASSERT_TRUE(Kubectl({"get", "--raw", list + "&continue=" + token}).ok());

  ASSERT_TRUE(Kubectl({"create", "configmap", "d"}).ok());
  const auto revision = bed->Compact();
  ASSERT_TRUE(revision) << revision.error().message;
  EXPECT_GT(*revision, 1);
  ASSERT_TRUE(bed->Restart(BedPart::kApiServer));
  EXPECT_THAT(Kubectl({"get", "--raw", list + "&continue=" + token}).err,
              HasSubstr("continue parameter is too old"));
  EXPECT_THAT(
      Kubectl({"get", "--raw", "/api/v1/configmaps?watch=1&resourceVersion=1&timeoutSeconds=5"})
          .out,
      HasSubstr("\"code\":410"));
}

TEST_F(BedTest, PausedApiServerIsSilentUntilItIsResumed) {
  ASSERT_TRUE(bed->Pause(BedPart::kApiServer));
  EXPECT_FALSE(Kubectl({"get", "namespaces", "--request-timeout=1s"}).ok());
  ASSERT_TRUE(bed->Resume(BedPart::kApiServer));
  EXPECT_TRUE(Kubectl({"get", "namespaces"}).ok());
}

TEST(BedAloneTest, TwoBedsLiveSideBySide) {
  const auto first = StartBed();
  const auto second = StartBed();
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->RunKubectl({"create", "namespace", "only-in-the-first"}).ok());
  EXPECT_FALSE(second->RunKubectl({"get", "namespace", "only-in-the-first"}).ok());
}

TEST(BedAloneTest, ServerThatCannotStartIsNamedWithItsOwnWords) {
  const auto bed = Bed::Start({.api_server_flags = {"--no-such-flag"}});
  ASSERT_FALSE(bed);
  EXPECT_THAT(bed.error().message, HasSubstr("kube-apiserver"));
  EXPECT_THAT(bed.error().message, HasSubstr("unknown flag: --no-such-flag"));
}

}  // namespace
}  // namespace tracekeeper::test_support
