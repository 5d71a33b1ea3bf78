#include "sidecar/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/json_value.h"

namespace tracekeeper::sidecar {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Instant kStart{std::chrono::seconds(1'700'000'000)};  // 2023-11-14T22:13:20Z

const otlp::RelayCounters kNothingCounted;

ProgramState State() {
  return {.version = "1.2.3",
          .started = kStart,
          .now = kStart + std::chrono::seconds(90),
          .uptime = std::chrono::milliseconds(90500),
          .config = ConfigState("/config/config.yaml"),
          .counters = &kNothingCounted};
}

ProgramState WithConfig(std::string_view extra = {}) {
  ProgramState state = State();
  config::SidecarConfig config;
  config.policy = {"shop", "checkout"};
  config.generation = 7;
  config.export_to =
      config::Export{.endpoint = "http://collector:4318", .headers = {{"authorization", "s3cr3t"}}};
  state.config.Take(FileText{config::EncodeSidecarConfig(config).append(extra)},
                    kStart + std::chrono::seconds(5));
  return state;
}

net::Response Ask(const ProgramState& state, std::string method, std::string target) {
  const StatusPages pages([&] { return state; });
  return pages.Handle({.method = std::move(method), .target = std::move(target)});
}

TEST(Readiness, SaysWhatItWaitsFor) {
  ProgramState state = State();
  state.config.Take(FileMissing{}, kStart);
  const net::Response response = Readiness(state);
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("not ready: waiting for /config/config.yaml"));
}

TEST(Readiness, SaysWhatIsInUseAndWhatThisVersionDoesNotDo) {
  const net::Response response = Readiness(WithConfig());
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, StartsWith("ready: configuration sha256:"));
  EXPECT_THAT(response.body, HasSubstr("policy shop/checkout"));
  EXPECT_THAT(response.body, HasSubstr("this version does not proxy requests yet"));
}

TEST(Readiness, StaysReadyOnTheLastGoodConfigurationAndSaysSo) {
  ProgramState state = WithConfig();
  state.config.Take(FileText{"garbage"}, kStart);
  const net::Response response = Readiness(state);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("the last good configuration stays in use"));
}

TEST(Readiness, IsNotReadyWhileDraining) {
  ProgramState state = WithConfig();
  state.draining = true;
  EXPECT_EQ(Readiness(state).status, 503);
}

TEST(StatusPage, IsJsonWithTheDigestInUse) {
  const ProgramState state = WithConfig("newThing: 1\n");
  codec::JsonParser parser;
  const auto json = parser.Parse(StatusJson(state));
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ((*json)["version"].StringOr(""), "1.2.3");
  EXPECT_EQ((*json)["started"].StringOr(""), "2023-11-14T22:13:20Z");
  EXPECT_EQ((*json)["uptimeSeconds"].Double(), 90.5);
  const codec::JsonValue configuration = (*json)["configuration"];
  EXPECT_EQ(configuration["state"].StringOr(""), "current");
  EXPECT_EQ(configuration["digest"].StringOr(""), state.config.in_use()->digest);
  EXPECT_EQ(configuration["policy"].StringOr(""), "shop/checkout");
  EXPECT_EQ(configuration["generation"].IntegerOr(0), 7);
  EXPECT_EQ(configuration["since"].StringOr(""), "2023-11-14T22:13:25Z");
  EXPECT_EQ(configuration["unknownFields"].ToJson(), R"(["newThing"])");
  EXPECT_FALSE(configuration["lastError"]);
  EXPECT_EQ((*json)["serves"]["relay"].BoolOr(false), true);
  EXPECT_EQ((*json)["serves"]["proxy"].BoolOr(true), false);
}

TEST(StatusPage, TellsTheLastErrorBesideWhatIsInUse) {
  ProgramState state = WithConfig();
  state.config.Take(FileText{"version: 9\n"}, kStart + std::chrono::seconds(60));
  codec::JsonParser parser;
  const auto json = parser.Parse(StatusJson(state));
  ASSERT_TRUE(json);
  const codec::JsonValue configuration = (*json)["configuration"];
  EXPECT_EQ(configuration["state"].StringOr(""), "last_good");
  EXPECT_THAT(configuration["lastError"]["message"].StringOr(""), HasSubstr("version is 9"));
  EXPECT_EQ(configuration["lastError"]["since"].StringOr(""), "2023-11-14T22:14:20Z");
  EXPECT_EQ(configuration["refused"].IntegerOr(0), 1);
}

TEST(StatusPage, ShowsNoHeaderValue) {
  const ProgramState state = WithConfig();
  EXPECT_THAT(StatusJson(state), Not(HasSubstr("s3cr3t")));
  EXPECT_THAT(MetricsText(state), Not(HasSubstr("s3cr3t")));
}

TEST(Metrics, AreThereBeforeTheFirstConfiguration) {
  const std::string text = MetricsText(State());
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_reloads_total{result=\"applied\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_reloads_total{result=\"refused\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_in_use 0\n"));
  EXPECT_THAT(text, EndsWith("\n"));
}

TEST(Metrics, CountReloadsByResult) {
  ProgramState state = WithConfig();
  state.config.Take(FileText{"garbage"}, kStart);
  const std::string text = MetricsText(state);
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_reloads_total{result=\"applied\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_reloads_total{result=\"refused\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_in_use 1\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_current 0\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_sidecar_config_applied_timestamp_seconds 1700000005\n"));
}

