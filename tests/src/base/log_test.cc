#include "src/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tracekeeper {
namespace {

using testing::ElementsAre;

struct Recorded {
  std::vector<std::string> lines;
  Log log{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
};

TEST(Log, WritesOneLogfmtLineForAnEvent) {
  Recorded recorded;
  Logger(recorded.log)
      .Info("Injected pod", {{"policy", "shop/checkout"}, {"ops", 12}, {"dry", false}});
  EXPECT_THAT(
      recorded.lines,
      ElementsAre(R"(level=info msg="Injected pod" policy=shop/checkout ops=12 dry=false)"));
}

TEST(Log, KeepsBoundFieldsBeforeOwnOnes) {
  Recorded recorded;
  const Logger bound = Logger(recorded.log).With({{"controller", "tracingpolicy"}});
  bound.Warn("Retried", {{"attempt", 2}});
  EXPECT_THAT(recorded.lines,
              ElementsAre("level=warn msg=Retried controller=tracingpolicy attempt=2"));
}

TEST(Log, DropsWhatIsBelowItsLevel) {
  Recorded recorded;
  const Logger logger(recorded.log);
  logger.Debug("Unseen");
  recorded.log.set_level(LogLevel::kDebug);
  logger.Debug("Seen");
  EXPECT_THAT(recorded.lines, ElementsAre("level=debug msg=Seen"));
}

struct QuoteCase {
  const char* name;
  const char* value;
  const char* want;
};

class LogValue : public testing::TestWithParam<QuoteCase> {};

TEST_P(LogValue, CannotForgeAnotherFieldOrLine) {
  Recorded recorded;
  Logger(recorded.log).Info("M", {{"v", GetParam().value}});
  EXPECT_THAT(recorded.lines, ElementsAre(std::string("level=info msg=M v=") + GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    Table, LogValue,
    testing::Values(QuoteCase{"plain", "a/b-1", "a/b-1"}, QuoteCase{"empty", "", R"("")"},
                    QuoteCase{"space", "a b", R"("a b")"}, QuoteCase{"equals", "a=b", R"("a=b")"},
                    QuoteCase{"quote", "a\"b", R"("a\"b")"},
                    QuoteCase{"newline", "a\nlevel=error", R"("a\nlevel=error")"},
                    QuoteCase{"escape", "\x1b[31m", R"("\x1b[31m")"},
                    QuoteCase{"unicode", "zürich", "zürich"}),
    [](const auto& param) { return param.param.name; });

TEST(ParseLogLevel, NamesTheChoicesWhenItRefuses) {
  EXPECT_EQ(*ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("loud").error().message,
            "log level \"loud\" is unknown: use debug, info, warn or error");
}

}  // namespace
}  // namespace tracekeeper
