// Headers, targets and base URLs as values.

#include "src/net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/net/origin.h"

namespace tracekeeper::net {
namespace {

TEST(Headers, CompareNamesWithoutCaseAndKeepTheirOrder) {
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  EXPECT_EQ(headers.Get("content-TYPE"), "a");
  EXPECT_EQ(headers.Get("X"), "1");
  EXPECT_TRUE(headers.Has("x"));
  EXPECT_FALSE(headers.Has("Content"));
  headers.Set("X", "3");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.Get("x"), "3");
  EXPECT_EQ(headers.Get("missing"), "");
}

TEST(Target, IsSplitIntoPathAndParameters) {
  EXPECT_EQ(PathOf("/a/b?c=d"), "/a/b");
  EXPECT_EQ(PathOf("/a"), "/a");
  constexpr std::string_view kTarget = "/a?empty=&x=1%202&y=a+b&x=second&flag&bad=%zz&%6bey=v";
  EXPECT_EQ(QueryParameter(kTarget, "x"), "1 2");
  EXPECT_EQ(QueryParameter(kTarget, "y"), "a b");
  EXPECT_EQ(QueryParameter(kTarget, "empty"), "");
  EXPECT_EQ(QueryParameter(kTarget, "flag"), "");
  EXPECT_EQ(QueryParameter(kTarget, "bad"), "%zz");
  EXPECT_EQ(QueryParameter(kTarget, "key"), "v");
  EXPECT_EQ(QueryParameter("/a", "x"), "");
}

TEST(PercentEncode, KeepsUnreservedCharactersAlone) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a b/c=d&\xC3\xA9"), "a%20b%2Fc%3Dd%26%C3%A9");
  EXPECT_EQ(QueryParameter("/?x=" + PercentEncode("1+1=2 & more\n"), "x"), "1+1=2 & more\n");
}

TEST(ReasonPhrase, IsTheStandardOne) {
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(299), "Unknown");
}

struct OriginCase {
  const char* url;
  const char* text;  // null: refused
  const char* authority = "";
};

constexpr OriginCase kOrigins[] = {
    {"https://10.0.0.1:6443", "https://10.0.0.1:6443", "10.0.0.1:6443"},
    {"https://kubernetes.default", "https://kubernetes.default:443", "kubernetes.default"},
    {"http://localhost/", "http://localhost:80", "localhost"},
    {"https://[::1]:8443", "https://[::1]:8443", "[::1]:8443"},
    {"https://[fd00::1]", "https://[fd00::1]:443", "[fd00::1]"},
    {"ftp://host", nullptr},
    {"host:80", nullptr},
    {"https://", nullptr},
    {"https://user:password@host", nullptr},
    {"https://host/path", nullptr},
    {"https://host?query", nullptr},
    {"https://host:", nullptr},
    {"https://host:0", nullptr},
    {"https://host:65536", nullptr},
    {"https://host:80x", nullptr},
    {"https://[::1", nullptr},
    {"https://[::1]80", nullptr},
};

TEST(Origin, IsReadFromABaseUrl) {
  for (const OriginCase& example : kOrigins) {
    const auto origin = ParseOrigin(example.url);
    ASSERT_EQ(origin.has_value(), example.text != nullptr) << example.url;
    if (!origin) {
      EXPECT_EQ(origin.error().kind, ErrorKind::kInvalid);
      EXPECT_THAT(origin.error().message, testing::Not(testing::HasSubstr("password@")));
      continue;
    }
    EXPECT_EQ(origin->Text(), example.text);
    EXPECT_EQ(origin->Authority(), example.authority);
  }
}

}  // namespace
}  // namespace tracekeeper::net
