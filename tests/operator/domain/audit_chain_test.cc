#include "operator/domain/audit_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/operator/domain/rotation_samples.h"

namespace tracekeeper::domain {
namespace {

using testing::HasSubstr;

std::size_t FaultyLine(const AuditVerdict& verdict) {
  return verdict.fault ? verdict.fault->line : std::string::npos;
}

KnownAuditHead HeadOf(const AuditVerdict& verdict) {
  const AuditChainSummary& chain = verdict.chains.at(0);
  return {chain.object, chain.uid, chain.credential, chain.head};
}

TEST(AuditChain, IsWholeAsItWasWritten) {
  const AuditVerdict verdict = VerifyAudit(Joined(AuditLines(25)));
  EXPECT_FALSE(verdict.fault) << verdict.fault->sentence;
  EXPECT_EQ(verdict.records, 25U);
  ASSERT_EQ(verdict.chains.size(), 1U);
  EXPECT_EQ(verdict.chains[0].head.count, 25);
}

TEST(AuditChain, OfNothingIsWhole) {
  EXPECT_FALSE(VerifyAudit("").fault);
  EXPECT_EQ(FaultyLine(VerifyAudit("\n")), 1U) << "a record may have stood there";
}

TEST(AuditChain, ReadsTheLastLineWithoutItsNewline) {
  std::string text = Joined(AuditLines(3));
  text.pop_back();
  EXPECT_EQ(VerifyAudit(text).records, 3U);
}

TEST(AuditChain, ChainsOfSeveralCredentialsMayLieMixed) {
  const auto one = AuditLines(4, "otlp");
  const auto other = AuditLines(3, "database");
  const AuditVerdict verdict =
      VerifyAudit(Joined({one[0], other[0], other[1], one[1], one[2], other[2], one[3]}));
  EXPECT_FALSE(verdict.fault) << verdict.fault->sentence;
  EXPECT_EQ(verdict.chains.size(), 2U);
  EXPECT_EQ(verdict.records, 7U);
}

TEST(AuditChain, ALineThatWasWrittenTwiceIsPassedOver) {
  auto lines = AuditLines(4);
  lines.insert(lines.begin() + 2, lines[1]);
  lines.insert(lines.begin() + 3, lines[0]);
  const AuditVerdict verdict = VerifyAudit(Joined(lines));
  EXPECT_FALSE(verdict.fault) << verdict.fault->sentence;
  EXPECT_EQ(verdict.records, 4U);
  EXPECT_EQ(verdict.repeats, 2U);
}

/// The law: whatever single byte is changed, to whatever, the chain says so, at its line.
TEST(AuditChain, AnyChangedByteIsFound) {
  const std::string whole = Joined(AuditLines(4));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char to : {'\0', ' ', '\n', '0', '9', 'a', 'f', '"', '\\', '}', '\xFF',
                          static_cast<char>(whole[at] ^ 1), static_cast<char>(whole[at] ^ 32)}) {
      if (to == whole[at]) continue;
      std::string changed = whole;
      changed[at] = to;
      const AuditVerdict verdict = VerifyAudit(changed);
      ASSERT_TRUE(verdict.fault) << "byte " << at << " as " << static_cast<int>(to);
      ASSERT_EQ(verdict.fault->line,
                1U + static_cast<std::size_t>(
                         std::count(whole.begin(), whole.begin() + static_cast<long>(at), '\n')));
      ASSERT_FALSE(verdict.fault->sentence.empty());
    }
  }
}

TEST(AuditChain, AnyRemovedLineIsFound) {
  const auto whole = AuditLines(12);
  const AuditVerdict verdict = VerifyAudit(Joined(whole));
  const std::vector<KnownAuditHead> heads = {HeadOf(verdict)};
  for (std::size_t from = 0; from < whole.size(); ++from) {
    for (std::size_t count = 1; from + count <= whole.size(); ++count) {
      auto lines = whole;
      const auto first = lines.begin() + static_cast<long>(from);
      lines.erase(first, first + static_cast<long>(count));
      const AuditVerdict after = VerifyAudit(Joined(lines), heads);
      ASSERT_TRUE(after.fault) << from << "+" << count;
      const bool at_end = from + count == whole.size();
      ASSERT_EQ(after.fault->line, at_end ? 0U : from + 1);
    }
  }
}

