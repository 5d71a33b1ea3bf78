#include "operator/domain/compile_policy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "operator/api/tracing_policy.h"
#include "operator/domain/names.h"
#include "src/config/sidecar_config.h"
#include "src/crypto/digest.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kFullSpec = R"({
  "propagation":{"propagators":["tracecontext","baggage","b3"],"emit":["tracecontext","b3"],
    "egress":{"mode":"ForwardProxy"},"ingress":{"mode":"ReverseProxy","ports":[{"port":8080,"targetPort":8081}]},
    "heal":"Unambiguous"},
  "sampling":{"head":{"ratio":"0.25"},"sidecar":{"ratio":"0.5"}},
  "injection":{"sidecar":{"logLevel":"debug"}},
  "export":{"endpoint":"https://collector.test:4317","protocol":"grpc","compression":"zstd",
    "headers":{"x-scope-orgid":"shop"},
    "tls":{"ca":{"pem":"-----BEGIN CERTIFICATE-----\n"},"serverName":"otel"},
    "auth":{"secretRef":{"name":"otlp","key":"token","scheme":"Header","header":"x-api-key"}}}})";

TEST(CompilePolicy, WritesWhatTheSidecarReads) {
  const PolicyCompilation compilation = CompileSpec(kFullSpec);
  const auto decoded = config::DecodeSidecarConfig(compilation.config_map.text);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->digest, compilation.config_map.digest);
  EXPECT_EQ(decoded->digest,
            "sha256:" + crypto::Sha256Hex(config::BodyOf(compilation.config_map.text)));
  EXPECT_TRUE(decoded->unknown_fields.empty());
  const config::SidecarConfig& config = decoded->config;
  EXPECT_EQ(config.policy, (config::PolicyName{"shop", "checkout"}));
  EXPECT_EQ(config.generation, 7);
  EXPECT_EQ(config.log_level, config::Verbosity::kDebug);
  EXPECT_EQ(config.propagation.accept.size(), 3U);
  EXPECT_EQ(config.propagation.ingress.ports.front().target_port, 8081);
  EXPECT_EQ(config.sampling.head, "0.25");
  ASSERT_TRUE(config.export_to);
  EXPECT_EQ(config.export_to->compression, config::Compression::kZstd);
  EXPECT_EQ(config.export_to->tls.ca_file, "/etc/tracekeeper/config/ca.pem");
  EXPECT_EQ(config.export_to->auth->header, "x-api-key");
  EXPECT_EQ(config.export_to->auth->file, "/etc/tracekeeper/credential/value");
  EXPECT_EQ(compilation.config_map.ca_certificate, "-----BEGIN CERTIFICATE-----\n");
}

TEST(CompilePolicy, ReadsFilesOnlyWhereAVolumeIsMounted) {
  const PolicyCompilation compilation = CompileSpec(kFullSpec);
  const std::string& tail = compilation.policy->injection.sidecar_native_tail_json;
  EXPECT_THAT(tail, testing::HasSubstr(R"("mountPath":"/etc/tracekeeper/config")"));
  EXPECT_THAT(tail, testing::HasSubstr(R"("mountPath":"/etc/tracekeeper/credential")"));
}

std::string SpecWithCredential(std::string_view rotation, std::string_view named = "backend") {
  return fmt::format(
      R"({{"credentials":[{{"name":"backend","vault":{{"connectionRef":{{"name":"vault"}},)"
      R"("path":"otlp"}},"rotation":{},"secret":{{"name":"otlp-token"}}}}],)"
      R"("export":{{"endpoint":"https://collector.test:4317","auth":{{"credential":"{}",)"
      R"("key":"key","scheme":"Header","header":"x-api-key"}}}}}})",
      rotation, named);
}

TEST(CompilePolicy, MountsTheCredentialThatItSendsWithItsNumber) {
  const PolicyCompilation compilation = CompileSpec(SpecWithCredential("{}"));
  const auto decoded = config::DecodeSidecarConfig(compilation.config_map.text);
  ASSERT_TRUE(decoded) << decoded.error().message;
  const config::ExportAuth& auth = *decoded->config.export_to->auth;
  EXPECT_EQ(auth.file, "/etc/tracekeeper/credential/value");
  EXPECT_EQ(auth.scheme, config::AuthScheme::kHeader);
  EXPECT_EQ(auth.header, "x-api-key");
  EXPECT_THAT(
      compilation.policy->injection.volumes_json,
      testing::Contains(R"({"name":"tracekeeper-credential","secret":{"secretName":"otlp-token",)"
                        R"("optional":true,"items":[{"key":"key","path":"value"},)"
                        R"({"key":"tracekeeper.version","path":"version"}]}})"));
}

