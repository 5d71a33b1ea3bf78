// The text that scrapers get: names and labels as documented, exemplars, sums that add up however
// many series there are, and nothing that a scraper refuses.

#include "src/analysis/continuity_metrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "src/analysis/series.h"
#include "tests/src/analysis/metrics_text.h"
#include "tests/support/built_program.h"
#include "tests/support/folders.h"
#include "tests/support/process.h"

namespace tracekeeper::analysis {
namespace {

using continuity::Cause;
using continuity::CountedUnit;
using continuity::Family;
using continuity::Judgement;
using continuity::Names;
using continuity::Reason;
using continuity::Tally;
using continuity::Verdict;
using telemetry::Exposition;
using telemetry::ExpositionFormat;
using testing::HasSubstr;

class Counted {
 public:
  CountedUnit Hop(const std::string& policy, const std::string& client, const std::string& server,
                  Verdict verdict) {
    CountedUnit unit{.key = {.family = Family::kHop,
                             .protocol = continuity::Protocol::kRpc,
                             .policy = names.Intern(policy),
                             .service = names.Intern(client),
                             .server = names.Intern(server)},
                     .verdict = verdict,
                     .shown_at = {{1, 2}, 3, 1'700'000'000'123'456}};
    return unit;
  }
  CountedUnit Of(Family family, const std::string& policy, const std::string& service,
                 Verdict verdict) {
    CountedUnit unit = Hop(policy, service, "", verdict);
    unit.key.family = family;
    unit.key.protocol = continuity::Protocol::kHttp;
    return unit;
  }
  static Judgement JudgementOf(std::vector<CountedUnit> units) {
    Judgement judgement;
    for (const CountedUnit& unit : units) judgement.seen.Add(unit.key.family, unit.key.policy);
    judgement.units = std::move(units);
    return judgement;
  }
  void Count(std::vector<CountedUnit> units) { tally.Count(JudgementOf(std::move(units))); }
  std::string Text(SeriesBook& book, ExpositionFormat format = ExpositionFormat::kOpenMetrics) {
    Snapshot snapshot;
    const continuity::Tally* const tallies[] = {&tally};
    snapshot.series = book.Fold(tallies, names);
    snapshot.shards = {{.pending_spans = 4, .table_bytes = 5, .budget_bytes = 6}};
    snapshot.intake.spans = {7, 8, 9};
    snapshot.counts.shed_traces = 1;
    Exposition text(format);
    WriteContinuityMetrics(snapshot, text);
    return text.Finish();
  }

  Names names;
  Tally tally;
};

void CountAFew(Counted& counted) {
  counted.Count({counted.Hop("shop/checkout", "web", "cart", Verdict::Good()),
                 counted.Hop("shop/checkout", "web", "cart", Verdict::Bad(Cause::kBrokenHop)),
                 counted.Of(Family::kInProcess, "shop/checkout", "cart", Verdict::Good()),
                 counted.Of(Family::kLog, "", "cart", Verdict::Excluded(Reason::kBackground))});
  CountedUnit request =
      counted.Of(Family::kRequest, "shop/checkout", "web", Verdict::Bad(Cause::kBrokenHop));
  request.population = 4;
  counted.Count({request});
  const Judgement before = Counted::JudgementOf(
      {counted.Hop("shop/checkout", "web", "cart", Verdict::Unknown(Reason::kPeerSilent))});
  counted.tally.Count(before);
  counted.tally.Correct(
      before, Counted::JudgementOf({counted.Hop("shop/checkout", "web", "cart", Verdict::Good())}));
}

TEST(ContinuityMetrics, AreWrittenAsTheReferenceSays) {
  Counted counted;
  CountAFew(counted);
  SeriesBook book({});
  const std::string text = counted.Text(book);
  const auto file =
      test_support::SourceFolder() / "tests/src/analysis/golden/continuity_metrics.txt";
  std::stringstream golden;
  golden << std::ifstream(file).rdbuf();
  if (std::getenv("TRACEKEEPER_UPDATE_GOLDEN") != nullptr) std::ofstream(file) << text;
  EXPECT_EQ(text, golden.str()) << "TRACEKEEPER_UPDATE_GOLDEN=1 writes it anew";
  EXPECT_EQ(WhatDoesNotAddUp(ReadSamples(text)), "");
}

TEST(ContinuityMetrics, AreAllInTheReference) {
  Counted counted;
  CountAFew(counted);
  SeriesBook book({});
  std::stringstream reference;
  reference
      << std::ifstream(test_support::SourceFolder() / "docs/reference/analyzer-metrics.md").rdbuf();
  std::stringstream text(counted.Text(book, ExpositionFormat::kPrometheus));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const std::string name = line.substr(7, line.rfind(' ') - 7);
    EXPECT_THAT(reference.str(), HasSubstr("`" + name + "`"));
  }
}

TEST(ContinuityMetrics, HaveNoExemplarsInPrometheusText) {
  Counted counted;
  CountAFew(counted);
  SeriesBook book({});
  const std::string text = counted.Text(book, ExpositionFormat::kPrometheus);
  EXPECT_TRUE(ReadSamples(text).exemplars.empty());
  EXPECT_THAT(text, HasSubstr("# TYPE tracekeeper_hops_total counter\n"));
}

TEST(ContinuityMetrics, PassPromtool) {
  Counted counted;
  CountAFew(counted);
  SeriesBook book({});
  const auto promtool = test_support::BuiltProgram("prometheus", "promtool");
  if (!promtool) GTEST_SKIP() << promtool.error().message;
  const auto checked = test_support::RunProcess({.argv = {promtool->string(), "check", "metrics"}},
                                                counted.Text(book, ExpositionFormat::kPrometheus));
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->exit_code, 0) << checked->out << checked->err;
}

TEST(ContinuityMetrics, AddUpWhenThereAreMoreEdgesThanSeries) {
  Counted counted;
  SeriesBook book({.edges = 10, .services = 5, .policies = 3});
  std::mt19937_64 random(1);
  std::map<std::string, double> before;
  for (int scrape = 0; scrape < 5; ++scrape) {
    for (int i = 0; i < 200; ++i) {
      const auto number = [&](std::uint64_t of) { return std::to_string(random() % of); };
      const std::string policy = fmt::format("shop/{}", number(6));
      const Verdict verdict = random() % 2 == 0 ? Verdict::Good() : Verdict::Bad(Cause::kFragments);
      counted.Count({counted.Hop(policy, number(20), number(20), verdict),
                     counted.Of(Family::kRequest, policy, number(30), verdict)});
    }
    const Samples samples = ReadSamples(counted.Text(book));
    EXPECT_EQ(WhatDoesNotAddUp(samples), "");
    EXPECT_EQ(samples.Sum("tracekeeper_units_seen_total", {"family=\"hop\""}), 200 * (scrape + 1));
    EXPECT_GT(samples.Sum("tracekeeper_series_folded_total", {"family=\"hop\""}), 0);
    for (const auto& [key, value] : before) {
      ASSERT_TRUE(samples.values.contains(key)) << "a series that vanished: " << key;
      if (key.find("_total") == std::string::npos) continue;
      EXPECT_GE(samples.values.at(key), value) << key;
    }
    before = samples.values;
  }
}

TEST(ContinuityMetrics, SurviveServicesWithAnyBytesAsName) {
  Counted counted;
  counted.Count({counted.Hop("", "a\xFF", std::string(5000, 'x'), Verdict::Good()),
                 counted.Hop("", "a\xFE", std::string(5001, 'x'), Verdict::Good()),
                 counted.Hop("", "line\nbreak", "quote\"", Verdict::Good())});
  SeriesBook book({});
  const std::string text = counted.Text(book);
  const Samples samples = ReadSamples(text);
  EXPECT_EQ(samples.Sum("tracekeeper_hops_total", {"client=\"a\xEF\xBF\xBD\"", "good"}), 2);
  EXPECT_THAT(text, HasSubstr(R"(server="quote\"")"));
  EXPECT_THAT(text, HasSubstr("xxx…\""));
  EXPECT_LT(text.size(), 100'000U);
}

}  // namespace
}  // namespace tracekeeper::analysis
