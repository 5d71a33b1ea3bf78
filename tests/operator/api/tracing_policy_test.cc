#include "operator/api/tracing_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "src/codec/decode.h"
#include "src/codec/encode.h"
#include "src/codec/schema.h"
#include "src/codec/yaml.h"
#include "tests/operator/api/object_table.h"

namespace tracekeeper::api {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A policy with this spec, in YAML.
Result<TracingPolicy> PolicyOf(std::string_view spec) {
  codec::YamlParser yaml;
  const codec::YamlValue value = TRY(yaml.Parse(spec));
  codec::JsonParser parser;
  return DecodeTracingPolicy(TRY(parser.Parse(
      R"({"kind":"TracingPolicy","metadata":{"name":"checkout","namespace":"shop"},"spec":)" +
      value.ToJson() + "}")));
}

TEST(TracingPolicy, SmallestPolicyHasTheDefaultsOfTheDesign) {
  const auto policy = PolicyOf("selector: {}");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->metadata.key.ToString(), "shop/checkout");
  const TracingPolicySpec& spec = policy->spec;
  EXPECT_EQ(spec.injection.mode, InjectionMode::kBestEffort);
  EXPECT_EQ(spec.injection.sidecar.native, NativeSidecar::kAuto);
  EXPECT_EQ(spec.injection.rollout.strategy, RolloutStrategy::kNone);
  EXPECT_EQ(spec.injection.pod_security_defaults, PodSecurityDefaults::kNone);
  EXPECT_THAT(spec.injection.containers, IsEmpty());
  EXPECT_THAT(spec.propagation.propagators,
              ::testing::ElementsAre(Propagator::kTraceContext, Propagator::kBaggage));
  EXPECT_THAT(spec.propagation.emit, ::testing::ElementsAre(Propagator::kTraceContext));
  EXPECT_EQ(spec.propagation.heal, Heal::kOff);
  EXPECT_FALSE(spec.sampling.head);
  EXPECT_FALSE(spec.export_to);
}

TEST(TracingPolicy, ExampleOfTheReferenceReadsAsWritten) {
  const auto text = ReadRepositoryFile("docs/examples/tracingpolicy.yaml");
  ASSERT_TRUE(text);
  const auto json = codec::YamlToJson(*text);
  ASSERT_TRUE(json) << json.error().message;
  codec::JsonParser parser;
  const auto policy = DecodeTracingPolicy(parser.Parse(json->front()).value());
  ASSERT_TRUE(policy) << policy.error().message;
  const TracingPolicySpec& spec = policy->spec;
  EXPECT_TRUE(spec.selector->Matches({{"app", "checkout"}, {"tier", "web"}}));
  EXPECT_EQ(spec.injection.rollout.min_interval, std::chrono::seconds(30));
  EXPECT_EQ(spec.injection.sidecar.resources->limits.at("memory").text(), "128Mi");
  EXPECT_EQ(spec.propagation.ingress.ports.front().target_port, 8081);
  EXPECT_EQ(spec.sampling.sidecar->ratio.value(), 0.25);
  EXPECT_EQ(spec.export_to->tls->ca->config_map_ref->name, "kube-root-ca.crt");
  EXPECT_EQ(spec.export_to->auth->secret_ref->scheme, AuthScheme::kBearer);
}

TEST(TracingPolicy, ExampleWithCredentialsReadsAsWritten) {
  const auto text = ReadRepositoryFile("docs/examples/credentials.yaml");
  ASSERT_TRUE(text);
  const auto json = codec::YamlToJson(*text);
  ASSERT_TRUE(json) << json.error().message;
  codec::JsonParser parser;
  const auto policy = DecodeTracingPolicy(parser.Parse(json->front()).value());
  ASSERT_TRUE(policy) << policy.error().message;
  const TracingPolicySpec& spec = policy->spec;
  ASSERT_EQ(spec.credentials.size(), 5U);
  const Credential& backend = spec.credentials[0];
  EXPECT_EQ(backend.vault.engine, VaultEngine::kKv2);
  EXPECT_EQ(backend.rotation.generate, (Generator{GeneratorType::kPassword, "token", 40, 2048}));
  EXPECT_EQ(backend.consumers.reload, ConsumerReload::kSidecar);
  EXPECT_EQ(spec.export_to->auth->credential, backend.name);
  EXPECT_EQ(spec.export_to->auth->key, "token");
  EXPECT_EQ(spec.credentials[1].rotation, CredentialRotation());
  EXPECT_EQ(spec.credentials[2].secret.template_text.size(), 1U);
  EXPECT_EQ(spec.credentials[3].secret.public_keys, "payments-ca");
  EXPECT_EQ(spec.credentials[4].rotation.linger, std::chrono::minutes(15));
}

