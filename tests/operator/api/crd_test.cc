// The CRDs on a real API server: what they refuse and with which words, what they take and what our
// decoder then makes of it, and what kubectl shows.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>

#include "operator/api/tracing_policy.h"
#include "operator/api/vault_connection.h"
#include "src/codec/json_value.h"
#include "tests/operator/api/object_table.h"
#include "tests/support/bed.h"
#include "tests/support/folders.h"

namespace tracekeeper::api {
namespace {

using test_support::Bed;
using test_support::CommandResult;
using ::testing::HasSubstr;

// Said once more by the API server when the schema itself did not fit.
constexpr std::string_view kNotAllRulesChecked =
    "<nil>: Invalid value: null: some validation rules were not checked because the object was "
    "invalid; correct the existing errors to complete validation";

class Crds : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = Bed::WhyNot({})) GTEST_SKIP() << *reason;
    auto bed = Bed::Start();
    ASSERT_TRUE(bed) << bed.error().message;
    bed_ = *std::move(bed);
    const CommandResult applied =
        bed_->RunKubectl({"apply", "-f", (test_support::SourceFolder() / "crds").string()});
    ASSERT_TRUE(applied.ok()) << applied.err;
    EXPECT_EQ(applied.err, "") << "the API server warns of something in the CRD";
    for (const kube::Resource& resource : {kTracingPolicies, kVaultConnections}) {
      const Status established =
          bed_->WaitForKubectl({"get", "crd", fmt::format("{}.{}", resource.plural, resource.group),
                                "-o", "jsonpath={.status.conditions}"},
                               R"("type":"Established")", std::chrono::seconds(30));
      ASSERT_TRUE(established) << established.error().message;
    }
    ASSERT_TRUE(bed_->RunKubectl({"create", "namespace", "shop"}).ok());
    const Status served =
        bed_->WaitForKubectl({"get", "tkp,tkvc", "-n", "shop"}, "", std::chrono::seconds(30));
    ASSERT_TRUE(served) << served.error().message;
  }

  CommandResult DryRun(const std::string& documents) {
    return bed_->RunKubectl({"apply", "--dry-run=server", "-o", "json", "-f", "-"}, documents);
  }

  /// Every row is refused with its own sentence, and none is taken.
  void ExpectRefused(const kube::Resource& resource, std::string_view file_name);
  /// Every row is taken. `encoded` gives the spec of an object as we understand it: what the API
  /// server stores, with its defaults, means the same as what was written.
  void ExpectTaken(const kube::Resource& resource, std::string_view file_name,
                   std::string (*encoded)(codec::JsonValue object));

  std::unique_ptr<Bed> bed_;
};

// All rows in one call: kubectl goes on after a document that was refused, and answers in order.
std::string StreamOf(const std::vector<ObjectCase>& table) {
  std::string stream;
  for (const ObjectCase& object : table)
    stream.append("---\n").append(object.document).append("\n");
  return stream;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What kubectl prints of one document among several: on one line, several reasons in brackets. The
// API server gives them in any order, so each order is an answer.
std::vector<std::string> AnswersOf(const kube::Resource& resource, const ObjectCase& object) {
  if (object.want.front().starts_with("Error from server")) return object.want;
  const std::string begin = fmt::format(
      "Error from server (Invalid): error when creating \"STDIN\": {}.{} \"{}\" is invalid: ",
      resource.kind, resource.group, object.object_name);
  std::vector<std::string> reasons = object.want;
  std::ranges::sort(reasons);
  std::vector<std::string> answers;
  do {
    const std::string joined = fmt::format("{}", fmt::join(reasons, ", "));
    answers.push_back(begin + (reasons.size() > 1 ? "[" + joined + "]" : joined));
    answers.push_back(begin + fmt::format("[{}, {}]", joined, kNotAllRulesChecked));
  } while (std::ranges::next_permutation(reasons).found);
  return answers;
}

void Crds::ExpectRefused(const kube::Resource& resource, std::string_view file_name) {
  const auto table = ReadObjectTable(resource.kind, file_name);
  ASSERT_TRUE(table) << table.error().message;
  const CommandResult result = DryRun(StreamOf(*table));
  EXPECT_EQ(result.out, "") << "taken";
  const std::vector<std::string> lines = LinesOf(result.err);
  ASSERT_EQ(lines.size(), table->size()) << result.err;
  std::set<std::string> names;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const ObjectCase& object = (*table)[i];
    EXPECT_TRUE(names.insert(object.name).second) << object.name << " stands twice in the table";
    ASSERT_FALSE(object.want.empty()) << object.name << " has no `want`";
    EXPECT_THAT(AnswersOf(resource, object), ::testing::Contains(lines[i])) << object.name;
  }
}

void Crds::ExpectTaken(const kube::Resource& resource, std::string_view file_name,
                       std::string (*encoded)(codec::JsonValue object)) {
  const auto table = ReadObjectTable(resource.kind, file_name);
  ASSERT_TRUE(table) << table.error().message;
  const CommandResult result = DryRun(StreamOf(*table));
  ASSERT_TRUE(result.ok()) << result.err;
  EXPECT_EQ(result.err, "");
  codec::JsonParser parser;
  std::map<std::string, std::string> stored;
  for (const codec::JsonValue item : parser.Parse(result.out).value()["items"].Elements()) {
    EXPECT_EQ(item["status"]["observedGeneration"].IntegerOr(0), -1);
    stored.emplace(item["metadata"]["name"].StringOr(""), encoded(item));
  }
  codec::JsonParser written_parser;
  for (const ObjectCase& object : *table) {
    ASSERT_TRUE(stored.contains(object.object_name)) << object.name;
    EXPECT_EQ(stored[object.object_name], encoded(written_parser.Parse(object.document).value()))
        << object.name;
  }
}

