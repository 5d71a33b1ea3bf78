#include "src/continuity/cause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/support/folders.h"

namespace tracekeeper::continuity {
namespace {

class EachCause : public testing::TestWithParam<std::size_t> {
 protected:
  static Cause cause() { return static_cast<Cause>(GetParam()); }
};

TEST_P(EachCause, IsFoundByNameAndClass) {
  EXPECT_EQ(FindCause(NameOf(cause())), cause());
  EXPECT_EQ(FindCause(ClassOf(cause())), cause());
}

TEST_P(EachCause, HasANameThatIsALabelAndSentencesThatEnd) {
  for (const char c : NameOf(cause())) {
    EXPECT_TRUE(c == '_' || std::islower(static_cast<unsigned char>(c)) != 0) << NameOf(cause());
  }
  for (const std::string_view text : {SentenceOf(cause()), AdviceOf(cause())}) {
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(text.back(), '.') << text;
    EXPECT_NE(std::isupper(static_cast<unsigned char>(text.front())), 0) << text;
  }
}

TEST_P(EachCause, StandsInTheReferenceAsTheCodeSaysIt) {
  std::ifstream file(test_support::SourceFolder() / "docs/reference/causes.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::string row = "| " + std::string(ClassOf(cause())) + " | `" +
                          std::string(NameOf(cause())) + "` | " + std::string(SentenceOf(cause())) +
                          " | " + std::string(AdviceOf(cause())) + " |\n";
  EXPECT_THAT(text, testing::HasSubstr(row));
}

INSTANTIATE_TEST_SUITE_P(All, EachCause, testing::Range(std::size_t{0}, kCauseCount),
                         [](const auto& row) {
                           return std::string(NameOf(static_cast<Cause>(row.param)));
                         });

TEST(Causes, HaveNamesAndClassesOfTheirOwn) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    words.insert(NameOf(static_cast<Cause>(i)));
    words.insert(ClassOf(static_cast<Cause>(i)));
  }
  EXPECT_EQ(words.size(), 2 * kCauseCount);
  EXPECT_EQ(FindCause("lost_context"), std::nullopt);
  EXPECT_EQ(FindCause("b5"), Cause::kBrokenHop);
  EXPECT_EQ(FindCause("Broken_Hop"), Cause::kBrokenHop);
  EXPECT_EQ(FindCause("B"), std::nullopt);
}

TEST(Causes, ThatAreFindingsAreBadInNoRatio) {
  for (const Cause cause : {Cause::kUnfinished, Cause::kTracestateLost, Cause::kWorkAfterReply,
                            Cause::kCancelledWithParent}) {
    EXPECT_TRUE(CountsInOf(cause).nowhere()) << NameOf(cause);
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