// docs/credentials.md shows parts of policies; each is one.
TEST(TracingPolicy, PartsInTheGuideToCredentialsAreRead) {
  const auto page = ReadRepositoryFile("docs/credentials.md");
  ASSERT_TRUE(page);
  constexpr std::string_view kBegin = "```yaml\n";
  std::size_t count = 0;
  for (std::size_t at = page->find(kBegin); at != std::string::npos; at = page->find(kBegin, at)) {
    at += kBegin.size();
    const auto policy = PolicyOf(page->substr(at, page->find("```", at) - at));
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->spec.credentials.size(), 1U);
    ++count;
  }
  EXPECT_EQ(count, 6U);
}

TEST(TracingPolicy, EveryGoodPolicyComesBackFromItsEncoding) {
  const auto table = ReadObjectTable(kTracingPolicyKind, "good_policies.yaml");
  ASSERT_TRUE(table) << table.error().message;
  for (const ObjectCase& policy : *table) {
    codec::JsonParser parser;
    const auto decoded = DecodeTracingPolicy(parser.Parse(policy.document).value());
    ASSERT_TRUE(decoded) << policy.name << ": " << decoded.error().message;
    const std::string encoded = EncodeSpec(decoded->spec);
    codec::JsonParser again_parser;
    const auto again =
        codec::Decode<TracingPolicySpec>(again_parser.Parse(encoded).value(), "spec");
    ASSERT_TRUE(again) << policy.name << ": " << again.error().message;
    EXPECT_EQ(*again, decoded->spec) << policy.name;
    EXPECT_EQ(EncodeSpec(*again), encoded) << policy.name;
  }
}

struct WrongSpec {
  std::string_view name, spec, want;
};

class DecodesNoNonsense : public ::testing::TestWithParam<WrongSpec> {};

TEST_P(DecodesNoNonsense, SaysWhereAndWhatMayStandThere) {
  const auto policy = PolicyOf(GetParam().spec);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().kind, ErrorKind::kDecode);
  EXPECT_EQ(policy.error().message, "policy shop/checkout: " + std::string(GetParam().want));
}

constexpr WrongSpec kWrongSpecs[] = {
    {"type", "priority: high", "spec.priority is a string; it must be an integer"},
    {"list", "injection: {containers: app}",
     "spec.injection.containers is a string; it must be a list"},
    {"element", "injection: {containers: [app, 1]}",
     "spec.injection.containers[1] is a number; it must be a string"},
    {"enumeration", "injection: {mode: Always}",
     "spec.injection.mode is \"Always\"; it must be one of BestEffort, Required"},
    {"required", "export: {protocol: grpc}", "spec.export.endpoint is missing"},
    {"label", "selector: {matchLabels: {example.com/a: 1}}",
     "spec.selector.matchLabels[\"example.com/a\"] is a number; it must be a string"},
    {"ratio", "sampling: {head: {ratio: \"2\"}}",
     "spec.sampling.head.ratio cannot be read: ratio \"2\" must be a decimal between \"0\" and "
     "\"1\" with at most 9 digits after the point, such as \"0.25\""},
    {"quantity", "injection: {sidecar: {resources: {limits: {cpu: fast}}}}",
     "spec.injection.sidecar.resources.limits.cpu cannot be read: quantity \"fast\" must be a "
     "number with an optional unit, such as \"100m\" or \"64Mi\""},
    {"engine",
     "credentials: [{name: db, vault: {connectionRef: {name: v}, engine: kv}, secret: {name: s}}]",
     "spec.credentials[0].vault.engine is \"kv\"; it must be one of kv-v2, database, pki, transit"},
    {"secret", "credentials: [{name: db, vault: {connectionRef: {name: v}}}]",
     "spec.credentials[0].secret is missing"},
    {"period",
     "credentials: [{name: db, vault: {connectionRef: {name: v}}, rotation: {every: 3d}, secret: "
     "{name: s}}]",
     "spec.credentials[0].rotation.every cannot be read: duration \"3d\" must be whole numbers "
     "with "
     "units, the largest first, such as \"30s\", \"1h30m\" or \"72h\""},
    {"duration", "injection: {rollout: {minInterval: 1d}}",
     "spec.injection.rollout.minInterval cannot be read: duration \"1d\" must be whole numbers "
     "with units, the largest first, such as \"30s\", \"1h30m\" or \"72h\""},
};

INSTANTIATE_TEST_SUITE_P(Specs, DecodesNoNonsense, ::testing::ValuesIn(kWrongSpecs),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(TracingPolicy, OfAnotherKindIsRefused) {
  codec::JsonParser parser;
  const auto policy = DecodeTracingPolicy(
      parser.Parse(R"({"kind":"Deployment","metadata":{"name":"a","namespace":"b"}})").value());
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().message, "b/a is a Deployment, not a TracingPolicy");
}

