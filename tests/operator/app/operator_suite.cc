#include "tests/operator/app/operator_suite.h"

#include <fmt/format.h>

namespace tracekeeper {

using test_support::Bed;
using test_support::CommandResult;
using test_support::OperatorProcess;

std::unique_ptr<Bed> OperatorSuite::bed_;
std::unique_ptr<OperatorProcess> OperatorSuite::operator_;

void OperatorSuite::SetUpTestSuite() {
  auto bed = Bed::Start({.controllers = true});
  ASSERT_TRUE(bed) << bed.error().message;
  bed_ = std::move(*bed);
  const Status installed = test_support::InstallTracekeeper(*bed_);
  ASSERT_TRUE(installed) << installed.error().message;
  StartOperator();
}

void OperatorSuite::TearDownTestSuite() {
  operator_.reset();
  bed_.reset();
}

void OperatorSuite::StartOperator(const test_support::OperatorOptions& options) {
  operator_.reset();
  auto started = OperatorProcess::Start(*bed_, options);
  ASSERT_TRUE(started) << started.error().message;
  operator_ = std::make_unique<OperatorProcess>(std::move(*started));
}

std::string OperatorSuite::Kubectl(const std::vector<std::string>& arguments,
                                   std::string_view input) {
  const CommandResult result = bed_->RunKubectl(arguments, input);
  EXPECT_TRUE(result.ok()) << result.err << "\n"
                           << bed_->RunKubectl({"get", "tkp", "-A", "-o", "yaml"}).out << "\n"
                           << (operator_ ? operator_->process().ReadLog() : "no operator");
  return result.out;
}

void OperatorSuite::Apply(const PolicyText& policy, const std::string& namespace_labels) {
  Kubectl({"apply", "-f", "-"},
          fmt::format("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}, labels: {}}}\n---\n"
                      "apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
                      "metadata: {{name: {}, namespace: {}}}\nspec: {{{}}}\n",
                      policy.namespace_name, namespace_labels, policy.name, policy.namespace_name,
                      policy.spec));
  // No pod is admitted before the controllers made it.
  Kubectl({"wait", "-n", policy.namespace_name, "--for=create", "--timeout=60s",
           "serviceaccount/default"});
}

void OperatorSuite::ApplyReady(const PolicyText& policy, const std::string& namespace_labels) {
  Apply(policy, namespace_labels);
  Kubectl({"wait", "-n", policy.namespace_name, "--for=condition=Ready", "--timeout=20s",
           "tkp/" + policy.name});
}

CommandResult OperatorSuite::CreatePod(std::string_view namespace_name, std::string_view name,
                                       std::string_view app, std::string_view security) {
  return bed_->RunKubectl(
      {"create", "-f", "-"},
      fmt::format("apiVersion: v1\nkind: Pod\n"
                  "metadata: {{name: {}, namespace: {}, labels: {{app: {}}}}}\n"
                  "spec: {{containers: [{{name: app, image: 'example.com/app:1'{}}}]}}\n",
                  name, namespace_name, app, security));
}

std::string OperatorSuite::FirstInitContainer(std::string_view namespace_name,
                                              std::string_view name) {
  return Kubectl({"get", "pod", "-n", std::string(namespace_name), std::string(name), "-o",
                  "jsonpath={.spec.initContainers[0].name}"});
}

}  // namespace tracekeeper
