#include "src/otlp/sampler.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "src/otlp/tracestate.h"

namespace tracekeeper::otlp {
namespace {

using ::testing::HasSubstr;

struct RatioCase {
  const char* ratio;
  std::uint64_t threshold;
};

class Ratios : public ::testing::TestWithParam<RatioCase> {};

TEST_P(Ratios, BecomeThresholdsOf56Bits) {
  const auto sampler = Sampler::ForRatio(GetParam().ratio);
  ASSERT_TRUE(sampler) << sampler.error().message;
  EXPECT_EQ(sampler->threshold(), GetParam().threshold);
}

INSTANTIATE_TEST_SUITE_P(
    All, Ratios,
    ::testing::Values(RatioCase{"1", 0}, RatioCase{"1.000", 0}, RatioCase{"0", kSamplingRange},
                      RatioCase{"0.5", 0x80000000000000}, RatioCase{"0.25", 0xC0000000000000},
                      RatioCase{"0.125", 0xE0000000000000}, RatioCase{"0.1", 0xE6666666666666},
                      RatioCase{"0.9", 0x1999999999999A}));

TEST(Ratio, IsRefusedWithWhatToWrite) {
  for (const char* text : {"", "2", "1.1", "-0.5", ".5", "5.", "0.2.5", "1e-3", "50%", "abc",
                           "0.000000000000000000000001"}) {
    const auto sampler = Sampler::ForRatio(text);
    ASSERT_FALSE(sampler) << text;
    EXPECT_THAT(sampler.error().message, HasSubstr("write a decimal between 0 and 1"));
  }
}

TEST(Tracestate, ReadsTheFirstOtEntry) {
  struct Case {
    const char* tracestate;
    std::optional<std::uint64_t> threshold;
    std::optional<std::uint64_t> randomness;
  };
  const Case cases[] = {
      {"", {}, {}},
      {"ot=th:8", 0x80000000000000, {}},
      {"ot=th:0", 0, {}},
      {"ot=th:c;rv:6e6d1a75832a2f", 0xC0000000000000, 0x6e6d1a75832a2f},
      {"vendor=x, ot=rv:00000000000001", {}, 1},
      {"ot=th:8,ot=th:c", 0x80000000000000, {}},
      {"ot=th:XY", {}, {}},               // no hexadecimal
      {"ot=th:C", {}, {}},                // capital letters are not allowed
      {"ot=th:", {}, {}},                 // empty
      {"ot=th:000000000000001", {}, {}},  // 15 digits
      {"ot=rv:123", {}, {}},              // randomness always has 14
      {"other=th:8", {}, {}},
  };
  for (const Case& test : cases) {
    const OtEntry entry = ReadOtEntry(test.tracestate);
    EXPECT_EQ(entry.threshold, test.threshold) << test.tracestate;
    EXPECT_EQ(entry.randomness, test.randomness) << test.tracestate;
  }
}

TEST(Tracestate, TakesANewThresholdAndKeepsTheRest) {
  struct Case {
    const char* before;
    std::uint64_t threshold;
    const char* after;
  };
  const Case cases[] = {
      {"", 0x80000000000000, "ot=th:8"},
      {"", 0, "ot=th:0"},
      {"", 0xE6666666666666, "ot=th:e6666666666666"},
      {"ot=th:8", 0xC0000000000000, "ot=th:c"},
      {"a=1,ot=rv:6e6d1a75832a2f;th:8,b=2", 0xC0000000000000, "ot=th:c;rv:6e6d1a75832a2f,a=1,b=2"},
      {"a=1,b=2", 0x80000000000000, "ot=th:8,a=1,b=2"},
      {" a=1 , b=2 ,,", 0x80000000000000, "ot=th:8,a=1,b=2"},
      {"ot=x:y,ot=th:8", 0x80000000000000, "ot=th:8;x:y"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(WithThreshold(test.before, test.threshold), test.after) << test.before;
  }
}

TEST(Tracestate, HasNoMoreThan32Entries) {
  std::string full = "a0=1";
  for (int i = 1; i < 32; ++i) full += fmt::format(",a{}=1", i);
  const std::string after = WithThreshold(full, 0x80000000000000);
  EXPECT_EQ(std::count(after.begin(), after.end(), ','), 31);
  EXPECT_TRUE(after.starts_with("ot=th:8,a0=1,"));
  EXPECT_TRUE(after.ends_with(",a30=1"));
}

struct DecisionCase {
  const char* name;
  const char* ratio;
  std::uint64_t randomness;  // the trace id's last 56 bits
  const char* tracestate;
  bool keep;
  std::optional<std::string> after;
};

class Decisions : public ::testing::TestWithParam<DecisionCase> {};

TEST_P(Decisions, FollowThresholdAndRandomness) {
  const Sampler sampler = *Sampler::ForRatio(GetParam().ratio);
  const TraceId trace_id{1, 0xAB00000000000000 | GetParam().randomness};
  const auto decision = sampler.Decide(trace_id, GetParam().tracestate);
  EXPECT_EQ(decision.keep, GetParam().keep);
  EXPECT_EQ(decision.tracestate, GetParam().after);
}

INSTANTIATE_TEST_SUITE_P(
    All, Decisions,
    ::testing::Values(
        DecisionCase{"OneKeepsAllAndTouchesNothing", "1", 0, "ot=th:8", true, {}},
        DecisionCase{"ZeroDropsAll", "0", 0xFFFFFFFFFFFFFF, "", false, {}},
        DecisionCase{"AtTheThreshold", "0.5", 0x80000000000000, "", true, "ot=th:8"},
        DecisionCase{"BelowTheThreshold", "0.5", 0x7FFFFFFFFFFFFF, "", false, {}},
        DecisionCase{"ExplicitRandomnessWins", "0.5", 0, "ot=rv:ffffffffffffff", true,
                     "ot=th:8;rv:ffffffffffffff"},
        DecisionCase{
            "ExplicitRandomnessDrops", "0.5", 0xFFFFFFFFFFFFFF, "ot=rv:00000000000000", false, {}},
        DecisionCase{"StricterBeforeStays", "0.5", 0xFFFFFFFFFFFFFF, "ot=th:c", true, {}},
        DecisionCase{"EqualBeforeStays", "0.5", 0xFFFFFFFFFFFFFF, "ot=th:8", true, {}},
        DecisionCase{"LaxerBeforeIsRaised", "0.25", 0xFFFFFFFFFFFFFF, "ot=th:8", true, "ot=th:c"},
        DecisionCase{"ImpossibleBeforeIsReplaced", "0.5", 0x90000000000000, "ot=th:f", true,
                     "ot=th:8"}),
    [](const auto& test) { return test.param.name; });

TEST(Decision, KeepsASpanWithoutATraceId) {
  const auto decision = Sampler::ForRatio("0.5")->Decide(std::nullopt, "");
  EXPECT_TRUE(decision.keep);
  EXPECT_FALSE(decision.tracestate);
}

TEST(SamplingProperty, TwoHopsAreOneWithTheSmallerRatio) {
  std::mt19937_64 random(3);
  const char* ratios[] = {"1", "0.9", "0.5", "0.25", "0.1", "0.01", "0"};
  for (const char* first_ratio : ratios) {
    for (const char* second_ratio : ratios) {
      const Sampler first = *Sampler::ForRatio(first_ratio);
      const Sampler second = *Sampler::ForRatio(second_ratio);
      const Sampler& smaller = first.threshold() > second.threshold() ? first : second;
      for (int i = 0; i < 2000; ++i) {
        const TraceId trace_id{random(), random()};
        const auto once = smaller.Decide(trace_id, "");
        const auto hop_a = first.Decide(trace_id, "");
        auto hop_b = hop_a;
        if (hop_a.keep) hop_b = second.Decide(trace_id, hop_a.tracestate.value_or(""));
        ASSERT_EQ(hop_b.keep, once.keep) << first_ratio << " then " << second_ratio;
        if (!once.keep) continue;
        const std::string twice = hop_b.tracestate.value_or(hop_a.tracestate.value_or(""));
        ASSERT_EQ(twice, once.tracestate.value_or("")) << first_ratio << " then " << second_ratio;
      }
    }
  }
}

TEST(SamplingProperty, KeepsTheShareItSays) {
  std::mt19937_64 random(5);
  const Sampler sampler = *Sampler::ForRatio("0.25");
  constexpr int kTraces = 100000;
  int kept = 0;
  for (int i = 0; i < kTraces; ++i) kept += sampler.Decide(TraceId{1, random()}, "").keep ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(kept) / kTraces, 0.25, 0.01);
}

}  // namespace
}  // namespace tracekeeper::otlp