TEST(TracingPolicy, StatusThatCannotBeReadIsEmpty) {
  codec::JsonParser parser;
  const auto policy = DecodeTracingPolicy(
      parser
          .Parse(R"({"metadata":{"name":"a","namespace":"b"},"spec":{"selector":{}},)"
                 R"("status":{"matchedPods":"three"}})")
          .value());
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->status, TracingPolicyStatus());
}

TEST(TracingPolicy, StatusAlwaysNamesItsCounts) {
  EXPECT_EQ(EncodeStatus({}),
            R"({"observedGeneration":0,"matchedPods":0,"injectedPods":0,"outdatedPods":0})");
}

TEST(TracingPolicy, SchemaBoundsAndDescribesEverything) {
  EXPECT_THAT(FindUnbounded(codec::SchemaOf<TracingPolicySpec>(), "spec"), IsEmpty());
  EXPECT_THAT(FindUnbounded(codec::SchemaOf<TracingPolicyStatus>(), "status"), IsEmpty());
}

struct SelectorCase {
  std::string_view name, selector;
  bool want;
};

class LabelSelectorMatches : public ::testing::TestWithParam<SelectorCase> {};

TEST_P(LabelSelectorMatches, AsTheApiServerWould) {
  codec::YamlParser parser;
  const auto selector =
      codec::Decode<LabelSelector>(parser.Parse(GetParam().selector).value(), "selector");
  ASSERT_TRUE(selector) << selector.error().message;
  EXPECT_EQ(selector->Matches({{"app", "checkout"}, {"tier", ""}}), GetParam().want);
}

constexpr SelectorCase kSelectorCases[] = {
    {"empty", "{}", true},
    {"equal", "matchLabels: {app: checkout}", true},
    {"different", "matchLabels: {app: cart}", false},
    {"absent", "matchLabels: {team: a}", false},
    {"oneOfTwo", "matchLabels: {app: checkout, team: a}", false},
    {"emptyValue", "matchLabels: {tier: \"\"}", true},
    {"in", "matchExpressions: [{key: app, operator: In, values: [cart, checkout]}]", true},
    {"inOthers", "matchExpressions: [{key: app, operator: In, values: [cart]}]", false},
    {"inAbsent", "matchExpressions: [{key: team, operator: In, values: [a]}]", false},
    {"notIn", "matchExpressions: [{key: app, operator: NotIn, values: [cart]}]", true},
    {"notInItself", "matchExpressions: [{key: app, operator: NotIn, values: [checkout]}]", false},
    {"notInAbsent", "matchExpressions: [{key: team, operator: NotIn, values: [a]}]", true},
    {"exists", "matchExpressions: [{key: tier, operator: Exists}]", true},
    {"existsAbsent", "matchExpressions: [{key: team, operator: Exists}]", false},
    {"doesNotExist", "matchExpressions: [{key: team, operator: DoesNotExist}]", true},
    {"doesNotExistPresent", "matchExpressions: [{key: tier, operator: DoesNotExist}]", false},
    {"labelsAndExpressions",
     "{matchLabels: {app: checkout}, matchExpressions: [{key: team, operator: Exists}]}", false},
};

INSTANTIATE_TEST_SUITE_P(Selectors, LabelSelectorMatches, ::testing::ValuesIn(kSelectorCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Ratio, KeepsTheTextAndReadsTheValue) {
  for (const auto& [text, value] : std::initializer_list<std::pair<std::string_view, double>>{
           {"0", 0}, {"1", 1}, {"1.0", 1}, {"0.25", 0.25}, {"0.000000001", 1e-9}}) {
    const auto ratio = Ratio::FromText(text);
    ASSERT_TRUE(ratio) << text;
    EXPECT_EQ(ratio->text(), text);
    EXPECT_EQ(ratio->value(), value);
  }
  for (const std::string_view text :
       {"", "1.1", "2", "-0.1", "+0.5", ".5", "0.", "1e-3", "0.0000000001", "0,5", "25%", "nan"}) {
    EXPECT_FALSE(Ratio::FromText(text)) << text;
  }
}

TEST(Quantity, TakesTheFormsOfKubernetes) {
  for (const std::string_view text : {"0", "1", "100m", "0.5", ".5", "5.", "64Mi", "1Gi", "2Ei",
                                      "1E", "1e3", "1E-2", "1k", "5n"}) {
    EXPECT_TRUE(Quantity::FromText(text)) << text;
  }
  for (const std::string_view text :
       {"", ".", "m", "1.2.3", "-1", "+1", "1MB", "1mi", "1 Mi", "1e", "1e+", "1ee3", "Mi1"}) {
    EXPECT_FALSE(Quantity::FromText(text)) << text;
  }
}

}  // namespace
}  // namespace tracekeeper::api
