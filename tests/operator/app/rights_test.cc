// Each right of the operator is taken away in turn, on a real API server: the operator's log and
// `doctor` name it.

#include "operator/domain/rights.h"

#include <fmt/format.h>

#include "tests/operator/app/operator_suite.h"
#include "tests/support/folders.h"

namespace tracekeeper {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The one namespace of rbac.secretAccess.
constexpr std::string_view kShop = "shop";

class Rights : public OperatorSuite {
 protected:
  static void SetUpTestSuite() {
    OperatorSuite::SetUpTestSuite();
    Kubectl({"create", "namespace", std::string(kShop)});
    Kubectl({"apply", "-f",
             (test_support::SourceFolder() / "docs/examples/vaultconnection.yaml").string()});
    InstallRights();
  }

  static void InstallRights() {
    const Status installed = test_support::InstallTracekeeper(
        *bed_, domain::SwitchedRights::kLeftOut, {std::string(kShop)});
    ASSERT_TRUE(installed) << installed.error().message;
  }

  /// The roles without one verb of one right.
  static std::string RolesWithout(const domain::Right& taken, std::string_view verb) {
    std::string roles;
    using enum domain::RightScope;
    for (const auto scope : {kCluster, kOwnNamespace, kSecretNamespace}) {
      const bool is_cluster = scope == kCluster;
      fmt::format_to(
          std::back_inserter(roles),
          "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {}\nmetadata: {{name: "
          "tracekeeper-operator{}{}}}\nrules:\n",
          is_cluster ? "ClusterRole" : "Role", scope == kSecretNamespace ? "-secrets" : "",
          is_cluster
              ? ""
              : fmt::format(", namespace: {}",
                            scope == kOwnNamespace ? test_support::kOperatorNamespace : kShop));
      for (const domain::Right& right : domain::OperatorRights()) {
        if (right.scope != scope || !right.value.empty()) continue;
        for (const std::string_view each : domain::VerbsOf(right)) {
          // Another row may grant the same, such as for all namespaces.
          const bool is_same = right.group == taken.group && right.resource == taken.resource &&
                               (right.name == taken.name || right.name.empty());
          if (is_same && each == verb) continue;
          fmt::format_to(
              std::back_inserter(roles),
              "- {{apiGroups: ['{}'], resources: ['{}'], verbs: ['{}']{}}}\n", right.group,
              right.resource, each,
              right.name.empty() ? "" : fmt::format(", resourceNames: ['{}']", right.name));
        }
      }
    }
    return roles;
  }

  static std::string Doctor() {
    const auto result =
        test_support::RunProcess({.argv = {test_support::Program("tracekeeper").string(), "doctor",
                                           "--kubeconfig", bed_->admin_kubeconfig().string()}});
    return result ? result->out : result.error().message;
  }
};

TEST_F(Rights, EachThatIsTakenAwayIsNamedByDoctorAndByTheOperatorsLog) {
  // The log is asked for often; the operator asks about its rights every second here.
  StartOperator({.flags = {"--rights-check-period=1s", "--secret-namespaces=shop"}});
  EXPECT_THAT(operator_->process().ReadLog(), Not(HasSubstr("lacks a right")));
  for (const domain::Right& right : domain::OperatorRights()) {
    if (!right.value.empty()) continue;
    const std::string_view verb = domain::VerbsOf(right).front();
    std::string name = domain::Describe(right, verb);
    if (right.scope == domain::RightScope::kSecretNamespace) name += " in namespace shop";
    Kubectl({"apply", "-f", "-"}, RolesWithout(right, verb));
    EXPECT_TRUE(test_support::Eventually([&] { return Doctor().find(name) != std::string::npos; },
                                         std::chrono::seconds(10)))
        << "doctor does not name " << name;
    EXPECT_TRUE(test_support::Eventually(
        [&] {
          return operator_->process().ReadLog().find("right=\"" + name + "\"") != std::string::npos;
        },
        std::chrono::seconds(10)))
        << "the log does not name " << name;
  }
  InstallRights();
  EXPECT_TRUE(test_support::Eventually(
      [&] { return operator_->process().ReadLog().find("has a right again") != std::string::npos; },
      std::chrono::seconds(10)));
}

}  // namespace
}  // namespace tracekeeper