TEST(AuditChain, AnyOtherOrderIsFound) {
  const auto whole = AuditLines(10);
  for (std::size_t a = 0; a < whole.size(); ++a) {
    for (std::size_t b = a + 1; b < whole.size(); ++b) {
      auto lines = whole;
      std::swap(lines[a], lines[b]);
      ASSERT_EQ(FaultyLine(VerifyAudit(Joined(lines))), a + 1);
    }
  }
}

TEST(AuditChain, ACutEndIsFoundByTheHeadInTheJournal) {
  const auto whole = AuditLines(5);
  const std::vector<KnownAuditHead> heads = {HeadOf(VerifyAudit(Joined(whole)))};
  const auto cut = Joined({whole.begin(), whole.end() - 1});
  EXPECT_FALSE(VerifyAudit(cut).fault) << "without a head it cannot be known";
  const AuditVerdict verdict = VerifyAudit(cut, heads);
  ASSERT_TRUE(verdict.fault);
  EXPECT_THAT(verdict.fault->sentence, HasSubstr("ends after record 4: its journal knows of 5"));
  EXPECT_TRUE(VerifyAudit("", heads).fault) << "all of it was cut";
}

TEST(AuditChain, AChainThatWasWrittenAnewIsFoundByTheHead) {
  const std::vector<KnownAuditHead> heads = {HeadOf(VerifyAudit(Joined(AuditLines(5))))};
  std::string forged;
  AuditHead head;
  for (int i = 0; i < 6; ++i) {
    AuditRecord record;
    record.object = "shop/checkout";
    record.uid = "0d3c6a54";
    record.credential = "otlp";
    const AuditLine line = NextAuditLine(record, head);
    forged += line.text + "\n";
    head = line.head;
  }
  EXPECT_FALSE(VerifyAudit(forged).fault);
  const AuditVerdict verdict = VerifyAudit(forged, heads);
  ASSERT_TRUE(verdict.fault);
  EXPECT_THAT(verdict.fault->sentence, HasSubstr("written anew"));
}

TEST(AuditChain, ANewerHeadThanTheFileIsNotAskedFor) {
  const auto whole = AuditLines(5);
  const std::vector<KnownAuditHead> older = {
      HeadOf(VerifyAudit(Joined({whole.begin(), whole.begin() + 3})))};
  EXPECT_FALSE(VerifyAudit(Joined(whole), older).fault);
}

struct FaultCase {
  const char* name;
  std::string text;
  const char* sentence;
};

class AuditFaults : public testing::TestWithParam<FaultCase> {};

TEST_P(AuditFaults, AreSaidInASentence) {
  const AuditVerdict verdict = VerifyAudit(GetParam().text);
  ASSERT_TRUE(verdict.fault);
  EXPECT_THAT(verdict.fault->sentence, HasSubstr(GetParam().sentence));
}

std::string OfFormatTwo() {
  std::string line = AuditLines(1)[0];
  return line.replace(line.find("\"v\":1"), 5, "\"v\":2");
}

INSTANTIATE_TEST_SUITE_P(Table, AuditFaults,
                         testing::Values(FaultCase{"not_json", "hello\n", "no audit record"},
                                         FaultCase{"a_list", "[]\n", "no audit record"},
                                         FaultCase{"no_members", "{}\n", "is missing"},
                                         FaultCase{"newer_format", OfFormatTwo(),
                                                   "use a newer one"},
                                         FaultCase{"too_long", std::string(20000, 'x'), "at most"},
                                         FaultCase{"begins_later", Joined({AuditLines(3)[1]}),
                                                   "does not follow record 0"}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tracekeeper::domain
