// The test cluster itself: what it promises in tests/support/bed.h is what all other integration
// tests stand on.

#include "tests/support/bed.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

std::unique_ptr<Bed> StartBed(const BedOptions& options = {}) {
  auto bed = Bed::Start(options);
  if (!bed) ADD_FAILURE() << bed.error().message;
  return bed ? *std::move(bed) : nullptr;
}

std::string ReadFile(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

// Every server of a bed, and whatever its nodes start, names the bed's folder in its arguments.
std::vector<std::string> ProcessesThatName(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (name == std::to_string(getpid())) continue;
    std::string command = ReadFile(entry.path() / "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.find(folder) != std::string::npos) found.push_back(name + ": " + command);
  }
  return found;
}

// A line of the state file that the bed tool leaves in the bed's folder.
std::string StateOf(const fs::path& folder, const std::string& name) {
  std::ifstream state(folder / "state");
  for (std::string line; std::getline(state, line);) {
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  }
  return "";
}

// In cgroup v1 there is one in each hierarchy.
std::vector<std::string> CgroupsNamed(const std::string& name) {
  std::vector<std::string> found;
  std::error_code ignored;
  if (fs::exists("/sys/fs/cgroup/" + name)) found.push_back("/sys/fs/cgroup/" + name);
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ignored)) {
    if (fs::exists(hierarchy.path() / name)) found.push_back(hierarchy.path() / name);
  }
  return found;
}

std::vector<std::string> MountsThatName(const std::string& folder) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(folder) != std::string::npos) found.push_back(line);
  }
  return found;
}

