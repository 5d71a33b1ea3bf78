#include "src/vault/path.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tracekeeper::vault {
namespace {

struct PathCase {
  std::string_view name, path, want;  // empty: refused
};
constexpr PathCase kCases[] = {
    {"one part", "shop", "shop"},
    {"several parts", "shop/otlp/key", "shop/otlp/key"},
    {"blanks and signs are encoded", "my app/a?b#c%d", "my%20app/a%3Fb%23c%25d"},
    {"dots inside a part stay", "a..b/.c/d..", "a..b/.c/d.."},
    {"UTF-8 is encoded", "caf\xc3\xa9", "caf%C3%A9"},
    {"empty", "", ""},
    {"leading slash", "/shop", ""},
    {"trailing slash", "shop/", ""},
    {"empty part", "shop//otlp", ""},
    {"only a slash", "/", ""},
    {"up", "..", ""},
    {"up inside", "shop/../../sys/seal", ""},
    {"up at the end", "shop/..", ""},
    {"here", "./shop", ""},
    {"line break", "shop\r\nX-Vault-Token: a", ""},
    {"tab", "sh\top", ""},
    {"delete", "sh\x7fop", ""},
    {"not UTF-8", "sh\xffop", ""},
    {"half a character", "caf\xc3", ""},
};

TEST(Path, IsEncodedOrRefused) {
  for (const PathCase& c : kCases) {
    const auto encoded = EncodePath(c.path);
    EXPECT_EQ(encoded.value_or(""), c.want) << c.name;
    EXPECT_TRUE(encoded || encoded.error().kind == ErrorKind::kInvalid) << c.name;
  }
  EXPECT_FALSE(EncodePath(std::string("a\0b", 3)));
  EXPECT_FALSE(EncodePath(std::string(kLongestPath + 1, 'a')));
  EXPECT_TRUE(EncodePath(std::string(kLongestPath, 'a')));
  EXPECT_FALSE(CheckName("a/b"));
  EXPECT_TRUE(CheckName("a b"));
  EXPECT_EQ(JoinPath("team a/kv", "data", "x/y").value_or(""), "team%20a/kv/data/x/y");
  EXPECT_FALSE(JoinPath("kv", "data", "../sys"));
  EXPECT_FALSE(JoinPath("../kv", "data", "x"));
}

/// Whatever is let through has as many parts as were written, none of which leads up, and nothing
/// that a URL gives a meaning to.
TEST(Path, NothingThatIsLetThroughLeavesItsMount) {
  std::mt19937 random(7);
  constexpr std::string_view kPieces[] = {"..", ".", "/", "a", "%2e", "%2F", "\\",   "\n",
                                          "?",  "#", ";", "é", " ",   "%",   "..%2f"};
  std::size_t let_through = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string path;
    for (unsigned piece = 0; piece < random() % 8; ++piece) {
      path += kPieces[random() % std::size(kPieces)];
    }
    const auto encoded = EncodePath(path);
    if (!encoded) continue;
    ++let_through;
    const std::string wrapped = "/" + *encoded + "/";
    EXPECT_EQ(wrapped.find("/../"), std::string::npos) << path;
    EXPECT_EQ(wrapped.find("/./"), std::string::npos) << path;
    EXPECT_EQ(wrapped.find("//"), std::string::npos) << path;
    EXPECT_EQ(encoded->find_first_of("?#\\; \n"), std::string::npos) << path;
    EXPECT_EQ(std::count(encoded->begin(), encoded->end(), '/'),
              std::count(path.begin(), path.end(), '/'));
  }
  EXPECT_GT(let_through, 1000U);
}

}  // namespace
}  // namespace tracekeeper::vault
