// Doctor on a cluster of the fake API server that lacks nothing, and then one thing at a time.

#include "cli/doctor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "src/codec/base64.h"
#include "src/codec/yaml.h"
#include "src/crypto/certificate_maker.h"
#include "src/kube/timestamp.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/folders.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::cli {
namespace {

using ::testing::HasSubstr;

constexpr kube::Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices",
                                         "EndpointSlice"};

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() {
    server_.Serve(api::kTracingPolicies);
    server_.Serve(kEndpointSlices);
    server_.Put(kube::kCustomResourceDefinitions, Crd());
    PutLease("tracekeeper-system", "operator-1", clock_.Now());
    server_.Put(kube::kNamespaces, R"({"metadata":{"name":"shop","labels":{}}})");
    PutNode("v1.34.4");
    PutPolicy("{}");
    PutWebhook(std::chrono::hours(72));
    PutEndpoints(R"([{"addresses":["10.0.0.1"],"conditions":{"ready":true}}])");
  }

  static std::string Crd() {
    std::ifstream file(test_support::SourceFolder() / "crds/tracekeeper.dev_tracingpolicies.yaml");
    std::stringstream text;
    text << file.rdbuf() << "\nstatus: {conditions: [{type: Established, status: \"True\"}]}\n";
    const auto documents = codec::YamlToJson(text.str());
    EXPECT_TRUE(documents) << documents.error().message;
    return documents->front();
  }
  void PutLease(std::string_view namespace_name, std::string_view holder, Instant renewed) {
    server_.Put(kube::kLeases,
                fmt::format(R"({{"metadata":{{"namespace":"{}","name":"tracekeeper-operator"}},
                    "spec":{{"holderIdentity":"{}","leaseDurationSeconds":15,"renewTime":"{}"}}}})",
                            namespace_name, holder, kube::FormatMicroTimestamp(renewed)));
  }
  void PutNode(std::string_view version) {
    server_.Put(kube::kNodes, fmt::format(R"({{"metadata":{{"name":"node-1"}},
        "status":{{"nodeInfo":{{"kubeletVersion":"{}"}}}}}})",
                                          version));
  }
  void PutPolicy(std::string_view more_spec) {
    server_.Put(api::kTracingPolicies,
                fmt::format(R"({{"metadata":{{"namespace":"shop","name":"checkout","generation":1}},
                    "spec":{{"selector":{{}},"injection":{}}},"status":{{"observedGeneration":1,
                    "conditions":[{{"type":"Ready","status":"True","reason":"Covered",
                    "message":"m","lastTransitionTime":"2026-01-01T00:00:00Z"}}]}}}})",
                            more_spec));
  }
  /// With an authority that lives for so long from two days ago on.
  void PutWebhook(Duration lifetime) {
    const auto authority = crypto::MakeCertificateAuthority(
        "test", {.now = clock_.Now() - std::chrono::hours(48), .lifetime = lifetime});
    ASSERT_TRUE(authority) << authority.error().message;
    server_.Put(kube::kMutatingWebhookConfigurations,
                fmt::format(R"({{"metadata":{{"name":"tracekeeper"}},"webhooks":[{{"name":"a",
            "clientConfig":{{"caBundle":"{}","service":{{"namespace":"tracekeeper-system",
            "name":"tracekeeper-webhook"}}}},"namespaceSelector":{{"matchExpressions":[{{
            "key":"kubernetes.io/metadata.name","operator":"In","values":["shop"]}}]}}}}]}})",
                            codec::EncodeBase64(authority->chain_pem())));
  }
  void PutEndpoints(std::string_view endpoints) {
    server_.Put(kEndpointSlices,
                fmt::format(R"({{"metadata":{{"namespace":"tracekeeper-system","name":"w-1",
                    "labels":{{"kubernetes.io/service-name":"tracekeeper-webhook"}}}},
                    "endpoints":{}}})",
                            endpoints));
  }
  /// Every check that is not ok, one line each with what to do.
  std::string Complaints() {
    server_.FailNext({.method = "POST",
                      .target_contains = "/subjectaccessreviews",
                      .times = 1000,
                      .status = 201,
                      .body = R"({"kind":"SubjectAccessReview","status":{"allowed":true}})"});
    std::string text;
    for (const Check& check : Doctor({.server = "https://api"}, client_, clock_).Examine({})) {
      if (check.state == Check::State::kOk) continue;
      EXPECT_FALSE(check.advice.empty()) << check.sentence << " says nothing of what to do";
      text += fmt::format("{} {}: {} {}\n", NameOf(check.state), check.subject, check.sentence,
                          check.advice);
    }
    return text;
  }

  test_support::ManualClock clock_;
  test_support::FakeApiServer server_{clock_};
  kube::Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
};