bool BecomesTrue(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

void ExpectNothingIsLeft(const fs::path& folder) {
  BecomesTrue([&] { return !fs::exists(folder) && ProcessesThatName(folder).empty(); }, 20s);
  EXPECT_THAT(ProcessesThatName(folder), IsEmpty());
  EXPECT_THAT(MountsThatName(folder), IsEmpty());
  EXPECT_FALSE(fs::exists(folder)) << folder;
}

// --- Control plane -------------------------------------------------------------------------------

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
  EXPECT_TRUE(BecomesTrue(allowed, 10s));
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

// --- The end of a bed ----------------------------------------------------------------------------

TEST(BedEndTest, NothingIsLeftOfAControlPlane) {
  auto bed = StartBed({.controllers = true});
  ASSERT_TRUE(bed);
  const fs::path folder = bed->folder();
  EXPECT_GE(ProcessesThatName(folder).size(), 4U);
  bed.reset();
  ExpectNothingIsLeft(folder);
}

// What the tests below run in a process of its own, to kill it: it starts a bed, writes the bed's
// folder to a file, and waits.
TEST(DISABLED_BedVictim, StartsABedAndWaits) {
  const char* nodes = std::getenv("VICTIM_NODES");
  const char* answer = std::getenv("VICTIM_ANSWER");
  ASSERT_TRUE(nodes != nullptr && answer != nullptr);
  const auto bed = StartBed({.controllers = true, .nodes = std::atoi(nodes)});
  ASSERT_TRUE(bed);
  const std::string unfinished = std::string(answer) + ".unfinished";
  std::ofstream(unfinished) << bed->folder().string();
  fs::rename(unfinished, answer);
  while (true) pause();
}

class Victim {
 public:
  explicit Victim(int nodes)
      : folder_(fs::temp_directory_path() / ("victim-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    const fs::path answer = folder_ / "answer";
    auto process = ChildProcess::Start(
        {.argv = {fs::read_symlink("/proc/self/exe"), "--gtest_also_run_disabled_tests",
                  "--gtest_filter=DISABLED_BedVictim.*"},
         .environment = {{"VICTIM_NODES", std::to_string(nodes)}, {"VICTIM_ANSWER", answer}}},
        folder_ / "log");
    if (!process) return;
    process_.emplace(*std::move(process));
    BecomesTrue([&] { return fs::exists(answer) || !process_->IsRunning(); }, 120s);
    bed_folder_ = ReadFile(answer);
  }
  ~Victim() { fs::remove_all(folder_); }

  [[nodiscard]] const std::string& bed_folder() const { return bed_folder_; }
  [[nodiscard]] std::string log() const { return ReadFile(folder_ / "log"); }
  void Kill() { process_->Terminate(0ms); }

 private:
  fs::path folder_;
  std::optional<ChildProcess> process_;
  std::string bed_folder_;
};

TEST(BedEndTest, NothingIsLeftWhenTheTestIsKilled) {
  Victim victim(0);
  ASSERT_FALSE(victim.bed_folder().empty()) << victim.log();
  EXPECT_GE(ProcessesThatName(victim.bed_folder()).size(), 4U);
  victim.Kill();
  ExpectNothingIsLeft(victim.bed_folder());
}

TEST(BedEndTest, ServersDieWithAKilledKeeperAndTheNextBedSweepsUp) {
  Victim victim(0);
  ASSERT_FALSE(victim.bed_folder().empty()) << victim.log();
  const int keeper = std::atoi(StateOf(victim.bed_folder(), "keeper").c_str());
  ASSERT_GT(keeper, 1);
  ASSERT_EQ(kill(keeper, SIGKILL), 0);
  EXPECT_TRUE(BecomesTrue([&] { return ProcessesThatName(victim.bed_folder()).empty(); }, 10s));
  const auto next = StartBed();
  EXPECT_FALSE(fs::exists(victim.bed_folder()));
}

// --- Real nodes ----------------------------------------------------------------------------------

#define SKIP_WITHOUT_NODES()                           \
  if (const auto reason = Bed::WhyNot({.nodes = 1})) { \
    GTEST_SKIP() << "left out, because " << *reason;   \
  }

constexpr std::string_view kWebDeployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: bed.local/testtool:1
        imagePullPolicy: Never
        args: [web, --ready-after=1s]
        env: [{name: GREETING, value: hello}]
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
)";

TEST(BedNodeTest, DeploymentRunsOnARealNodeAndNothingIsLeftOfIt) {
  SKIP_WITHOUT_NODES();
  auto bed = StartBed({.nodes = 1});
  ASSERT_TRUE(bed);
  ASSERT_EQ(bed->nodes().size(), 1U);
  EXPECT_EQ(bed->nodes()[0].name, "node1");
  ASSERT_TRUE(bed->RunKubectl({"apply", "-f", "-"}, kWebDeployment).ok());
  const auto rollout = bed->RunKubectl({"rollout", "status", "deployment/web", "--timeout=60s"});
  ASSERT_TRUE(rollout.ok()) << rollout.out << rollout.err
                            << bed->RunKubectl({"describe", "pods"}).out;

  const auto pod = bed->RunKubectl(
      {"get", "pods", "-o", "jsonpath={.items[0].status.podIP} {.items[0].status.phase}"});
  EXPECT_THAT(pod.out, HasSubstr("Running"));
  const std::string address = pod.out.substr(0, pod.out.find(' '));
  const auto environment = bed->Enter({"curl", "-sS", "http://" + address + ":8080/env"});
  ASSERT_TRUE(environment) << environment.error().message;
  EXPECT_THAT(environment->out, HasSubstr("GREETING=hello")) << environment->err;
  EXPECT_THAT(bed->RunKubectl({"logs", "deployment/web"}).out, HasSubstr("listening"));
  EXPECT_THAT(bed->RunKubectl({"exec", "deployment/web", "--", "/bin/id", "-u"}).out,
              HasSubstr("65532"));

  const fs::path folder = bed->folder();
  const std::string cgroup = StateOf(folder, "cgroup");
  EXPECT_THAT(CgroupsNamed(cgroup), Not(IsEmpty()));
  bed.reset();
  ExpectNothingIsLeft(folder);
  EXPECT_THAT(CgroupsNamed(cgroup), IsEmpty());
}

TEST(BedNodeTest, ImportedImageOfADynamicProgramRunsWithoutARegistry) {
  SKIP_WITHOUT_NODES();
  const auto bed = StartBed({.nodes = 1});
  ASSERT_TRUE(bed);
  const fs::path archive = bed->folder() / "dynamic.tar";
  const auto made =
      RunProcess({.argv = {std::string(TRACEKEEPER_SOURCE_FOLDER) + "/tools/images/make_image.py",
                           archive, "bed.local/dynamic:1", "--program", "/bin/date=/bin/date",
                           "--entry", R"(["/bin/date"])", "--cmd", R"(["+made of libraries"])",
                           "--env", "TZ=UTC", "--user", "65532:65532"}});
  ASSERT_TRUE(made && made->ok()) << (made ? made->err : made.error().message);
  const auto loaded = bed->LoadImage(archive);
  ASSERT_TRUE(loaded) << loaded.error().message;

  ASSERT_TRUE(bed->RunKubectl({"run", "dynamic", "--image=bed.local/dynamic:1", "--restart=Never",
                               "--image-pull-policy=Never"})
                  .ok());
  const auto ended = bed->WaitForKubectl({"get", "pod", "dynamic"}, "Completed", 30s);
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_THAT(bed->RunKubectl({"logs", "dynamic"}).out, HasSubstr("made of libraries"));
}

TEST(BedNodeTest, ProgramsInsideAndOutsideUseTheSameKubeconfig) {
  SKIP_WITHOUT_NODES();
  const auto bed = StartBed({.nodes = 1});
  ASSERT_TRUE(bed);
  EXPECT_THAT(bed->RunKubectl({"get", "nodes"}).out, HasSubstr("node1"));
  const auto inside = bed->Enter({(bed->folder() / "bin/kubectl").string(), "get", "nodes"});
  ASSERT_TRUE(inside) << inside.error().message;
  EXPECT_THAT(inside->out, HasSubstr("node1")) << inside->err;
}

TEST(BedNodeTest, EveryNodeOfThreeRunsPods) {
  SKIP_WITHOUT_NODES();
  const auto bed = StartBed({.nodes = 3});
  ASSERT_TRUE(bed);
  std::string daemon_set(kWebDeployment);
  daemon_set.replace(daemon_set.find("kind: Deployment"), 16, "kind: DaemonSet");
  daemon_set.erase(daemon_set.find("  replicas: 1\n"), 14);
  ASSERT_TRUE(bed->RunKubectl({"apply", "-f", "-"}, daemon_set).ok());
  const auto rollout = bed->RunKubectl({"rollout", "status", "daemonset/web", "--timeout=60s"});
  EXPECT_TRUE(rollout.ok()) << rollout.out << rollout.err;
  const auto where = bed->RunKubectl({"get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"});
  for (const BedNode& node : bed->nodes()) EXPECT_THAT(where.out, HasSubstr(node.name));
}

TEST(BedNodeTest, NothingIsLeftWhenTheTestIsKilled) {
  SKIP_WITHOUT_NODES();
  Victim victim(1);
  ASSERT_FALSE(victim.bed_folder().empty()) << victim.log();
  const std::string cgroup = StateOf(victim.bed_folder(), "cgroup");
  EXPECT_THAT(CgroupsNamed(cgroup), Not(IsEmpty()));
  victim.Kill();
  ExpectNothingIsLeft(victim.bed_folder());
  EXPECT_THAT(CgroupsNamed(cgroup), IsEmpty());
}

}  // namespace
}  // namespace tracekeeper::test_support
