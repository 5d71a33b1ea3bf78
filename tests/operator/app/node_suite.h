#pragma once
// NodeSuite is an OperatorSuite with a real node that knows the sidecar's image, so that pods run.
// The operator is not started: each test says when.
//
// Failure:  without root the suite's tests are left out, with the reason.

#include <optional>
#include <string>

#include "tests/operator/app/operator_suite.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper {

class NodeSuite : public OperatorSuite {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  /// Runs kubectl until its output holds `text`; the test fails when that does not happen.
  static void WaitFor(const std::vector<std::string>& arguments, std::string_view text,
                      std::chrono::seconds limit = std::chrono::seconds(60));
  /// A workload of the node's own web server, labelled app=checkout: "kind: Deployment" and so on.
  static std::string Workload(std::string_view kind, std::string_view namespace_name,
                              std::string_view name, std::string_view more_spec = "");

 private:
  static std::optional<std::string> why_not_;
  static std::optional<test_support::TemporaryFolder> folder_;
};

}  // namespace tracekeeper
