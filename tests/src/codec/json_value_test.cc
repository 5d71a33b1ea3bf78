#include "src/codec/json_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "src/codec/json_check.h"
#include "src/codec/json_writer.h"
#include "tests/src/codec/random_json.h"

namespace tracekeeper::codec {
namespace {

using Kind = JsonValue::Kind;

TEST(JsonValue, ReadsEveryKind) {
  JsonParser parser;
  const JsonValue root =
      parser
          .Parse(
              R"({"n":null,"b":true,"i":-7,"u":18446744073709551615,"d":2.5,"s":"x","a":[1],"o":{}})")
          .value();
  EXPECT_EQ(root["n"].kind(), Kind::kNull);
  EXPECT_EQ(root["b"].Bool(), true);
  EXPECT_EQ(root["i"].Integer(), -7);
  EXPECT_EQ(root["i"].Double(), -7.0);
  EXPECT_EQ(root["u"].kind(), Kind::kInteger);
  EXPECT_EQ(root["u"].Integer(), std::nullopt) << "above the signed range";
  EXPECT_EQ(root["u"].Unsigned(), 18446744073709551615U);
  EXPECT_EQ(root["d"].Double(), 2.5);
  EXPECT_EQ(root["d"].Integer(), std::nullopt);
  EXPECT_EQ(root["s"].String(), "x");
  EXPECT_TRUE(root["a"].is_array());
  EXPECT_TRUE(root["o"].is_object());
  EXPECT_EQ(root.size(), 8U);
}

TEST(JsonValue, WhatIsAbsentOrAnotherKindIsMissing) {
  JsonParser parser;
  const JsonValue root = parser.Parse(R"({"a":{"b":"x"}})").value();
  EXPECT_FALSE(root["no"]["such"]["path"]);
  EXPECT_EQ(root["no"].kind(), Kind::kMissing);
  EXPECT_EQ(root["a"]["b"]["c"].StringOr("fallback"), "fallback");
  EXPECT_EQ(root["a"].IntegerOr(3), 3);
  EXPECT_EQ(root["a"].BoolOr(true), true);
  EXPECT_EQ(root["a"]["b"].size(), 0U);
  for ([[maybe_unused]] const JsonValue element : root.Elements()) FAIL() << "an object has none";
  for ([[maybe_unused]] const JsonMember& member : root["a"]["b"].Members()) FAIL();
  EXPECT_FALSE(JsonValue());
}

TEST(JsonValue, IteratesInOrderOverNestedValues) {
  JsonParser parser;
  const JsonValue root = parser.Parse(R"([{"a":[1,[2]]},"x",{},[],3.5])").value();
  std::string seen;
  for (const JsonValue element : root.Elements()) seen += element.ToJson() + ";";
  EXPECT_EQ(seen, R"({"a":[1,[2]]};"x";{};[];3.5;)");
}

TEST(JsonValue, OfAKeyThatStandsTwiceTheFirstWins) {
  JsonParser parser;
  const JsonValue root = parser.Parse(R"({"k":1,"k":2})").value();
  EXPECT_EQ(root["k"].Integer(), 1);
  EXPECT_EQ(root.ToJson(), R"({"k":1,"k":2})");
}

TEST(JsonValue, CanonicalFormSortsMembersAtEveryDepth) {
  JsonParser parser;
  const JsonValue root = parser.Parse(R"({"b":[{"d":1,"c":2}],"a":"\u00e9\/\t"})").value();
  EXPECT_EQ(root.ToCanonicalJson(), "{\"a\":\"é/\\t\",\"b\":[{\"c\":2,\"d\":1}]}");
}

TEST(JsonParser, ViewsSurviveAMoveOfTheParser) {
  JsonParser parser;
  const JsonValue root = parser.Parse(R"({"a":"x"})").value();
  const JsonParser moved = std::move(parser);
  EXPECT_EQ(root["a"].String(), "x");
}

TEST(JsonParser, ReadsSmallAfterLargeAfterSmall) {
  JsonParser parser;
  const std::string large = "[\"" + std::string(3U << 20U, 'x') + "\"]";
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(parser.Parse("[1]").value().ToJson(), "[1]");
    EXPECT_EQ(parser.Parse(large).value().ToJson(), large);
  }
}

TEST(JsonParser, TextNeedNotOutliveTheCallAndMayEndAnywhere) {
  JsonParser parser;
  auto text = std::make_unique<std::string>(R"(["abc"])");
  const JsonValue root = parser.Parse(*text).value();
  text.reset();
  EXPECT_EQ(root.ToJson(), R"(["abc"])");
}

TEST(JsonParser, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
  };
  JsonParser parser;
  EXPECT_TRUE(parser.Parse(nested(JsonValue::kMaxDepth)));
  const auto refused = parser.Parse(nested(JsonValue::kMaxDepth + 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "JSON, line 1 column 65: more than 64 nested objects and arrays");
  EXPECT_FALSE(parser.Parse(std::string(1'000'000, '[')));
}

struct BadJson {
  std::string_view name, text, want;
};

class JsonParserRefuses : public ::testing::TestWithParam<BadJson> {};

TEST_P(JsonParserRefuses, AndSaysWhere) {
  JsonParser parser;
  const auto value = parser.Parse(GetParam().text);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::kDecode);
  EXPECT_EQ(value.error().message, GetParam().want);
}

