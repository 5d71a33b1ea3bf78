#include "src/config/sidecar_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace tracekeeper::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SidecarConfig Small() {
  SidecarConfig config;
  config.policy = {"shop", "checkout"};
  config.generation = 3;
  return config;
}

SidecarConfig Full() {
  SidecarConfig config = Small();
  config.log_level = Verbosity::kDebug;
  config.propagation.accept = {Propagator::kB3Multi, Propagator::kTracecontext, Propagator::kXray};
  config.propagation.emit = {Propagator::kXray};
  config.propagation.egress = {EgressMode::kForwardProxy, {80, 8080}};
  config.propagation.ingress = {IngressMode::kReverseProxy, {{8080, 3000}, {8081, 3001}}};
  config.propagation.heal = Heal::kUnambiguous;
  config.sampling = {"0.25", "1"};
  config.export_to = Export{.endpoint = "https://collector.example:4318",
                            .protocol = ExportProtocol::kHttpProtobuf,
                            .compression = Compression::kZstd,
                            .tls = {.ca_file = "/etc/ca.pem", .server_name = "collector"},
                            .headers = {{"x-tenant", "shop: \"a\" # ü"}, {"No", "yes"}},
                            .auth = ExportAuth{.file = "/etc/tracekeeper/credential/token"}};
  config.ports = {14317, 14318, 25801, 25806};
  return config;
}

const char kDigest[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(SidecarConfig, IsWrittenAsYamlThatPeopleCanRead) {
  EXPECT_EQ(EncodeSidecarConfig(Small()), R"(version: 1
policy:
  namespace: "shop"
  name: "checkout"
generation: 3
logLevel: "info"
propagation:
  accept:
    - "tracecontext"
    - "baggage"
  emit:
    - "tracecontext"
  egress:
    mode: "None"
  ingress:
    mode: "None"
  heal: "Off"
ports:
  otlpGrpc: 4317
  otlpHttp: 4318
  egress: 15801
  ingress: 15806
)");
}

TEST(SidecarConfig, ComesBackAsItWasWritten) {
  for (const SidecarConfig& config : {Small(), Full()}) {
    const std::string body = EncodeSidecarConfig(config);
    const auto read = DecodeSidecarConfig(body);
    ASSERT_TRUE(read) << read.error().message << "\n" << body;
    EXPECT_EQ(read->config, config) << body;
    EXPECT_EQ(EncodeSidecarConfig(read->config), body);
    EXPECT_THAT(read->unknown_fields, IsEmpty());
    EXPECT_EQ(read->digest, "");
  }
}

TEST(SidecarConfig, EqualConfigurationsGiveEqualBytesAndOthersDoNot) {
  EXPECT_EQ(EncodeSidecarConfig(Full()), EncodeSidecarConfig(Full()));
  SidecarConfig other = Full();
  other.export_to->headers["x-tenant"] += ".";
  EXPECT_NE(EncodeSidecarConfig(Full()), EncodeSidecarConfig(other));
}

TEST(SidecarConfig, CarriesItsDigestInTheFirstLine) {
  const std::string body = EncodeSidecarConfig(Full());
  const std::string text = WithDigest(kDigest, body);
  EXPECT_EQ(BodyOf(text), body);
  EXPECT_EQ(BodyOf(body), body);
  const auto read = DecodeSidecarConfig(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->digest, kDigest);
  EXPECT_EQ(read->config, Full());
}

TEST(SidecarConfig, LeavesOutFieldsThatItDoesNotKnowAndNamesThem) {
  const auto read = DecodeSidecarConfig(EncodeSidecarConfig(Small()) +
                                        "tail: {keep: 1}\n"
                                        "sampling: {headRatio: \"0.5\", tailRatio: \"0.1\"}\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->unknown_fields, ElementsAre("tail", "sampling.tailRatio"));
  EXPECT_EQ(read->config.sampling.head, "0.5");
}

TEST(SidecarConfig, RefusesTheDocumentOfANewerVersionBeforeItReadsOn) {
  const auto read = DecodeSidecarConfig("version: 2\npolicy: now it is a string\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kTerminal);
  EXPECT_THAT(read.error().message, HasSubstr("version is 2"));
  EXPECT_THAT(read.error().message, HasSubstr("sidecar image"));
}

struct ShapeCase {
  const char* name;
  std::string text;
  const char* sentence;
};

class SidecarConfigShape : public ::testing::TestWithParam<ShapeCase> {};

TEST_P(SidecarConfigShape, IsRefusedWithASentence) {
  const auto read = DecodeSidecarConfig(GetParam().text);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().sentence));
}

const std::string kHead = "version: 1\npolicy: {namespace: shop, name: checkout}\n";

INSTANTIATE_TEST_SUITE_P(
    Bad, SidecarConfigShape,
    ::testing::Values(
        ShapeCase{"Empty", "", "empty"}, ShapeCase{"Blank", "\n\n", "empty"},
        ShapeCase{"JustText", "hello", "no mapping"},
        ShapeCase{"AList", "- 1\n- 2\n", "no mapping"},
        ShapeCase{"NoVersion", "policy: {namespace: a, name: b}\n", "version is missing"},
        ShapeCase{"VersionAsText", "version: \"1\"\n", "version is a string"},
        ShapeCase{"NoPolicy", "version: 1\n", "policy is missing"},
        ShapeCase{"NoPolicyName", "version: 1\npolicy: {namespace: a}\n", "policy.name is missing"},
        ShapeCase{"UnknownFormat", kHead + "propagation: {accept: [w3c]}\n",
                  "propagation.accept[0] is \"w3c\"; it must be one of tracecontext, baggage"},
        ShapeCase{"PortAsText", kHead + "ports: {otlpGrpc: \"80\"}\n",
                  "ports.otlpGrpc is a string; it must be an integer"},
        ShapeCase{"PortTooLarge", kHead + "ports: {otlpGrpc: 99999999999999999999}\n",
                  "ports.otlpGrpc"},
        ShapeCase{"ExportWithoutEndpoint", kHead + "export: {protocol: grpc}\n",
                  "export.endpoint is missing"},
        ShapeCase{"BrokenYaml", kHead + "ports: {otlpGrpc: \n  - ]\n", ""},
        ShapeCase{"BadDigestLine", "digest: sha256:12\n" + kHead, "64 lower-case hexadecimal"},
        ShapeCase{"DigestLineOnly", "digest: ", "64 lower-case hexadecimal"},
        ShapeCase{"NotUtf8", kHead + "logLevel: \"\xff\xfe\"\n", ""},
        ShapeCase{"Binary", std::string("\0\1\2\3", 4), ""},
        ShapeCase{"Bottomless", std::string(100000, '['), ""},
        ShapeCase{"TooLong", kHead + "# " + std::string(kSidecarConfigMaxBytes, 'x'),
                  "at most 262144"}),
    [](const auto& test) { return test.param.name; });

struct ValueCase {
  const char* name;
  std::function<void(SidecarConfig&)> change;
  const char* sentence;
};

class SidecarConfigValue : public ::testing::TestWithParam<ValueCase> {};

TEST_P(SidecarConfigValue, IsRefusedBothWhenWrittenAndWhenRead) {
  SidecarConfig config = Full();
  ASSERT_THAT(CheckSidecarConfig(config), IsEmpty());
  GetParam().change(config);
  const auto problems = CheckSidecarConfig(config);
  ASSERT_THAT(problems, ElementsAre(HasSubstr(GetParam().sentence)));

  const auto read = DecodeSidecarConfig(EncodeSidecarConfig(config));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, problems.front());
}

