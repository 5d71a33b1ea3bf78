#include "tests/operator/app/node_suite.h"

#include <fmt/format.h>

#include "tests/support/installation.h"

namespace tracekeeper {

std::optional<std::string> NodeSuite::why_not_;
std::optional<test_support::TemporaryFolder> NodeSuite::folder_;

void NodeSuite::SetUpTestSuite() {
  test_support::BedOptions options{.nodes = 1};
  why_not_ = test_support::Bed::WhyNot(options);
  if (why_not_) return;
  folder_.emplace("node-suite");
  const auto image = *folder_ / "sidecar.tar";
  const Status made = test_support::MakeProgramImage(
      "tracekeeper-sidecar", test_support::OperatorOptions().sidecar_image, image);
  ASSERT_TRUE(made) << made.error().message;
  options.images = {image};
  bed_ = test_support::StartBed(options);
  ASSERT_NE(bed_, nullptr);
  const Status installed =
      test_support::InstallTracekeeper(*bed_, domain::SwitchedRights::kGranted);
  ASSERT_TRUE(installed) << installed.error().message;
}

void NodeSuite::TearDownTestSuite() {
  OperatorSuite::TearDownTestSuite();
  folder_.reset();
}

void NodeSuite::SetUp() {
  if (why_not_) GTEST_SKIP() << "left out, because " << *why_not_;
}

void NodeSuite::WaitFor(const std::vector<std::string>& arguments, std::string_view text,
                        std::chrono::seconds limit) {
  const Status came = bed_->WaitForKubectl(arguments, text, limit);
  ASSERT_TRUE(came) << came.error().message << "\n"
                    << bed_->RunKubectl({"get", "pods", "-A"}).out << "\n"
                    << bed_->RunKubectl({"get", "tkp", "-A", "-o", "yaml"}).out << "\n"
                    << (operator_ ? operator_->process().ReadLog() : "no operator");
}

std::string NodeSuite::Workload(std::string_view kind, std::string_view namespace_name,
                                std::string_view name, std::string_view more_spec) {
  const bool is_job = kind == "Job";
  return fmt::format(
      "---\napiVersion: {}\nkind: {}\nmetadata: {{name: {}, namespace: {}}}\nspec:\n{}{}"
      "  template:\n    metadata: {{labels: {{app: checkout, of: {}}}}}\n"
      "    spec: {{{}terminationGracePeriodSeconds: 1, containers: [{{name: app, image: "
      "'bed.local/testtool:1', imagePullPolicy: Never, args: [web]}}]}}\n",
      is_job ? "batch/v1" : "apps/v1", kind, name, namespace_name,
      is_job ? "" : fmt::format("  selector: {{matchLabels: {{of: {}}}}}\n", name), more_spec, name,
      is_job ? "restartPolicy: Never, " : "");
}

}  // namespace tracekeeper
