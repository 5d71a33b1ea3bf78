#include "src/runtime/uid.h"

#include <gtest/gtest.h>

#include "src/runtime/uuid.h"

namespace tracekeeper::runtime {
namespace {

TEST(Uid, IsTheSixteenBytesThatTheTextNames) {
  const Uid uid = ParseUid("00112233-4455-6677-8899-aabbccddeeff");
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(uid.bytes[i], i * 0x11);
}

TEST(Uid, TextInAnotherFormIsStillDistinguished) {
  EXPECT_TRUE(ParseUid("").empty());
  EXPECT_FALSE(ParseUid("static-pod").empty());
  EXPECT_EQ(ParseUid("static-pod"), ParseUid("static-pod"));
  EXPECT_NE(ParseUid("static-pod"), ParseUid("static-pox"));
  EXPECT_NE(ParseUid("00112233-4455-6677-8899-aabbccddeefg"),
            ParseUid("00112233-4455-6677-8899-aabbccddeefh"));
  EXPECT_NE(ParseUid("00112233x4455-6677-8899-aabbccddeeff"),
            ParseUid("00112233-4455-6677-8899-aabbccddeeff"));
}

TEST(VersionNumber, IsTheNumberOrAHash) {
  EXPECT_EQ(ParseVersion("184467"), 184467U);
  EXPECT_EQ(ParseVersion("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(ParseVersion(""), 0U);
  EXPECT_EQ(ParseVersion("0"), 0U);
  EXPECT_NE(ParseVersion("12a"), 0U);
  EXPECT_NE(ParseVersion("12a"), ParseVersion("12b"));
  EXPECT_NE(ParseVersion("18446744073709551616"), 0U);
}

TEST(RandomUuid, IsAVersion4UuidAndNeverTheSame) {
  const std::string first = RandomUuid();
  ASSERT_EQ(first.size(), 36U);
  EXPECT_EQ(first[14], '4');
  EXPECT_NE(std::string("89ab").find(first[19]), std::string::npos);
  EXPECT_NE(first, RandomUuid());
}

}  // namespace
}  // namespace tracekeeper::runtime
