#pragma once
// Bed is a real Kubernetes for one test: etcd and kube-apiserver (TLS, RBAC, admission, Pod
// Security, service account tokens), and where asked for kube-controller-manager, kube-scheduler
// and one to three real nodes (kubelet, containerd, kube-proxy). The servers and their flags are
// those of tools/bed, which `make demo` uses too; this class starts it and talks to it.
//
//   auto bed = Bed::Start({.nodes = 1, .images = {"build/images/sidecar.tar"}});
//   ASSERT_TRUE(bed) << bed.error().message;
//   (*bed)->RunKubectl({"apply", "-f", "-"}, manifest);
//
// Without nodes everything listens on free ports of 127.0.0.1 and no privilege is needed. With
// nodes all of it, API server included, lives in namespaces of its own (root needed):
// server_url() then is a forward from 127.0.0.1, and a program that the API server must call back,
// or that must reach pods, is run inside with Enter() or EnterCommand(). The API server has the
// same address inside and outside, so a kubeconfig works in both.
//
// Threads:  one thread at a time.
// Owner:    the test. The destructor ends every process, mount, interface and cgroup and removes
//           the folder. A keeper process does the same when the test crashes or is killed, so
//           nothing outlives the test. Several beds can live at once.
// Failure:  Errors name the part that did not come up and end with the tail of its log. When the
//           current test has failed, the destructor prints the tail of every log first.
//           TRACEKEEPER_KEEP_LOGS=FOLDER keeps all logs there.
// Cost:     2 to 6 s, with or without nodes, on two cores that have nothing else to do; about
//           350 MiB, 500 MiB with a node, 100 MiB for each further one. Gone in 1 s.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {

struct BedOptions {
  /// kube-controller-manager and kube-scheduler: Deployments become pods, namespaces end,
  /// aggregated roles such as `view` have rules. Nodes bring them along.
  bool controllers = false;
  /// Real nodes, 0 to 3: node1, node2, node3.
  int nodes = 0;
  /// docker-archive files (tools/images/make_image.py) that every node knows from its start.
  /// `bed.local/testtool:1`, a small web server, is always there. Pods need
  /// `imagePullPolicy: Never`: there is no registry.
  std::vector<std::filesystem::path> images = {};
  /// Added to kube-apiserver's command line: "--v=4".
  std::vector<std::string> api_server_flags = {};
};

enum class BedPart {
  kEtcd,
  kApiServer,
  kControllerManager,
  kScheduler,
  // node1's
  kContainerd,
  kKubelet,
  kKubeProxy,
};

struct BedNode {
  std::string name;     // node1
  std::string address;  // reachable inside the bed only
};

class Bed {
 public:
  /// Why a bed with these options cannot start on this machine as this user, in a sentence for
  /// GTEST_SKIP, or nothing. A server that is not built yet is no reason: Start() says what to do.
  static std::optional<std::string> WhyNot(const BedOptions& options);

  /// Returns when every part is ready: the API server answers, namespace `default` is there, with
  /// controllers its default service account too (without one no pod can be created), and each node
  /// is Ready.
  static Result<std::unique_ptr<Bed>> Start(const BedOptions& options = {});

  ~Bed();
  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;

  // --- Ways in ---------------------------------------------------------------------------------

  /// https://127.0.0.1:PORT
  [[nodiscard]] const std::string& server_url() const { return server_url_; }
  [[nodiscard]] std::filesystem::path ca_file() const;
  /// Group system:masters, by client certificate.
  [[nodiscard]] std::filesystem::path admin_kubeconfig() const;
  /// User "tester" without any right, by bearer token.
  [[nodiscard]] std::filesystem::path unprivileged_kubeconfig() const;
  /// A kubeconfig of service account `name`, for programs that must run with just the rights their
  /// chart gives them. Its token (TokenRequest, `lifetime` at least 10 min) is in a tokenFile
  /// beside it. Makes the account if it is not there yet; the namespace must exist.
  Result<std::filesystem::path> ServiceAccountKubeconfig(
      std::string_view name_space, std::string_view name,
      std::chrono::seconds lifetime = std::chrono::hours(1));

