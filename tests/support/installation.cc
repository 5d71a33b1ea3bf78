#include "tests/support/installation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tests/support/built_program.h"
#include "tests/support/folders.h"
#include "tests/support/operator_process.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;

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

Status MakeProgramImage(const std::string& program, const std::string& name,
                        const fs::path& archive) {
  TRY(Run({(SourceFolder() / "tools/images/make_image.py").string(), archive.string(), name,
           "--program", fmt::format("/{}={}", program, Program(program).string()), "--entry",
           fmt::format(R"(["/{}"])", program), "--user", "65532:65532"},
          std::chrono::seconds(60)));
  return {};
}

Result<std::vector<fs::path>> MakeProgramImages(const fs::path& folder) {
  std::vector<fs::path> archives;
  for (const std::string program : {"tracekeeper-operator", "tracekeeper-sidecar"}) {
    archives.push_back(folder / (program + ".tar"));
    TRY(MakeProgramImage(program, fmt::format("{}/{}:{}", kRegistry, program, kTag),
                         archives.back()));
  }
  return archives;
}

std::vector<std::string> ChartArguments(const std::vector<std::string>& values) {
  std::vector<std::string> arguments = {(SourceFolder() / "charts/tracekeeper").string(),
                                        fmt::format("--namespace={}", kOperatorNamespace)};
  const auto set = [&arguments](const std::string& value) {
    arguments.emplace_back("--set");
    arguments.push_back(value);
  };
  for (const std::string image : {"image", "sidecar.image"}) {
    set(fmt::format("{}.registry={}", image, kRegistry));
    set(fmt::format("{}.tag={}", image, kTag));
  }
  set("image.pullPolicy=Never");
  set("resources.limits=null");  // a build for tests is larger than what users get
  for (const std::string& value : values) set(value);
  return arguments;
}

Result<std::string> RenderChart(const std::vector<std::string>& values) {
  std::vector<std::string> argv = {TRY(BuiltProgram("helm", "helm4")).string(), "template",
                                   "tracekeeper"};
  std::ranges::copy(ChartArguments(values), std::back_inserter(argv));
  return Run(std::move(argv), std::chrono::seconds(60));
}

Result<std::string> RunHelm(Bed& bed, std::string_view version,
                            std::vector<std::string> arguments) {
  std::vector<std::string> argv = {TRY(BuiltProgram("helm", std::string(version))).string(),
                                   "--kubeconfig=" + bed.admin_kubeconfig().string()};
  std::ranges::move(arguments, std::back_inserter(argv));
  return Run(std::move(argv), std::chrono::seconds(180));
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
