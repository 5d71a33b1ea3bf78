#include "operator/domain/sidecar_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/domain/sidecar_report.h"

namespace tracekeeper::domain {
namespace {

struct SyncCase {
  std::string_view name;
  SidecarSync sync;
  std::string_view want;  // status and reason
  std::string_view sentence;
};

const SyncCase kCases[] = {
    {"none_runs", {.digest = "new", .running = {}}, "True NoSidecars", "no running sidecar"},
    {"all_have_it", {.digest = "new", .running = {{"new", 3}}}, "True AllSidecarsInSync", "Every"},
    {"some_are_behind",
     {.digest = "new",
      .running = {{"new", 3}, {"old", 1}, {"older", 1}},
      .behind_example = "shop/a"},
     "False SidecarsBehind",
     "2 sidecars still on an older configuration, for example in pod shop/a"},
    {"one_refused",
     {.digest = "new", .running = {{"old", 1}}, .refused = 1, .refusal = "shop/a: no endpoint"},
     "False ConfigurationRefused",
     "1 sidecar refused the configuration and kept the last good one: shop/a: no endpoint"},
    {"some_did_not_answer",
     {.digest = "new", .running = {{"new", 1}}, .unknown = 2, .unknown_example = "shop/b"},
     "Unknown SidecarsNotReached",
     "2 sidecars did not answer, for example in pod shop/b"},
};

class SyncTable : public testing::TestWithParam<SyncCase> {};

TEST_P(SyncTable, SaysWhichConfigurationRuns) {
  const SyncCase& c = GetParam();
  const kube::Condition condition = ConfigurationInSync(c.sync, 4);
  EXPECT_EQ(std::string(kube::NameOf(condition.status)) + " " + condition.reason, c.want);
  EXPECT_THAT(condition.message, testing::HasSubstr(std::string(c.sentence)));
  EXPECT_TRUE(kube::ValidateCondition(condition));
  EXPECT_EQ(condition.observed_generation, 4);
}

INSTANTIATE_TEST_SUITE_P(Table, SyncTable, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ConfigurationStatus, NamesTheMostUsedFirstAndAtMostSixteen) {
  SidecarSync sync{.digest = "d3", .running = {}};
  for (int i = 0; i < 20; ++i) sync.running["d" + std::to_string(i)] = i + 1;
  const api::ConfigurationStatus status = ConfigurationStatusOf(sync);
  ASSERT_EQ(status.running.size(), 16U);
  EXPECT_EQ(status.running.front().digest, "d19");
  EXPECT_EQ(status.running.front().pods, 20);
}

struct ReportCase {
  std::string_view name, text, digest, refusal;
};

constexpr ReportCase kReports[] = {
    {"current",
     R"({"program":"tracekeeper-sidecar","configuration":{"state":"current","digest":"d"}})", "d",
     ""},
    {"last_good",
     R"({"program":"tracekeeper-sidecar","configuration":{"state":"last_good","digest":"d",
         "lastError":{"message":"bad\u0007\u00e9"}}})",
     "d", "bad???"},
    {"never_had_one", R"({"program":"tracekeeper-sidecar","configuration":{"state":"refused"}})",
     "", "no reason given"},
};

class ReportTable : public testing::TestWithParam<ReportCase> {};

TEST_P(ReportTable, TakesWhatItNeedsAndCleansIt) {
  const auto report = ParseSidecarReport(GetParam().text);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->digest, GetParam().digest);
  EXPECT_EQ(report->refusal, GetParam().refusal);
}

INSTANTIATE_TEST_SUITE_P(Table, ReportTable, testing::ValuesIn(kReports),
                         [](const auto& test) { return std::string(test.param.name); });

struct VersionCase {
  std::string_view name, credentials;
  std::optional<std::int64_t> want;
};

constexpr VersionCase kVersions[] = {
    {"none", "[]", std::nullopt},
    {"absent", "null", std::nullopt},
    {"notRotated", R"([{"name":"export","file":"/f","version":"..2026"}])", std::nullopt},
    {"rotated", R"([{"name":"export","version":"..2026","rotationVersion":8}])", 8},
    {"another", R"([{"name":"other","rotationVersion":8}])", std::nullopt},
    {"theSecond", R"([{"name":"other"},{"name":"export","rotationVersion":9}])", 9},
    {"largest", R"([{"name":"export","rotationVersion":9223372036854775807}])",
     9223372036854775807},
    {"tooLarge", R"([{"name":"export","rotationVersion":9223372036854775808}])", std::nullopt},
    {"zero", R"([{"name":"export","rotationVersion":0}])", std::nullopt},
    {"negative", R"([{"name":"export","rotationVersion":-3}])", std::nullopt},
    {"text", R"([{"name":"export","rotationVersion":"8"}])", std::nullopt},
    {"fraction", R"([{"name":"export","rotationVersion":8.5}])", std::nullopt},
    {"noList", R"({"name":"export","rotationVersion":8})", std::nullopt},
};

class CredentialVersions : public testing::TestWithParam<VersionCase> {};

TEST_P(CredentialVersions, AreTakenWhereTheyAreNumbers) {
  const auto report = ParseSidecarReport(
      R"({"program":"tracekeeper-sidecar","configuration":{"state":"current"},"credentials":)" +
      std::string(GetParam().credentials) + "}");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->credential_version, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Table, CredentialVersions, testing::ValuesIn(kVersions),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SidecarReport, RefusesWhatIsNoSidecarsAnswer) {
  for (const std::string_view text :
       {"", "<html>", "[]", R"({"program":"nginx","configuration":{}})",
        R"({"program":"tracekeeper-sidecar"})"}) {
    EXPECT_FALSE(ParseSidecarReport(text)) << text;
  }
  EXPECT_FALSE(ParseSidecarReport(std::string(kMostReportBytes + 1, ' ')));
  const std::string_view long_one = R"({"program":"tracekeeper-sidecar","configuration":
      {"state":"refused","lastError":{"message":")";
  const auto report =
      ParseSidecarReport(std::string(long_one) + std::string(5000, 'x') + R"("}}})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->refusal.size(), 300U);
}

}  // namespace
}  // namespace tracekeeper::domain