TEST_F(Crds, RefuseEachBadPolicyWithASentence) {
  ExpectRefused(kTracingPolicies, "bad_policies.yaml");
}

TEST_F(Crds, RefuseEachBadConnectionWithASentence) {
  ExpectRefused(kVaultConnections, "bad_connections.yaml");
}

TEST_F(Crds, TakeEachGoodPolicyAndItsDefaultsAreOurs) {
  ExpectTaken(kTracingPolicies, "good_policies.yaml", [](codec::JsonValue object) {
    const auto policy = DecodeTracingPolicy(object);
    return policy ? EncodeSpec(policy->spec) : policy.error().message;
  });
}

TEST_F(Crds, TakeEachGoodConnectionAndItsDefaultsAreOurs) {
  ExpectTaken(kVaultConnections, "good_connections.yaml", [](codec::JsonValue object) {
    const auto connection = DecodeVaultConnection(object);
    return connection ? EncodeSpec(connection->spec) : connection.error().message;
  });
}

TEST_F(Crds, ShowThemselvesInKubectl) {
  const std::string example = test_support::SourceFolder() / "docs/examples";
  const CommandResult applied = bed_->RunKubectl({"apply", "-f", example});
  ASSERT_TRUE(applied.ok()) << applied.err;

  const CommandResult list = bed_->RunKubectl({"get", "tkp", "-n", "shop"});
  EXPECT_THAT(list.out, ::testing::ContainsRegex("NAME +READY +PODS +INJECTED +AGE"));
  const CommandResult category =
      bed_->RunKubectl({"get", "tracekeeper", "-n", "shop", "-o", "name"});
  EXPECT_THAT(category.out, HasSubstr("tracingpolicy.tracekeeper.dev/checkout"));
  EXPECT_THAT(category.out, HasSubstr("vaultconnection.tracekeeper.dev/vault"));
  const CommandResult connections = bed_->RunKubectl({"get", "tkvc", "-n", "shop"});
  EXPECT_THAT(connections.out, ::testing::ContainsRegex("NAME +READY +REASON +AGE"));
  const CommandResult selected = bed_->RunKubectl(
      {"get", "tkp", "-A", "-o", "name", "--field-selector", "spec.injection.mode=Required"});
  EXPECT_TRUE(selected.ok()) << selected.err;
  EXPECT_EQ(selected.out, "");

  const CommandResult mode = bed_->RunKubectl({"explain", "tkp.spec.injection.mode"});
  EXPECT_THAT(mode.out, HasSubstr("FIELD: mode <string>\nENUM:\n    BestEffort\n    Required\n"));
  EXPECT_THAT(mode.out, HasSubstr("Required: a pod is refused when the operator cannot answer."));
  const CommandResult endpoint = bed_->RunKubectl({"explain", "tkp.spec.export.endpoint"});
  EXPECT_THAT(endpoint.out, HasSubstr("https:// for TLS, http:// for plain text"));
  const CommandResult ports = bed_->RunKubectl({"explain", "tkp.spec.propagation.ingress.ports"});
  EXPECT_THAT(ports.out, HasSubstr("targetPort\t<integer>"));
  EXPECT_THAT(ports.out, HasSubstr("port\t<integer> -required-"));
  const CommandResult status = bed_->RunKubectl({"explain", "tkp.status.outdatedPods"});
  EXPECT_THAT(status.out, HasSubstr("pods that run without, or with an older"));
}

// The operator writes conditions and counts by server-side apply as one of several managers.
TEST_F(Crds, TakeTheStatusThatWeEncode) {
  const std::string example = test_support::SourceFolder() / "docs/examples";
  ASSERT_TRUE(bed_->RunKubectl({"apply", "-f", example}).ok());
  TracingPolicyStatus status;
  status.observed_generation = 1;
  status.conditions = {{.type = "Ready",
                        .status = kube::ConditionStatus::kTrue,
                        .reason = "Covered",
                        .message = "New pods are injected.",
                        .observed_generation = 1,
                        .last_transition_time = Instant(std::chrono::seconds(1'700'000'000))}};
  status.matched_pods = 3;
  status.injected_pods = 2;
  status.outdated_pods = 1;
  status.reasons = {{"host-network", 1}};
  const std::string object =
      R"({"apiVersion":"tracekeeper.dev/v1alpha1","kind":"TracingPolicy","metadata":)"
      R"({"name":"checkout","namespace":"shop"},"status":)" +
      EncodeStatus(status) + "}";
  const CommandResult applied =
      bed_->RunKubectl({"apply", "--server-side", "--subresource=status",
                        "--field-manager=tracekeeper-operator", "-f", "-"},
                       object);
  ASSERT_TRUE(applied.ok()) << applied.err;
  EXPECT_EQ(applied.err, "");

  const CommandResult stored =
      bed_->RunKubectl({"get", "tkp", "checkout", "-n", "shop", "-o", "json"});
  codec::JsonParser parser;
  const auto policy = DecodeTracingPolicy(parser.Parse(stored.out).value());
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->status, status);
  const CommandResult ready = bed_->RunKubectl(
      {"wait", "tkp/checkout", "-n", "shop", "--for=condition=Ready", "--timeout=10s"});
  EXPECT_TRUE(ready.ok()) << ready.err;
  const CommandResult list = bed_->RunKubectl({"get", "tkp", "-n", "shop", "--no-headers"});
  EXPECT_THAT(list.out, ::testing::ContainsRegex("checkout +True +3 +2 +[0-9]+s"));
}

}  // namespace
}  // namespace tracekeeper::api
