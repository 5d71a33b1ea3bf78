#include "operator/domain/rotation_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operator/domain/rotation_samples.h"

namespace tracekeeper::domain {
namespace {

using testing::HasSubstr;

RotationJournal Sample() {
  std::mt19937_64 random(1);
  RotationJournal journal = RandomJournal(random);
  journal.phase = RotationPhase::kDrain;
  return journal;
}

TEST(RotationJournal, WhatIsWrittenIsReadAsTheSame) {
  std::mt19937_64 random(20260102);
  for (int i = 0; i < 3000; ++i) {
    const RotationJournal journal = RandomJournal(random);
    const auto again = RotationJournal::FromJson(journal.ToJson());
    ASSERT_TRUE(again) << again.error().message << "\n" << journal.ToJson();
    ASSERT_EQ(*again, journal);
    ASSERT_EQ(again->ToJson(), journal.ToJson());
  }
}

TEST(RotationJournal, FitsItsBoundAtItsLargest) {
  RotationJournal journal = Sample();
  const std::string text(RotationJournal::kMostText, '"');
  journal.object = journal.uid = journal.credential = journal.source_digest = text;
  journal.requests.assign(RotationJournal::kMostRequests, text);
  journal.unsent.assign(RotationJournal::kMostUnsent,
                        std::string(RotationJournal::kMostAuditLine, '"'));
  EXPECT_LE(journal.ToJson().size(), RotationJournal::kMostBytes);
  EXPECT_TRUE(RotationJournal::FromJson(journal.ToJson()));
}

struct RefusedCase {
  const char* name;
  std::string text;
  const char* sentence;
};

std::string With(std::string_view what, std::string_view instead) {
  RotationJournal journal = Sample();
  journal.sequence = 7;
  std::string text = journal.ToJson();
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), instead);
}

std::string Changed(void (*change)(RotationJournal&)) {
  RotationJournal journal = Sample();
  change(journal);
  return journal.ToJson();
}

class RefusedJournals : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedJournals, SayWhy) {
  const auto journal = RotationJournal::FromJson(GetParam().text);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().kind, ErrorKind::kDecode);
  EXPECT_THAT(journal.error().message, HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedJournals,
    testing::Values(
        RefusedCase{"empty", "", "the rotation journal"},
        RefusedCase{"a_list", "[]", "no JSON object"},
        RefusedCase{"no_format", "{}", "has format 0"},
        RefusedCase{"newer", With("\"format\":1", "\"format\":2"), "written by a newer operator"},
        RefusedCase{"unknown_phase", With("\"Drain\"", "\"Melt\""), "Melt"},
        RefusedCase{"unknown_cause", With("\"cause\":\"", "\"cause\":\"X"), "cause"},
        RefusedCase{"unknown_member", With("{\"format\":1", "{\"format\":1,\"value\":\"x\""),
                    "holds value, which format 1 does not know"},
        RefusedCase{"missing_member", With("\"sequence\":7,", ""), "sequence"},
        RefusedCase{"negative", With("\"sequence\":7", "\"sequence\":-7"), "cannot be negative"},
        RefusedCase{"not_a_time", With("\"phaseBegan\":\"", "\"phaseBegan\":\"soon "),
                    "phaseBegan"},
        RefusedCase{"too_large", std::string(RotationJournal::kMostBytes + 1, ' '), "at most"},
        RefusedCase{"long_text", Changed([](RotationJournal& j) { j.object.assign(513, 'a'); }),
                    "object has 513 bytes"},
        RefusedCase{"many_requests",
                    Changed([](RotationJournal& j) { j.requests.assign(17, "a"); }),
                    "holds 17 requests"},
        RefusedCase{"version_zero", Changed([](RotationJournal& j) { j.current->number = 0; }),
                    "current.number is 0"},
        RefusedCase{"drain_of_nothing", Changed([](RotationJournal& j) { j.current.reset(); }),
                    "in phase Drain and has no current version"},
        RefusedCase{"publish_of_nothing", Changed([](RotationJournal& j) {
                      j.phase = RotationPhase::kPublish;
                      j.next.reset();
                    }),
                    "in phase Publish and has no next version"}),
    [](const auto& param) { return param.param.name; });

TEST(RotationJournal, EveryCutIsRefused) {
  const std::string whole = Sample().ToJson();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(RotationJournal::FromJson(whole.substr(0, size))) << size;
  }
}

TEST(RotationId, IsTheSameForWhoeverWorksOnTheEpoch) {
  EXPECT_EQ(RotationId("uid", "otlp", 3), RotationId("uid", "otlp", 3));
  EXPECT_NE(RotationId("uid", "otlp", 3), RotationId("uid", "otlp", 4));
  EXPECT_NE(RotationId("uid", "otlp", 3), RotationId("uid", "otl", 3));
  EXPECT_EQ(RotationId("uid", "otlp", 3).size(), 18U);
}

TEST(CleanText, IsPrintableAndShort) {
  EXPECT_EQ(CleanText("a\nb\x7F\xC3"), "a?b??");
  EXPECT_EQ(CleanText(std::string(9999, 'x')).size(), 256U);
}

}  // namespace
}  // namespace tracekeeper::domain