constexpr BadJson kBadJson[] = {
    {"empty", "", "JSON, line 1 column 1: the text is empty; expected a JSON value"},
    {"spaces", " \n ", "JSON, line 2 column 2: the text is empty; expected a JSON value"},
    {"html", "<html>", "JSON, line 1 column 1: expected a value"},
    {"cutList", "[1,", "JSON, line 1 column 4: the text ends where a value is expected"},
    {"cutObject", "{\"a\":1", "JSON, line 1 column 7: the text ends before '}'"},
    {"cutString", "[\"a", "JSON, line 1 column 4: the text ends inside a string"},
    {"noColon", "{\"a\" 1}", "JSON, line 1 column 6: expected ':' after the member name"},
    {"noComma", "{\n  \"a\": 1\n  \"b\": 2\n}", "JSON, line 3 column 3: expected ',' or '}'"},
    {"noQuotes", "{a: 1}", "JSON, line 1 column 2: expected a member name in double quotes"},
    {"twoDocuments", "{} {}", "JSON, line 1 column 4: there is more after the end of the document"},
    {"leadingZero", "[01]", "JSON, line 1 column 2: a number may not start with 0"},
    {"noFraction", "[1.]", "JSON, line 1 column 4: expected a digit"},
    {"word", "[tru]", "JSON, line 1 column 2: expected true"},
    {"escape", "[\"\\x\"]", "JSON, line 1 column 4: unknown escape in a string"},
    {"control", "[\"\x01\"]",
     "JSON, line 1 column 3: a control character in a string must be written as an escape"},
    {"loneHigh", R"(["\ud800"])", "JSON, line 1 column 9: a high surrogate without its low one"},
    {"loneLow", R"(["\udc00"])", "JSON, line 1 column 9: a low surrogate without its high one"},
    {"utf8", "[\"\xff\"]", "JSON, line 1 column 3: the text is not UTF-8"},
    {"utf8Cut", "[\"\xe2\x82\"]", "JSON, line 1 column 3: the text is not UTF-8"},
    {"tooLarge", "[1e999]", "JSON: Problem while parsing a number"},
    {"tooLong", "[99999999999999999999]", "JSON: Problem while parsing a number"},
};

INSTANTIATE_TEST_SUITE_P(Texts, JsonParserRefuses, ::testing::ValuesIn(kBadJson),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(JsonProperty, WhatIsWrittenReadsBackEqual) {
  std::mt19937 random(1);
  JsonParser parser;
  for (int round = 0; round < 2000; ++round) {
    const std::string text = RandomJson(random);
    const auto value = parser.Parse(text);
    ASSERT_TRUE(value) << text << ": " << value.error().message;
    EXPECT_EQ(value->ToJson(), text);
    const std::string canonical = value->ToCanonicalJson();
    EXPECT_EQ(parser.Parse(canonical).value().ToCanonicalJson(), canonical);
  }
}

TEST(JsonProperty, TheSlowCheckTakesWhatTheFastParserTakes) {
  std::mt19937 random(2);
  JsonParser parser;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = RandomJson(random);
    text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto value = parser.Parse(text);
    const Status checked = CheckJson(text, JsonValue::kMaxDepth);
    if (value) {
      EXPECT_TRUE(checked) << text << ": " << checked.error().message;
    } else if (checked) {
      // Numbers out of range are the fast parser's alone to refuse.
      EXPECT_THAT(value.error().message, ::testing::HasSubstr("number")) << text;
    }
  }
}

}  // namespace
}  // namespace tracekeeper::codec