TEST_F(DoctorTest, FindsNothingMissingWhereNothingIs) { EXPECT_EQ(Complaints(), ""); }

TEST_F(DoctorTest, SaysThatEveryAuthorityHasExpired) {
  PutWebhook(std::chrono::hours(24));
  EXPECT_THAT(Complaints(), HasSubstr("missing Webhook: every certificate of a's CA bundle has "
                                      "expired. The operator renews it"));
}

TEST_F(DoctorTest, SaysWhichNodesAreTooOld) {
  PutNode("v1.28.3");
  EXPECT_THAT(Complaints(), HasSubstr("remark Nodes: node-1 (v1.28.3) cannot run native sidecars. "
                                      "Until all nodes are at v1.29"));
}

TEST_F(DoctorTest, SaysThatTheWebhooksServiceHasNoEndpoint) {
  PutEndpoints(R"([{"addresses":["10.0.0.1"],"conditions":{"ready":false}}])");
  EXPECT_THAT(Complaints(), HasSubstr("missing Webhook's Service: tracekeeper-system/"
                                      "tracekeeper-webhook has no ready endpoint"));
}

TEST_F(DoctorTest, SaysThatASecondOperatorLeads) {
  PutLease("other", "operator-2", clock_.Now());
  EXPECT_THAT(Complaints(),
              HasSubstr("missing Other operators: a second operator leads: operator-2 "
                        "in namespace other."));
  PutLease("other", "operator-2", clock_.Now() - std::chrono::minutes(5));
  EXPECT_EQ(Complaints(), "") << "a Lease that was left behind is no operator";
}

TEST_F(DoctorTest, SaysThatNoneLeads) {
  PutLease("tracekeeper-system", "operator-1", clock_.Now() - std::chrono::minutes(5));
  EXPECT_THAT(Complaints(), HasSubstr("missing Operator: none leads now; the last one renewed at"));
}

TEST_F(DoctorTest, SaysThatTheCrdIsMissing) {
  server_.Remove(kube::kCustomResourceDefinitions, {"", "tracingpolicies.tracekeeper.dev"});
  EXPECT_THAT(Complaints(), HasSubstr("missing CRD: tracingpolicies.tracekeeper.dev is not "
                                      "installed. Install it: kubectl apply --server-side"));
}

TEST_F(DoctorTest, SaysWhichFieldsAnOlderCrdDoesNotKnow) {
  std::string crd = Crd();
  crd.replace(crd.find("\"podSecurityDefaults\":"), 22, "\"formerlyCalledThis\":  ");
  server_.Put(kube::kCustomResourceDefinitions, crd);
  EXPECT_THAT(Complaints(), HasSubstr("missing CRD: tracingpolicies.tracekeeper.dev is older than "
                                      "this program: the API server would drop "
                                      "spec.injection.podSecurityDefaults"));
}

TEST_F(DoctorTest, SaysWherePodSecurityForbidsWhatAPolicyAsksFor) {
  server_.Put(kube::kNamespaces, R"({"metadata":{"name":"shop",
      "labels":{"pod-security.kubernetes.io/enforce":"restricted"}}})");
  EXPECT_EQ(Complaints(), "") << "the sidecar passes restricted";
  server_.Put(api::kTracingPolicies, R"({"metadata":{"namespace":"shop","name":"proxy",
      "generation":1},"spec":{"selector":{},"propagation":{"egress":{"mode":"Redirect"}}},
      "status":{"conditions":[{"type":"Ready","status":"True","reason":"Covered","message":"m",
      "lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  EXPECT_THAT(Complaints(), HasSubstr("policy shop/proxy in namespace shop (restricted)"));
}

TEST_F(DoctorTest, NamesTheRightThatIsMissingAndWhatItIsFor) {
  server_.FailNext({.method = "POST",
                    .target_contains = "/subjectaccessreviews",
                    .times = 1,
                    .status = 201,
                    .body = R"({"kind":"SubjectAccessReview","status":{"allowed":false}})"});
  EXPECT_THAT(Complaints(),
              HasSubstr("may not get tracingpolicies.tracekeeper.dev (to read policies"));
}

TEST_F(DoctorTest, SaysThatTemplateNeedsAChartValue) {
  PutPolicy(R"({"rollout":{"strategy":"Template"}})");
  server_.FailNext({.method = "POST",
                    .target_contains = "/subjectaccessreviews",
                    .times = 1000,
                    .status = 201,
                    .body = R"({"kind":"SubjectAccessReview","status":{"allowed":false}})"});
  EXPECT_THAT(Complaints(), HasSubstr("Set the chart value rollout.template to true"));
}

}  // namespace
}  // namespace tracekeeper::cli
