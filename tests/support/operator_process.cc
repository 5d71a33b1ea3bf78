#include "tests/support/operator_process.h"

#include <fmt/format.h>

#include <thread>

#include "tests/support/folders.h"
#include "tests/support/free_port.h"

namespace tracekeeper::test_support {
namespace {

constexpr std::string_view kServiceAccount = "tracekeeper-operator";

Status Applied(const CommandResult& result, std::string_view what) {
  if (result.ok()) return {};
  return Fail(ErrorKind::kInternal, "{}: {}", what, result.err);
}

// curl, because it also runs inside a bed's namespaces.
bool Answers(Bed& bed, const std::string& url) {
  const auto result = bed.Enter({"curl", "-sf", "-o", "/dev/null", "--max-time", "2", url});
  return result && result->ok();
}

}  // namespace

Status InstallTracekeeper(Bed& bed, domain::SwitchedRights switched,
                          const std::vector<std::string>& secret_namespaces) {
  const std::filesystem::path crds = SourceFolder() / "crds";
  TRY(Applied(bed.RunKubectl({"apply", "--server-side", "-f", crds.string()}), "apply CRDs"));
  TRY(Applied(
      bed.RunKubectl({"wait", "--for=condition=Established", "--timeout=30s", "crd",
                      "tracingpolicies.tracekeeper.dev", "vaultconnections.tracekeeper.dev"}),
      "wait for CRDs"));
  const std::string account = fmt::format(
      "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n---\n{}", kOperatorNamespace,
      domain::RightsYaml(kServiceAccount, kOperatorNamespace, switched, secret_namespaces));
  return Applied(bed.RunKubectl({"apply", "-f", "-"}, account), "apply rights");
}

Result<OperatorProcess> OperatorProcess::Start(Bed& bed, const OperatorOptions& options) {
  const auto kubeconfig = TRY(bed.ServiceAccountKubeconfig(kOperatorNamespace, kServiceAccount));
  const std::uint16_t webhook = FreePort();
  const std::uint16_t metrics = FreePort();
  const std::uint16_t health = FreePort();
  Command command;
  command.argv = {
      Program("tracekeeper-operator").string(),
      "--kubeconfig=" + kubeconfig.string(),
      fmt::format("--namespace={}", kOperatorNamespace),
      "--bind-address=127.0.0.1",
      fmt::format("--webhook-port={}", webhook),
      "--webhook-url=" + (options.webhook_url.empty() ? fmt::format("https://127.0.0.1:{}", webhook)
                                                      : options.webhook_url),
      fmt::format("--metrics-port={}", metrics),
      fmt::format("--health-port={}", health),
      "--sidecar-image=" + options.sidecar_image,
      fmt::format("--leader-election={}", options.leader_election),
  };
  command.argv.insert(command.argv.end(), options.flags.begin(), options.flags.end());
  command.argv = bed.EnterCommand(std::move(command.argv));

  OperatorProcess result(
      TRY(ChildProcess::Start(command, bed.log_folder() / (options.name + ".log"))));
  result.webhook_port_ = webhook;
  result.metrics_port_ = metrics;
  result.health_port_ = health;
  const std::string readyz = fmt::format("http://127.0.0.1:{}/readyz", health);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < deadline && result.process_.IsRunning()) {
    if (Answers(bed, readyz)) return result;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Fail(ErrorKind::kTimeout, "the operator did not become ready:\n{}",
              result.process_.ReadLog());
}

}  // namespace tracekeeper::test_support
