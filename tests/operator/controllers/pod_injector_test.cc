#include "operator/controllers/pod_injector.h"

#include <gmock/gmock.h>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using testing::HasSubstr;
using testing::Not;

class PodInjectorTest : public ControllerWorld {
 protected:
  PodInjectorTest() {
    AddNamespace("shop");
    AddPolicy({"shop", "checkout"}, R"({"selector":{"matchLabels":{"app":"checkout"}}})");
  }

  webhook::AdmissionResponse Review(std::string_view labels, bool dry_run = false,
                                    std::string_view operation = "CREATE",
                                    std::string_view subresource = "") {
    const std::string pod = fmt::format(
        R"({{"kind":"Pod","metadata":{{"labels":{}}},
            "spec":{{"containers":[{{"name":"app","image":"app:1"}}]}}}})",
        labels);
    const codec::JsonValue object = *parser_.Parse(pod);
    return injector_.Review({.api_version = "admission.k8s.io/v1",
                             .uid = "u",
                             .operation = operation,
                             .namespace_name = "shop",
                             .resource = "pods",
                             .subresource = subresource,
                             .dry_run = dry_run,
                             .object = object});
  }

  codec::JsonParser parser_;
  InjectionMetrics injections_{metrics_};
  PodInjector injector_{catalog_, namespaces_, injections_, logger_};
};

TEST_F(PodInjectorTest, PatchesASelectedPodAndCountsIt) {
  EXPECT_THAT(Review(R"({"app":"checkout"})").patch, HasSubstr("tracekeeper-sidecar"));
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(outcome="injected",policy="checkout")"));
}

TEST_F(PodInjectorTest, LeavesOthersAloneWithoutAWarning) {
  const webhook::AdmissionResponse response = Review(R"({"app":"billing"})");
  EXPECT_TRUE(response.allowed);
  EXPECT_EQ(response.patch, "");
  EXPECT_TRUE(response.warnings.empty());
}

TEST_F(PodInjectorTest, ADryRunIsAnsweredAndNotCounted) {
  EXPECT_NE(Review(R"({"app":"checkout"})", true).patch, "");
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("tracekeeper_injections_total{")));
}

TEST_F(PodInjectorTest, LooksAtNothingButTheCreationOfPods) {
  EXPECT_EQ(Review(R"({"app":"checkout"})", false, "UPDATE").patch, "");
  EXPECT_EQ(Review(R"({"app":"checkout"})", false, "CREATE", "eviction").patch, "");
}

TEST_F(PodInjectorTest, APolicyDeletedMeanwhileInjectsNoMore) {
  server_.Remove(api::kTracingPolicies, {"shop", "checkout"});
  SyncPolicies();
  EXPECT_NE(Review(R"({"app":"checkout"})").patch, "") << "until the catalog is rebuilt";
  catalog_.Rebuild();
  EXPECT_EQ(Review(R"({"app":"checkout"})").patch, "");
}

}  // namespace
}  // namespace tracekeeper::controllers