/// A relay that is on, with one credential, in the middle of an outage.
ProgramState WithRelay(otlp::RelayCounters& counters) {
  counters.received[0].Add(otlp::Ingress::kGrpc, 10);
  counters.sent[0] = 3;
  counters.Drop(otlp::Signal::kTraces, otlp::DropReason::kQueueFull, 2);
  counters.refused.Add(otlp::RefuseReason::kMalformed, 1);
  ProgramState state = WithConfig();
  state.counters = &counters;
  state.relay.configured = true;
  state.relay.listeners = {{"grpc", 4317, ""}, {"http", 4318, ""}};
  state.relay.relay = {.delivery = {.destination = "grpc https://collector:4317",
                                    .problem = "connection refused",
                                    .failing_since = kStart},
                       .queue_bytes = 500,
                       .queue_budget = 1000,
                       .queued = {5, 0, 0}};
  state.relay.credential = CredentialReport{.file = "/secret/token",
                                            .version = "..2026_01_02",
                                            .number = 8,
                                            .since = kStart,
                                            .loaded = 2};
  return state;
}

TEST(StatusPage, TellsHowTheRelayDoes) {
  otlp::RelayCounters counters;
  codec::JsonParser parser;
  const auto json = parser.Parse(StatusJson(WithRelay(counters)));
  ASSERT_TRUE(json) << json.error().message;
  const codec::JsonValue relay = (*json)["relay"];
  EXPECT_EQ(relay["state"].StringOr(""), "failing");
  EXPECT_EQ(relay["destination"].StringOr(""), "grpc https://collector:4317");
  EXPECT_EQ(relay["problem"].StringOr(""), "connection refused");
  EXPECT_EQ(relay["failingSince"].StringOr(""), "2023-11-14T22:13:20Z");
  EXPECT_EQ(relay["queueBytes"].IntegerOr(0), 500);
  EXPECT_EQ(relay["signals"]["traces"].ToJson(),
            R"({"received":10,"sent":3,"dropped":2,"queued":5})");
  EXPECT_EQ(
      (*json)["credentials"].ToJson(),
      R"([{"name":"export","file":"/secret/token","version":"..2026_01_02","rotationVersion":8,)"
      R"("since":"2023-11-14T22:13:20Z"}])");
}

struct RelayStateCase {
  const char* want;
  void (*change)(RelayStatus&);
};

TEST(StatusPage, HasOneWordForTheRelay) {
  const RelayStateCase cases[] = {
      {"waiting", [](RelayStatus& relay) { relay.configured = false; }},
      {"no_destination", [](RelayStatus& relay) { relay.relay.delivery.destination = ""; }},
      {"delivering", [](RelayStatus& relay) { relay.relay.delivery.failing_since.reset(); }},
      {"failing", [](RelayStatus&) {}},
  };
  for (const RelayStateCase& test : cases) {
    otlp::RelayCounters counters;
    ProgramState state = WithRelay(counters);
    test.change(state.relay);
    EXPECT_THAT(StatusJson(state),
                HasSubstr(std::string(R"("relay":{"state":")") + test.want + "\""));
  }
}

TEST(Readiness, IsNotThereWhileAPortIsTaken) {
  otlp::RelayCounters counters;
  ProgramState state = WithRelay(counters);
  state.relay.listeners[0].problem = "port 4317 is taken";
  EXPECT_EQ(Readiness(state).status, 503);
  EXPECT_THAT(Readiness(state).body, HasSubstr("port 4317 is taken"));
}

TEST(Metrics, CountWhatTheRelayDid) {
  otlp::RelayCounters counters;
  const std::string text = MetricsText(WithRelay(counters));
  for (const char* line :
       {"tracekeeper_sidecar_received_total{signal=\"traces\",protocol=\"grpc\"} 10",
        "tracekeeper_sidecar_received_total{signal=\"logs\",protocol=\"http/json\"} 0",
        "tracekeeper_sidecar_sent_total{signal=\"traces\"} 3",
        "tracekeeper_sidecar_dropped_total{signal=\"traces\",reason=\"queue_full\"} 2",
        "tracekeeper_sidecar_dropped_total{signal=\"metrics\",reason=\"shutdown\"} 0",
        "tracekeeper_sidecar_queue_items{signal=\"traces\"} 5",
        "tracekeeper_sidecar_refused_requests_total{reason=\"malformed\"} 1",
        "tracekeeper_sidecar_queue_bytes 500", "tracekeeper_sidecar_queue_budget_bytes 1000",
        "tracekeeper_sidecar_export_failing 1",
        "tracekeeper_sidecar_credential_reloads_total{result=\"applied\"} 2"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + line + "\n"));
  }
}

struct PageCase {
  const char* name;
  const char* method;
  const char* target;
  int status;
  const char* type;
};

class Pages : public ::testing::TestWithParam<PageCase> {};

TEST_P(Pages, AreFoundByPath) {
  const net::Response response = Ask(WithConfig(), GetParam().method, GetParam().target);
  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_THAT(std::string(response.headers.Get("content-type")), StartsWith(GetParam().type));
  EXPECT_NE(response.body, "");
}

INSTANTIATE_TEST_SUITE_P(
    All, Pages,
    ::testing::Values(PageCase{"Health", "GET", "/healthz", 200, "text/plain"},
                      PageCase{"HealthWithQuery", "GET", "/healthz?verbose", 200, "text/plain"},
                      PageCase{"HealthHead", "HEAD", "/healthz", 200, "text/plain"},
                      PageCase{"Ready", "GET", "/readyz", 200, "text/plain"},
                      PageCase{"Status", "GET", "/status", 200, "application/json"},
                      PageCase{"Metrics", "GET", "/metrics", 200, "text/plain; version=0.0.4"},
                      PageCase{"Root", "GET", "/", 404, "text/plain"},
                      PageCase{"Prefix", "GET", "/statusx", 404, "text/plain"},
                      PageCase{"Post", "POST", "/status", 405, "text/plain"},
                      PageCase{"Delete", "DELETE", "/healthz", 405, "text/plain"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tracekeeper::sidecar
