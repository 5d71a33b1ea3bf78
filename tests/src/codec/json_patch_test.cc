#include "src/codec/json_patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "src/codec/json_writer.h"
#include "tests/src/codec/random_json.h"

namespace tracekeeper::codec {
namespace {

struct PatchCase {
  std::string_view name, document, patch, want;  // want: the document, or the error's text
};

class AppliesJsonPatch : public ::testing::TestWithParam<PatchCase> {};

TEST_P(AppliesJsonPatch, AsTheApiServerDoes) {
  const auto result = ApplyJsonPatch(GetParam().document, GetParam().patch);
  EXPECT_EQ(result ? *result : result.error().message, GetParam().want);
}

constexpr PatchCase kPatchCases[] = {
    {"nothing", R"({"a":1})", "[]", R"({"a":1})"},
    {"addMember", "{}", R"([{"op":"add","path":"/a","value":[1]}])", R"({"a":[1]})"},
    {"addReplacesMember", R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":3}])",
     R"({"a":3,"b":2})"},
    {"addFirst", R"({"c":[{"n":"x"}]})", R"([{"op":"add","path":"/c/0","value":{"n":"y"}}])",
     R"({"c":[{"n":"y"},{"n":"x"}]})"},
    {"addLast", "[1]", R"([{"op":"add","path":"/-","value":2}])", "[1,2]"},
    {"addAtLength", "[1]", R"([{"op":"add","path":"/1","value":2}])", "[1,2]"},
    {"addBeyondLength", "[1]", R"([{"op":"add","path":"/2","value":2}])",
     "patch operation 0 (add /2): index 2 is beyond a list of 1"},
    {"addBelowNothing", "{}", R"([{"op":"add","path":"/a/b","value":1}])",
     "patch operation 0 (add /a/b): there is no member \"a\""},
    {"addToAbsentList", "{}", R"([{"op":"add","path":"/initContainers/0","value":{}}])",
     "patch operation 0 (add /initContainers/0): there is no member \"initContainers\""},
    {"addBelowText", R"({"a":"x"})", R"([{"op":"add","path":"/a/b","value":1}])",
     "patch operation 0 (add /a/b): \"b\" is looked up in a value that is no object or list"},
    {"addWhole", "{}", R"([{"op":"add","path":"","value":[1]}])", "[1]"},
    {"escapedKey", "{}", R"([{"op":"add","path":"/a~1b~0c","value":1}])", R"({"a/b~c":1})"},
    {"emptyKey", "{}", R"([{"op":"add","path":"/","value":1}])", R"({"":1})"},
    {"badEscape", "{}", R"([{"op":"add","path":"/a~2","value":1}])",
     "patch operation 0 (add /a~2): the pointer \"/a~2\" has a ~ that is not ~0 or ~1"},
    {"noSlash", "{}", R"([{"op":"add","path":"a","value":1}])",
     "patch operation 0 (add a): the pointer \"a\" does not begin with /"},
    {"leadingZero", "[1,2]", R"([{"op":"remove","path":"/01"}])",
     "patch operation 0 (remove /01): \"01\" is no index of a list"},
    {"negative", "[1,2]", R"([{"op":"remove","path":"/-1"}])",
     "patch operation 0 (remove /-1): \"-1\" is no index of a list"},
    {"remove", R"({"a":1,"b":[1,2]})",
     R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/b/0"}])", R"({"b":[2]})"},
    {"removeAbsent", "{}", R"([{"op":"remove","path":"/a"}])",
     "patch operation 0 (remove /a): there is no member \"a\""},
    {"removeWhole", "{}", R"([{"op":"remove","path":""}])",
     "patch operation 0 (remove ): the whole document cannot be removed"},
    {"replace", R"({"a":1})", R"([{"op":"replace","path":"/a","value":null}])", R"({"a":null})"},
    {"replaceAbsent", "{}", R"([{"op":"replace","path":"/a","value":1}])",
     "patch operation 0 (replace /a): there is no member \"a\""},
    {"testEqual", R"({"a":{"x":1,"y":[2]}})",
     R"([{"op":"test","path":"/a","value":{"y":[2],"x":1}},{"op":"add","path":"/b","value":1}])",
     R"({"a":{"x":1,"y":[2]},"b":1})"},
    {"testDifferent", R"({"a":1})", R"([{"op":"test","path":"/a","value":"1"}])",
     "patch operation 0 (test /a): the value there is another"},
    {"failureKeepsNothing", "{}",
     R"([{"op":"add","path":"/a","value":1},{"op":"remove","path":"/b"}])",
     "patch operation 1 (remove /b): there is no member \"b\""},
    {"noValue", "{}", R"([{"op":"add","path":"/a"}])",
     "patch operation 0 (add /a): \"value\" is missing"},
    {"noOperation", "{}", R"([{"path":"/a"}])", "patch operation 0 has no \"op\" or no \"path\""},
    {"copy", "{}", R"([{"op":"copy","path":"/a","from":""}])",
     "patch operation 0 (copy /a): operations are add, remove, replace and test"},
    {"noList", "{}", "{}", "the patch is no list of operations"},
    {"badJson", "{}", "[", "JSON, line 1 column 2: the text ends where a value is expected"},
};

INSTANTIATE_TEST_SUITE_P(Rows, AppliesJsonPatch, ::testing::ValuesIn(kPatchCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(JsonPointer, TokensAreEscapedAndFoundAgain) {
  std::string pointer;
  AppendPointerToken(pointer, "metadata");
  AppendPointerToken(pointer, "a~b/c");
  EXPECT_EQ(pointer, "/metadata/a~0b~1c");
  EXPECT_THAT(ParsePointer(pointer).value(), ::testing::ElementsAre("metadata", "a~b/c"));
  JsonParser parser;
  const JsonValue root = parser.Parse(R"({"metadata":{"a~b/c":[10,20]}})").value();
  EXPECT_EQ(FindPointer(root, pointer + "/1").Integer(), 20);
  EXPECT_EQ(FindPointer(root, "").ToJson(), root.ToJson());
  EXPECT_FALSE(FindPointer(root, pointer + "/2"));
  EXPECT_FALSE(FindPointer(root, "/metadata/none/0"));
  EXPECT_FALSE(FindPointer(root, "metadata"));
}

TEST(JsonPatch, PathDepthIsBounded) {
  std::string path;
  for (std::size_t i = 0; i <= JsonValue::kMaxDepth; ++i) path += "/a";
  JsonWriter patch;
  patch.BeginArray().BeginObject().Member("op", "remove").Member("path", path);
  patch.EndObject().EndArray();
  const auto result = ApplyJsonPatch("{}", patch.text());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("more than 64 steps"));
}

TEST(JsonPatchProperty, AddAndRemoveGiveTheDocumentBack) {
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    const std::string document = "{\"k\":" + RandomJson(random) + "}";
    const std::string add =
        R"([{"op":"add","path":"/new~1key","value":)" + RandomJson(random) + "}]";
    const auto added = ApplyJsonPatch(document, add);
    ASSERT_TRUE(added) << added.error().message;
    const auto removed = ApplyJsonPatch(*added, R"([{"op":"remove","path":"/new~1key"}])");
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(*removed, document);
  }
}

}  // namespace
}  // namespace tracekeeper::codec
