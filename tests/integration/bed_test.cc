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

TEST(BedTest, ControlPlaneAnswersItsAdmin) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  const auto version = bed->RunKubectl({"version"});
  EXPECT_TRUE(version.ok()) << version.err;
  EXPECT_THAT(version.out, HasSubstr("Server Version: v1.34"));
  EXPECT_THAT(bed->server_url(), HasSubstr("https://127.0.0.1:"));
  EXPECT_TRUE(fs::exists(bed->ca_file()));
}

TEST(BedTest, RbacRefusesUserWithoutRights) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  const auto answer = bed->RunKubectlAs(bed->unprivileged_kubeconfig(), {"get", "pods"});
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.err, HasSubstr("(Forbidden)"));
  EXPECT_THAT(answer.err, HasSubstr("\"tester\""));
}

TEST(BedTest, ServiceAccountKubeconfigActsAsThatAccountWithItsRightsAlone) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  const auto kubeconfig = bed->ServiceAccountKubeconfig("default", "reader");
  ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
  EXPECT_THAT(bed->RunKubectlAs(*kubeconfig, {"auth", "whoami"}).out,
              HasSubstr("system:serviceaccount:default:reader"));
  EXPECT_THAT(bed->RunKubectlAs(*kubeconfig, {"get", "configmaps"}).err, HasSubstr("(Forbidden)"));

  ASSERT_TRUE(
      bed->RunKubectl({"create", "role", "reader", "--verb=list", "--resource=configmaps"}).ok());
  ASSERT_TRUE(bed->RunKubectl({"create", "rolebinding", "reader", "--role=reader",
                               "--serviceaccount=default:reader"})
                  .ok());
  const auto allowed = [&] { return bed->RunKubectlAs(*kubeconfig, {"get", "configmaps"}).ok(); };
  EXPECT_TRUE(Eventually(allowed, 10s));
}

TEST(BedTest, PodSecurityRefusesWhatItsNamespaceForbids) {
  const auto bed = StartBed({.controllers = true});
  ASSERT_TRUE(bed);
  ASSERT_TRUE(bed->RunKubectl({"label", "namespace", "default",
                               "pod-security.kubernetes.io/enforce=restricted"})
                  .ok());
  const auto answer = bed->RunKubectl({"run", "bare", "--image=none"});
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.err, HasSubstr("violates PodSecurity \"restricted"));
}

TEST(BedTest, ControllersMakePodsOfDeployments) {
  const auto bed = StartBed({.controllers = true});
  ASSERT_TRUE(bed);
  ASSERT_TRUE(bed->RunKubectl({"create", "deployment", "web", "--image=none"}).ok());
  const auto pods = bed->WaitForKubectl({"get", "pods", "-l", "app=web"}, "Pending", 20s);
  EXPECT_TRUE(pods) << pods.error().message;
}

TEST(BedTest, ApiServerComesBackOnItsPortWithItsData) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  ASSERT_TRUE(bed->RunKubectl({"create", "configmap", "kept", "--from-literal=a=b"}).ok());
  ASSERT_TRUE(bed->Kill(BedPart::kApiServer));
  EXPECT_THAT(bed->RunKubectl({"get", "configmap", "kept"}).err, HasSubstr("refused"));

  const auto back = bed->StartPart(BedPart::kApiServer);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(bed->RunKubectl({"get", "configmap", "kept"}).ok());
}

TEST(BedTest, EtcdComesBackWithItsData) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  ASSERT_TRUE(bed->RunKubectl({"create", "configmap", "kept", "--from-literal=a=b"}).ok());
  const auto back = bed->Restart(BedPart::kEtcd);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(bed->RunKubectl({"get", "configmap", "kept"}).ok());
  const auto written = bed->RunKubectl({"create", "configmap", "new", "--from-literal=a=b"});
  EXPECT_TRUE(written.ok()) << written.err;
}

TEST(BedTest, CompactionAndARestartExpireContinueTokensAndOldWatches) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(bed->RunKubectl({"create", "configmap", name}).ok());
  }
  const std::string list = "/api/v1/namespaces/default/configmaps?limit=1";
  const std::string page = bed->RunKubectl({"get", "--raw", list}).out;
  const std::string key = "\"continue\":\"";
  const auto begin = page.find(key) + key.size();
  const std::string token = page.substr(begin, page.find('"', begin) - begin);
  ASSERT_TRUE(bed->RunKubectl({"get", "--raw", list + "&continue=" + token}).ok());

  ASSERT_TRUE(bed->RunKubectl({"create", "configmap", "d"}).ok());
  const auto revision = bed->Compact();
  ASSERT_TRUE(revision) << revision.error().message;
  EXPECT_GT(*revision, 1);
  ASSERT_TRUE(bed->Restart(BedPart::kApiServer));
  EXPECT_THAT(bed->RunKubectl({"get", "--raw", list + "&continue=" + token}).err,
              HasSubstr("continue parameter is too old"));
  EXPECT_THAT(bed->RunKubectl({"get", "--raw",
                               "/api/v1/configmaps?watch=1&resourceVersion=1&timeoutSeconds=5"})
                  .out,
              HasSubstr("\"code\":410"));
}

TEST(BedTest, PausedApiServerIsSilentUntilItIsResumed) {
  const auto bed = StartBed();
  ASSERT_TRUE(bed);
  ASSERT_TRUE(bed->Pause(BedPart::kApiServer));
  EXPECT_FALSE(bed->RunKubectl({"get", "namespaces", "--request-timeout=1s"}).ok());
  ASSERT_TRUE(bed->Resume(BedPart::kApiServer));
  EXPECT_TRUE(bed->RunKubectl({"get", "namespaces"}).ok());
}

TEST(BedTest, TwoBedsLiveSideBySide) {
  const auto first = StartBed();
  const auto second = StartBed();
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->RunKubectl({"create", "namespace", "only-in-the-first"}).ok());
  EXPECT_FALSE(second->RunKubectl({"get", "namespace", "only-in-the-first"}).ok());
}

TEST(BedTest, ServerThatCannotStartIsNamedWithItsOwnWords) {
  const auto bed = Bed::Start({.api_server_flags = {"--no-such-flag"}});
  ASSERT_FALSE(bed);
  EXPECT_THAT(bed.error().message, HasSubstr("kube-apiserver"));
  EXPECT_THAT(bed.error().message, HasSubstr("unknown flag: --no-such-flag"));
}

}  // namespace
}  // namespace tracekeeper::test_support
