#include "sidecar/config_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/crypto/digest.h"

namespace tracekeeper::sidecar {
namespace {

using ::testing::HasSubstr;

const Instant kStart{std::chrono::seconds(1'700'000'000)};
Instant At(int second) { return kStart + std::chrono::seconds(second); }

std::string Body(std::int64_t generation) {
  config::SidecarConfig config;
  config.policy = {"shop", "checkout"};
  config.generation = generation;
  return config::EncodeSidecarConfig(config);
}

std::string DigestOf(std::string_view text) { return "sha256:" + crypto::Sha256Hex(text); }

FileText Text(std::int64_t generation) {
  const std::string body = Body(generation);
  return {config::WithDigest(DigestOf(body), body)};
}

class ConfigStateTest : public ::testing::Test {
 protected:
  ConfigState state_{"/config/config.yaml"};
};

TEST_F(ConfigStateTest, WaitsWhileThereIsNoFile) {
  EXPECT_EQ(state_.Take(FileMissing{}, At(1)), ConfigOutcome::kMissing);
  EXPECT_EQ(state_.Take(FileMissing{}, At(2)), ConfigOutcome::kMissing);
  EXPECT_EQ(state_.in_use(), nullptr);
  ASSERT_TRUE(state_.problem());
  EXPECT_THAT(state_.problem()->message, HasSubstr("waiting for /config/config.yaml"));
  EXPECT_EQ(state_.problem()->since, At(1)) << "waits since the first look";
  EXPECT_EQ(state_.refused(), 0U) << "a file that is not there yet is nobody's mistake";
}

TEST_F(ConfigStateTest, TakesAGoodFileAndSaysWhichAndSinceWhen) {
  EXPECT_EQ(state_.Take(Text(3), At(1)), ConfigOutcome::kApplied);
  ASSERT_NE(state_.in_use(), nullptr);
  EXPECT_EQ(state_.in_use()->config.generation, 3);
  EXPECT_EQ(state_.in_use()->digest, DigestOf(Body(3)));
  EXPECT_EQ(state_.in_use()->since, At(1));
  EXPECT_FALSE(state_.problem());
  EXPECT_EQ(state_.applied(), 1U);
}

TEST_F(ConfigStateTest, SameBytesAreNoNews) {
  state_.Take(Text(3), At(1));
  EXPECT_EQ(state_.Take(Text(3), At(2)), ConfigOutcome::kUnchanged);
  EXPECT_EQ(state_.in_use()->since, At(1));
  EXPECT_EQ(state_.applied(), 1U);
}

TEST_F(ConfigStateTest, KeepsTheLastGoodOneWhenTheNextIsBad) {
  state_.Take(Text(3), At(1));
  EXPECT_EQ(state_.Take(FileText{"version: x"}, At(2)), ConfigOutcome::kRefused);
  EXPECT_EQ(state_.Take(FileText{"version: x"}, At(3)), ConfigOutcome::kUnchanged);
  EXPECT_EQ(state_.in_use()->config.generation, 3);
  ASSERT_TRUE(state_.problem());
  EXPECT_THAT(state_.problem()->message, HasSubstr("version is a string"));
  EXPECT_THAT(state_.problem()->message, HasSubstr("the last good configuration stays in use"));
  EXPECT_EQ(state_.problem()->since, At(2));
  EXPECT_EQ(state_.refused(), 1U);
}

TEST_F(ConfigStateTest, RecoversWhenTheGoodFileComesBack) {
  state_.Take(Text(3), At(1));
  state_.Take(FileText{"nonsense"}, At(2));
  EXPECT_EQ(state_.Take(Text(3), At(3)), ConfigOutcome::kRecovered);
  EXPECT_FALSE(state_.problem());
  EXPECT_EQ(state_.in_use()->since, At(1)) << "it was in use all the time";
  EXPECT_EQ(state_.Take(Text(4), At(4)), ConfigOutcome::kApplied);
  EXPECT_EQ(state_.in_use()->since, At(4));
}

TEST_F(ConfigStateTest, KeepsTheLastGoodOneWhenTheFileGoes) {
  state_.Take(Text(3), At(1));
  EXPECT_EQ(state_.Take(FileMissing{}, At(2)), ConfigOutcome::kMissing);
  EXPECT_EQ(state_.in_use()->config.generation, 3);
  EXPECT_THAT(state_.problem()->message, HasSubstr("is gone; the last good"));
  EXPECT_EQ(state_.Take(Text(3), At(3)), ConfigOutcome::kRecovered);
}

TEST_F(ConfigStateTest, RefusesATextThatIsNotWhatItsDigestSays) {
  std::string text = Text(3).text;
  text.replace(text.find("generation: 3"), 13, "generation: 4");
  EXPECT_EQ(state_.Take(FileText{text}, At(1)), ConfigOutcome::kRefused);
  EXPECT_THAT(state_.problem()->message, HasSubstr("changed by hand"));
}

TEST_F(ConfigStateTest, TakesAFileWithoutDigestThatAPersonWrote) {
  EXPECT_EQ(state_.Take(FileText{Body(5)}, At(1)), ConfigOutcome::kApplied);
  EXPECT_EQ(state_.in_use()->digest, DigestOf(Body(5)));
}

TEST_F(ConfigStateTest, CountsAnUnreadableFileOnceUntilItChanges) {
  EXPECT_EQ(state_.Take(FileUnreadable{"permission denied"}, At(1)), ConfigOutcome::kRefused);
  EXPECT_EQ(state_.Take(FileUnreadable{"permission denied"}, At(2)), ConfigOutcome::kUnchanged);
  EXPECT_EQ(state_.refused(), 1U);
  EXPECT_THAT(state_.problem()->message,
              HasSubstr("cannot read /config/config.yaml: permission denied"));
}

}  // namespace
}  // namespace tracekeeper::sidecar