  /// kubectl as admin: RunKubectl({"get", "pods", "-A"}). Adds an Error-like result (exit code 127,
  /// reason in `err`) when kubectl itself cannot be run, so tests need one check only.
  CommandResult RunKubectl(const std::vector<std::string>& arguments, std::string_view input = {});
  /// The same with another kubeconfig.
  CommandResult RunKubectlAs(const std::filesystem::path& kubeconfig,
                             const std::vector<std::string>& arguments,
                             std::string_view input = {});
  /// Runs `arguments` again and again until it ends with exit code 0 and its output holds `text`.
  Status WaitForKubectl(const std::vector<std::string>& arguments, std::string_view text,
                        std::chrono::seconds limit);

  // --- Faults ----------------------------------------------------------------------------------

  /// SIGKILL: connections break, nothing is flushed. The part stays down until StartPart().
  Status Kill(BedPart part);
  /// Starts a killed part and waits until the API server answers (unless that is still down).
  Status StartPart(BedPart part);
  /// Kill() and StartPart(): same port, same data.
  Status Restart(BedPart part);
  /// SIGSTOP and SIGCONT: connections stay open and go silent.
  Status Pause(BedPart part);
  Status Resume(BedPart part);

  /// A further node (node2, node3) loses power: every process on it is gone at once. node1 carries
  /// the control plane and has no switch.
  Status PowerOff(std::string_view node);
  /// The node boots: returns when it is Ready again.
  Status PowerOn(std::string_view node);
  /// The cable of a further node: what runs there runs on, reaches nobody and is reached by nobody.
  Status Unplug(std::string_view node);
  Status Plug(std::string_view node);

  /// Compacts etcd at its newest revision, which is returned. kube-apiserver goes on serving what
  /// it has in memory; after Restart(kApiServer) continue tokens of before and watches from old
  /// resource versions get 410.
  Result<std::int64_t> Compact();

  // --- Nodes -----------------------------------------------------------------------------------

  [[nodiscard]] const std::vector<BedNode>& nodes() const { return nodes_; }
  /// Imports a docker-archive into every node.
  Status LoadImage(const std::filesystem::path& archive);
  /// `argv` as a command that runs in the network of the control plane, node1 and its pods, with
  /// KUBECONFIG of admin. Files, users and processes are the test's own: signals and the exit code
  /// of the command are the program's. Without nodes the network is the test's too.
  [[nodiscard]] std::vector<std::string> EnterCommand(std::vector<std::string> argv) const;
  /// Runs a program inside to its end.
  Result<CommandResult> Enter(const std::vector<std::string>& argv, std::string_view input = {},
                              std::chrono::seconds limit = std::chrono::seconds(60));

  // --- When something fails --------------------------------------------------------------------

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// One file a part: etcd, kube-apiserver, kubelet, ...; node2-kubelet, ...
  [[nodiscard]] std::filesystem::path log_folder() const { return folder_ / "log"; }
  /// The last lines of every log, for a failure message.
  [[nodiscard]] std::string LogTails(std::size_t lines_each = 15) const;

 private:
  class Keeper;
  Bed(std::filesystem::path folder, std::unique_ptr<Keeper> keeper);

  Result<std::string> Control(std::vector<std::string> arguments,
                              std::chrono::seconds limit = std::chrono::seconds(90));

  std::filesystem::path folder_;
  std::unique_ptr<Keeper> keeper_;
  std::filesystem::path kube_;
  std::string server_url_;
  std::vector<BedNode> nodes_;
  std::int64_t namespace_process_ = 0;  // whose namespaces the bed has; 0 without nodes
};

/// Bed::Start() for a test: when it fails, so does the current test, and there is no bed.
std::unique_ptr<Bed> StartBed(const BedOptions& options = {});

}  // namespace tracekeeper::test_support