INSTANTIATE_TEST_SUITE_P(
    Bad, SidecarConfigValue,
    ::testing::Values(
        ValueCase{"VersionZero", [](auto& c) { c.version = 0; }, "the first version is 1"},
        ValueCase{"NoName", [](auto& c) { c.policy.name = ""; }, "namespace and a name"},
        ValueCase{"Generation", [](auto& c) { c.generation = -1; }, "never negative"},
        ValueCase{"AcceptsNothing",
                  [](auto& c) {
                    c.propagation.accept.clear();
                    c.propagation.emit.clear();
                  },
                  "accept is empty"},
        ValueCase{"AcceptsTwice",
                  [](auto& c) { c.propagation.accept.push_back(Propagator::kXray); },
                  "accept names a format twice"},
        ValueCase{"EmitsTwice", [](auto& c) { c.propagation.emit.push_back(Propagator::kXray); },
                  "emit names a format twice"},
        ValueCase{"EmitsWhatNobodyReads",
                  [](auto& c) { c.propagation.emit = {Propagator::kJaeger}; }, "add it to accept"},
        ValueCase{"EgressPort", [](auto& c) { c.propagation.egress.ports = {0}; },
                  "propagation.egress.ports is 0"},
        ValueCase{"EgressTwice", [](auto& c) { c.propagation.egress.ports = {80, 80}; },
                  "names a port twice"},
        ValueCase{"IngressTarget",
                  [](auto& c) { c.propagation.ingress.ports[0].target_port = 65536; },
                  "targetPort is 65536"},
        ValueCase{"IngressTwice", [](auto& c) { c.propagation.ingress.ports[0].port = 8081; },
                  "names a port twice"},
        ValueCase{"IngressWithoutPorts", [](auto& c) { c.propagation.ingress.ports.clear(); },
                  "name the ports to proxy"},
        ValueCase{"TooManyPorts", [](auto& c) { c.propagation.egress.ports.resize(65); },
                  "more than 64 ports"},
        ValueCase{"RatioAboveOne", [](auto& c) { c.sampling.head = "1.01"; },
                  "sampling.head.ratio is '1.01'"},
        ValueCase{"RatioNegative", [](auto& c) { c.sampling.head = "-0.5"; }, "between 0 and 1"},
        ValueCase{"RatioExponent", [](auto& c) { c.sampling.sidecar = "1e-3"; }, "between 0 and 1"},
        ValueCase{"RatioNoDigits", [](auto& c) { c.sampling.sidecar = "."; }, "between 0 and 1"},
        ValueCase{"RatioEmpty", [](auto& c) { c.sampling.sidecar = ""; }, "between 0 and 1"},
        ValueCase{"RelayQueueSmall", [](auto& c) { c.relay = Relay{.queue_bytes = 1000}; },
                  "relay.queueBytes is 1000"},
        ValueCase{"RelayBatchItems", [](auto& c) { c.relay = Relay{.batch_items = 0}; },
                  "relay.batchItems is 0"},
        ValueCase{"RelayBatchBytes", [](auto& c) { c.relay = Relay{.batch_bytes = 1LL << 40}; },
                  "relay.batchBytes is"},
        ValueCase{"RelayBatchAge",
                  [](auto& c) { c.relay = Relay{.batch_age = std::chrono::hours(1)}; },
                  "relay.batchAge is 1h"},
        ValueCase{"EndpointEmpty", [](auto& c) { c.export_to->endpoint = ""; }, "without blanks"},
        ValueCase{"EndpointBlank", [](auto& c) { c.export_to->endpoint = "http://a b"; },
                  "without blanks"},
        ValueCase{"EndpointWithPassword",
                  [](auto& c) { c.export_to->endpoint = "https://user:pass@collector"; },
                  "use export.auth"},
        ValueCase{"EndpointScheme", [](auto& c) { c.export_to->endpoint = "collector:4318"; },
                  "http:// or https://"},
        ValueCase{"HeaderName", [](auto& c) { c.export_to->headers["a b"] = "c"; },
                  "'a b' is no header name"},
        ValueCase{"HeaderValue", [](auto& c) { c.export_to->headers["a"] = "b\r\nc: d"; },
                  "the value of 'a' has a line break"},
        ValueCase{"CaFile", [](auto& c) { c.export_to->tls.ca_file = "ca.pem"; },
                  "export.tls.caFile must be an absolute path"},
        ValueCase{"CertificateAlone",
                  [](auto& c) { c.export_to->tls.certificate_file = "/tls.crt"; },
                  "certificateFile and keyFile together"},
        ValueCase{"AuthFile", [](auto& c) { c.export_to->auth->file = ""; }, "export.auth.file"},
        ValueCase{"AuthHeaderMissing",
                  [](auto& c) { c.export_to->auth->scheme = AuthScheme::kHeader; },
                  "name the header"},
        ValueCase{"AuthHeaderTooMuch", [](auto& c) { c.export_to->auth->header = "x-key"; },
                  "only for scheme Header"},
        ValueCase{"PortsShared", [](auto& c) { c.ports.egress = c.ports.otlp_http; },
                  "which another listener has"},
        ValueCase{"PortRange", [](auto& c) { c.ports.ingress = 70000; }, "ports.ingress is 70000"}),
    [](const auto& test) { return test.param.name; });

