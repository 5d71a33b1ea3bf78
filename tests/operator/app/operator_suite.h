#pragma once
// OperatorSuite is one control plane and one operator for all tests of a suite, which use names of
// their own. The operator is the real program with the rights of its chart and no more.
//
// Threads:  one.
// Failure:  a suite that does not come up fails with the operator's log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/bed.h"
#include "tests/support/eventually.h"
#include "tests/support/operator_process.h"

namespace tracekeeper {

struct PolicyText {
  std::string name = "checkout";
  std::string namespace_name;
  std::string spec = "selector: {matchLabels: {app: checkout}}";
};

class OperatorSuite : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  /// Starts the operator (again).
  static void StartOperator(const test_support::OperatorOptions& options = {});

  /// kubectl as admin; the test fails with the cluster's view when it does.
  static std::string Kubectl(const std::vector<std::string>& arguments,
                             std::string_view input = {});
  /// Makes the namespace and applies the policy there.
  static void Apply(const PolicyText& policy, const std::string& namespace_labels = "{}");
  /// The same, and waits until it is Ready.
  static void ApplyReady(const PolicyText& policy, const std::string& namespace_labels = "{}");
  /// Creates a pod labelled app=`app`; the result says whether the API server took it.
  static test_support::CommandResult CreatePod(std::string_view namespace_name,
                                               std::string_view name, std::string_view app,
                                               std::string_view security = "");
  /// Name of the pod's first init container; empty without one.
  static std::string FirstInitContainer(std::string_view namespace_name, std::string_view name);

  static std::unique_ptr<test_support::Bed> bed_;
  static std::unique_ptr<test_support::OperatorProcess> operator_;
};

}  // namespace tracekeeper
