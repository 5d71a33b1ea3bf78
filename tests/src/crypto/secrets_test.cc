// Digests, and strings that leave nothing behind.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "src/base/log.h"
#include "src/codec/json_writer.h"
#include "src/crypto/digest.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::crypto {
namespace {

template <typename T>
concept IsStreamable = requires(std::ostream& out, const T& value) { out << value; };
template <typename T>
concept IsJsonText = requires(codec::JsonWriter& writer, const T& value) { writer.String(value); };

TEST(Sha256Hex, IsTheStandardDigest) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SecretString, MovesWithoutLeavingACopy) {
  SecretString first("password");
  SecretString second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.Reveal(), "password");
  SecretString third;
  third = std::move(second);
  EXPECT_EQ(third.Reveal(), "password");
}

TEST(SecretString, WipesTheStringItTakesOver) {
  std::string source = "a password longer than the small-string buffer";
  const char* const bytes = source.data();
  const std::size_t size = source.size();
  const SecretString secret = SecretString::Taking(source);
  EXPECT_EQ(secret.Reveal(), "a password longer than the small-string buffer");
  EXPECT_TRUE(source.empty());
  // The buffer still belongs to `source`, which keeps its capacity.
  for (std::size_t i = 1; i < size; ++i) ASSERT_EQ(bytes[i], '\0') << i;
}

TEST(SecretString, ComparesByContent) {
  EXPECT_TRUE(SecretString("a").Equals(SecretString("a")));
  EXPECT_FALSE(SecretString("a").Equals(SecretString("b")));
  EXPECT_FALSE(SecretString("a").Equals(SecretString("ab")));
  EXPECT_TRUE(SecretString().Equals(SecretString("")));
}

TEST(SecretString, CannotBePutIntoALogLineOrAnError) {
  static_assert(!std::is_copy_constructible_v<SecretString>);
  static_assert(!std::is_convertible_v<SecretString, std::string_view>);
  static_assert(!std::is_constructible_v<LogField, std::string_view, SecretString>);
  static_assert(!fmt::is_formattable<SecretString>::value);
  static_assert(!IsStreamable<SecretString>);
  static_assert(IsStreamable<std::string>);
  static_assert(!IsJsonText<SecretString>);
  static_assert(IsJsonText<std::string>);
}

TEST(SecretString, IsFilledWhereItStays) {
  const SecretString secret = SecretString::Filled(3, [](char* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>('a' + i);
  });
  EXPECT_EQ(secret.Reveal(), "abc");
}

TEST(Wipe, ReachesTheUnusedCapacityToo) {
  std::string text = "a password longer than the small-string buffer";
  const char* const bytes = text.data();
  text.resize(2);
  Wipe(text);
  EXPECT_TRUE(text.empty());
  for (std::size_t i = 1; i < text.capacity(); ++i) ASSERT_EQ(bytes[i], '\0') << i;
}

}  // namespace
}  // namespace tracekeeper::crypto
