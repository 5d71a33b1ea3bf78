#include "src/codec/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace tracekeeper::codec {
namespace {

TEST(Base64, GivesTheVectorsOfRfc4648) {
  for (const auto& [bytes, text] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"", ""},
           {"f", "Zg=="},
           {"fo", "Zm8="},
           {"foo", "Zm9v"},
           {"foob", "Zm9vYg=="},
           {"fooba", "Zm9vYmE="},
           {"foobar", "Zm9vYmFy"},
           {"\xff\xfe\xfd", "//79"}}) {
    EXPECT_EQ(EncodeBase64(bytes), text);
    EXPECT_EQ(DecodeBase64(text).value(), bytes);
  }
}

TEST(Base64, RandomBytesComeBack) {
  std::mt19937 random(5);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)).value(), bytes);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "====", "Z===", "Zg==Zg==", "Zm9\n", "Zm 9", "-_-_", "Zh==", "Zm9="}) {
    EXPECT_FALSE(DecodeBase64(text)) << text;
  }
}

TEST(Base64, ErrorDoesNotShowTheText) {
  const auto decoded = DecodeBase64("c2VjcmV0!!!!");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "base64: character 9 is not of its alphabet");
}

}  // namespace
}  // namespace tracekeeper::codec
