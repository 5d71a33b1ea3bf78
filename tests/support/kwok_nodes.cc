#include "tests/support/kwok_nodes.h"

#include <fmt/format.h>

#include "tests/support/built_program.h"

namespace tracekeeper::test_support {
namespace {

// The heartbeat of the newer kubelets is a Lease; the stages of kwok for it are all there is.
constexpr const char* kStages[] = {"node-initialize", "node-heartbeat-with-lease", "pod-ready",
                                   "pod-complete", "pod-delete"};

// The version of a kubelet: the operator treats a node without one as too old for native sidecars.
std::string Manifest(int count) {
  std::string manifest;
  for (int i = 1; i <= count; ++i) {
    manifest += fmt::format(
        "---\napiVersion: v1\nkind: Node\nmetadata: {{name: kwok{0}, labels: {{type: kwok}}, "
        "annotations: {{kwok.x-k8s.io/node: fake}}}}\n"
        "spec: {{taints: [{{key: kwok.x-k8s.io/node, value: fake, effect: NoSchedule}}]}}\n"
        "status: {{nodeInfo: {{kubeletVersion: v1.34.0}}}}\n",
        i);
  }
  return manifest;
}

}  // namespace

Result<KwokNodes> KwokNodes::Start(Bed& bed, int count, const std::filesystem::path& folder) {
  const std::filesystem::path program = TRY(BuiltProgram("kwok", "kwok"));
  Command command{.argv = {program.string(), "--kubeconfig=" + bed.admin_kubeconfig().string(),
                           "--manage-nodes-with-label-selector=type=kwok",
                           "--node-lease-duration-seconds=40"}};
  for (const char* stage : kStages) {
    command.argv.push_back(
        fmt::format("--config={}/stages/{}.yaml", program.parent_path().string(), stage));
  }
  KwokNodes nodes(TRY(ChildProcess::Start(command, folder / "kwok.log")));
  const CommandResult applied =
      bed.RunKubectl({"create", "--validate=ignore", "-f", "-"}, Manifest(count));
  if (!applied.ok()) return Fail(ErrorKind::kInternal, "apply kwok nodes: {}", applied.err);
  const CommandResult ready = bed.RunKubectl(
      {"wait", "node", "--selector=type=kwok", "--for=condition=Ready", "--timeout=60s"});
  if (ready.ok()) return nodes;
  return Fail(ErrorKind::kUnavailable, "kwok nodes are not Ready: {}{}", ready.err,
              nodes.kwok_.ReadLog());
}

}  // namespace tracekeeper::test_support
