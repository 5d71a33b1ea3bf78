#include "tests/support/installation.h"

#include <fmt/format.h>

#include "tests/support/operator_process.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = TRACEKEEPER_SOURCE_FOLDER;
constexpr std::string_view kRegistry = "bed.local";
constexpr std::string_view kTag = "test";

Result<std::string> Run(std::vector<std::string> argv, std::chrono::seconds limit) {
  const std::string program = argv.front();
  const auto result = TRY(RunProcess({.argv = std::move(argv)}, {}, limit));
  if (result.ok()) return result.out;
  return Fail(ErrorKind::kInternal, "{}: {}{}", program, result.out, result.err);
}

Status Kubectl(Bed& bed, const std::vector<std::string>& arguments, std::string_view input = {}) {
  const CommandResult result = bed.RunKubectl(arguments, input);
  if (result.ok()) return {};
  return Fail(ErrorKind::kInternal, "kubectl {}: {}", arguments.front(), result.err);
}

}  // namespace

Result<std::vector<fs::path>> MakeProgramImages(const fs::path& folder) {
  std::vector<fs::path> archives;
  for (const std::string program : {"tracekeeper-operator", "tracekeeper-sidecar"}) {
    const fs::path archive = folder / (program + ".tar");
    TRY(Run({(kSource / "tools/images/make_image.py").string(), archive.string(),
             fmt::format("{}/{}:{}", kRegistry, program, kTag), "--program",
             fmt::format("/{}=" TRACEKEEPER_PROGRAM_FOLDER "/{}", program, program), "--entry",
             fmt::format(R"(["/{}"])", program), "--user", "65532:65532"},
            std::chrono::seconds(60)));
    archives.push_back(archive);
  }
  return archives;
}

Result<std::string> RenderChart(const std::vector<std::string>& values) {
  std::string helm =
      TRY(Run({(kSource / "tools/setup.sh").string(), "path", "helm"}, std::chrono::seconds(20)));
  while (helm.ends_with('\n')) helm.pop_back();
  std::vector<std::string> argv = {helm + "/helm4", "template", "tracekeeper",
                                   (kSource / "charts/tracekeeper").string(),
                                   fmt::format("--namespace={}", kOperatorNamespace)};
  const auto set = [&argv](const std::string& value) {
    argv.emplace_back("--set");
    argv.push_back(value);
  };
  for (const std::string image : {"image", "sidecar.image"}) {
    set(fmt::format("{}.registry={}", image, kRegistry));
    set(fmt::format("{}.tag={}", image, kTag));
  }
  set("image.pullPolicy=Never");
  set("resources.limits=null");  // a build for tests is larger than what users get
  for (const std::string& value : values) set(value);
  return Run(std::move(argv), std::chrono::seconds(60));
}

Status InstallChart(Bed& bed, const std::vector<std::string>& values, std::chrono::seconds limit) {
  const std::string objects = TRY(RenderChart(values));
  if (!bed.RunKubectl({"get", "namespace", std::string(kOperatorNamespace)}).ok()) {
    TRY(Kubectl(bed, {"create", "namespace", std::string(kOperatorNamespace)}));
  }
  TRY(Kubectl(bed, {"apply", "--server-side", "-f", "-"}, objects));
  return Kubectl(bed,
                 {"rollout", "status", "-n", std::string(kOperatorNamespace),
                  "deployment/tracekeeper-operator", fmt::format("--timeout={}s", limit.count())});
}

}  // namespace tracekeeper::test_support