// Otherwise an edit of a period would renew pods.
TEST(CompilePolicy, RotationOfACredentialIsNoMatterOfPods) {
  const PolicyCompilation a = CompileSpec(SpecWithCredential(R"({"every":"72h"})"));
  const PolicyCompilation b = CompileSpec(SpecWithCredential(R"({"every":"1h","overlap":"5s"})"));
  EXPECT_EQ(a.policy->digest, b.policy->digest);
  EXPECT_EQ(a.config_map, b.config_map);
}

TEST(CompilePolicy, RefusesACredentialThatIsNotThere) {
  const kube::Document document = Json(R"({"metadata":{"namespace":"shop","name":"p"},"spec":)" +
                                       SpecWithCredential("{}", "other") + "}");
  const auto policy = api::DecodeTracingPolicy(document.root());
  ASSERT_TRUE(policy) << policy.error().message;
  const auto compilation = CompilePolicy(*policy, TestOptions());
  ASSERT_FALSE(compilation);
  EXPECT_EQ(compilation.error().message,
            "policy shop/p: export.auth.credential names \"other\", and credentials has none of "
            "that name");
}

TEST(CompilePolicy, SaysThatTheProxyIsNotActiveYet) {
  EXPECT_THAT(CompileSpec(kFullSpec).findings,
              testing::Contains(Finding{Reason::kProxyNotActive, ""}));
}

TEST(CompilePolicy, IsTheSameForTheSamePolicy) {
  const PolicyCompilation a = CompileSpec(kFullSpec);
  const PolicyCompilation b = CompileSpec(kFullSpec);
  EXPECT_EQ(a.policy->digest, b.policy->digest);
  EXPECT_EQ(a.config_map, b.config_map);
}

TEST(CompilePolicy, NeedsAnImage) {
  const kube::Document document = Json(R"({"metadata":{"namespace":"shop","name":"p"},"spec":{}})");
  const auto policy = api::DecodeTracingPolicy(document.root());
  ASSERT_TRUE(policy) << policy.error().message;
  CompileOptions options = TestOptions();
  options.sidecar_image.clear();
  const auto compilation = CompilePolicy(*policy, options);
  ASSERT_FALSE(compilation);
  EXPECT_THAT(compilation.error().message, testing::HasSubstr("--sidecar-image"));
}

TEST(CompilePolicy, APolicysResourcesReplaceTheDefaultsAsAWhole) {
  const PolicyPointer policy =
      PolicyWith(R"({"injection":{"sidecar":{"resources":{"requests":{"memory":"256Mi"}}}}})");
  EXPECT_EQ(policy->injection.sidecar_resources.memory_request, "256Mi");
  EXPECT_EQ(policy->injection.sidecar_resources.memory_limit, "");
}

TEST(ConfigMapName, IsAValidNameAndDifferentForEachPolicy) {
  std::set<std::string> names;
  const std::string longest(253, 'a');
  const std::string dotted = std::string(231, 'a') + "." + std::string(21, 'b');
  for (const kube::ObjectKey& key :
       {kube::ObjectKey{"shop", "p"}, kube::ObjectKey{"tracekeeper-system", "p"},
        kube::ObjectKey{"shop", longest}, kube::ObjectKey{"other", longest},
        kube::ObjectKey{"shop", dotted}}) {
    const std::string name = ConfigMapNameFor(key);
    EXPECT_LE(name.size(), 253U);
    EXPECT_THAT(name, testing::MatchesRegex("[a-z0-9]([-a-z0-9.]*[a-z0-9])?"));
    EXPECT_THAT(name, testing::Not(testing::HasSubstr(".-")));
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(ConfigMap, IsLabelledWithItsPolicy) {
  const PolicyCompilation compilation = CompileSpec("{}", "tracekeeper-system/fleet");
  const kube::Document map =
      Json(ConfigMapJson(compilation.config_map, *compilation.policy, "shop"));
  EXPECT_EQ(map["metadata"]["namespace"].StringOr(""), "shop");
  EXPECT_EQ(map["metadata"]["name"].StringOr(""), compilation.policy->config_map_name);
  EXPECT_EQ(map["metadata"]["labels"][kPolicyUidLabel].StringOr(""), "0b3c");
  EXPECT_TRUE(map["data"]["config.yaml"].is_string());
  EXPECT_FALSE(map["data"]["ca.pem"]);
}

}  // namespace
}  // namespace tracekeeper::domain