TEST(SidecarConfig, NeverPutsAHeadersValueIntoASentence) {
  SidecarConfig config = Full();
  config.export_to->headers["authorization"] = "Bearer s3cr3t\n";
  for (const std::string& problem : CheckSidecarConfig(config)) {
    EXPECT_THAT(problem, ::testing::Not(HasSubstr("s3cr3t")));
  }
}

/// Any text that a policy may hold survives the way through YAML.
TEST(SidecarConfig, HeaderValuesOfAnyTextComeBack) {
  std::mt19937 random(20260101);
  const std::vector<std::string> pieces = {"a",  "Z",    "0",  ":", " ",   "#",  "\"", "'", "\\",
                                           "{",  "}",    "[",  "]", ",",   "&",  "*",  "!", "|",
                                           ">",  "%",    "@",  "`", "-",   "?",  "~",  "ü", "漢",
                                           "😀", "null", "no", "1", "0x1", ": ", " #"};
  for (int round = 0; round < 2000; ++round) {
    SidecarConfig config = Full();
    std::string value;
    for (unsigned length = random() % 12; length > 0; --length) {
      value += pieces[random() % pieces.size()];
    }
    config.export_to->headers = {{"x", value}};
    const auto read = DecodeSidecarConfig(EncodeSidecarConfig(config));
    ASSERT_TRUE(read) << read.error().message << "\n" << value;
    ASSERT_EQ(read->config, config);
  }
}

/// A document that was cut off or damaged is refused or is another valid one; never a crash.
TEST(SidecarConfig, DamagedTextIsReadOrRefused) {
  std::mt19937 random(7);
  const std::string good = WithDigest(kDigest, EncodeSidecarConfig(Full()));
  for (int round = 0; round < 3000; ++round) {
    std::string text = good.substr(0, random() % (good.size() + 1));
    for (unsigned edits = random() % 4; edits > 0 && !text.empty(); --edits) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    const auto read = DecodeSidecarConfig(text);
    if (read) {
      EXPECT_THAT(CheckSidecarConfig(read->config), IsEmpty());
    } else {
      EXPECT_NE(read.error().message, "");
    }
  }
}

}  // namespace
}  // namespace tracekeeper::config
