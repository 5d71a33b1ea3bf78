#include "src/codec/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "src/codec/yaml_writer.h"
#include "tests/src/codec/random_json.h"

namespace tracekeeper::codec {
namespace {

struct YamlCase {
  std::string_view name, text, want;  // want: JSON, or the error's text
};

class ReadsYaml : public ::testing::TestWithParam<YamlCase> {};

TEST_P(ReadsYaml, AsKubectlDoes) {
  YamlParser parser;
  const auto value = parser.Parse(GetParam().text);
  EXPECT_EQ(value ? value->ToJson() : value.error().message, GetParam().want);
}

// Where the want is JSON, `kubectl create --dry-run=client` 1.34 was seen to make the same of it.
constexpr YamlCase kYamlCases[] = {
    {"nothing", "", "null"},
    {"comment", "# only\n", "null"},
    {"plainText", "a: some text", R"({"a":"some text"})"},
    {"nulls", "[~, null, Null, NULL, '', \"\"]", R"([null,null,null,null,"",""])"},
    {"emptyValue", "a:\n", R"({"a":null})"},
    {"trueWords", "[true, True, yes, On, y]", "[true,true,true,true,true]"},
    {"falseWords", "[false, FALSE, no, Off, N]", "[false,false,false,false,false]"},
    {"quotedWords", "['true', \"off\", 'y']", R"(["true","off","y"])"},
    {"otherWords", "[tRue, yeS, ye, oN]", R"(["tRue","yeS","ye","oN"])"},
    {"integers", "[1, -1, +1, 0x1F, 0b11, 0o17, 017, 1_000]", "[1,-1,1,31,3,15,15,1000]"},
    {"longInteger", "[9223372036854775807, -9223372036854775808]",
     "[9223372036854775807,-9223372036854775808]"},
    {"tooLongInteger", "[9223372036854775808]", "[9223372036854775808.0]"},
    {"doubles", "[1.5, .5, 5., 1e3, -1.5E-2]", "[1.5,0.5,5,1000,-0.015]"},
    {"notNumbers", "[1.2.3, 1e, 0x, 1 2, 12:30, -, 10.0.0.1/8]",
     R"(["1.2.3","1e","0x","1 2","12:30","-","10.0.0.1/8"])"},
    {"oddIntegers", "[08, 0o8, 1__0, -_1, 0x_1F, _1, +.5]", R"([8,"0o8",10,-1,31,"_1",0.5])"},
    {"versionsAndAddresses", "[1.2.3, 1e, 0xg, 12:30, 10.0.0.1]",
     R"(["1.2.3","1e","0xg","12:30","10.0.0.1"])"},
    {"quantities", "{cpu: 100m, memory: 64Mi, other: 1e3}",
     R"({"cpu":"100m","memory":"64Mi","other":1000})"},
    {"dates", "[2001-01-01, 2001-12-14t21:59:43.10-05:00]",
     R"(["2001-01-01","2001-12-14t21:59:43.10-05:00"])"},
    {"keysThatAreNotText", "{8080: a, true: b, on: c}",
     "YAML, line 1: the key \"true\" stands here a second time; the first is in line 1"},
    {"keysBecomeText", "{8080: a, yes: b, 1.50: c}", R"({"8080":"a","true":"b","1.5":"c"})"},
    {"tags", "[!!str 1, !!int 2, !!float 3, !!bool yes, !!null ~]", R"(["1",2,3,true,null])"},
    {"tagThatDoesNotFit", "!!int x",
     "YAML, line 1: the tag tag:yaml.org,2002:int does not fit here"},
    {"binary", "!!binary aGk=", "YAML, line 1: the tag tag:yaml.org,2002:binary does not fit here"},
    {"notANumber", "a: .nan", "YAML, line 1: .nan is a number that JSON cannot carry"},
    {"keyTwice", "a: 1\nb: 2\na: 3\n",
     "YAML, line 3: the key \"a\" stands here a second time; the first is in line 1"},
    {"alias", "a: &x [1]\nb: *x\n", R"({"a":[1],"b":[1]})"},
    {"aliasInsideItself", "a: &x [*x]",
     "YAML, line 1: an alias stands inside the value of its own anchor"},
    {"unknownAlias", "a: *x", "YAML, line 1 column 4: the referenced anchor is not defined"},
    {"merge", "base: &b {k: 1, l: 2}\nmine: {<<: *b, k: 3}\n",
     R"({"base":{"k":1,"l":2},"mine":{"k":3,"l":2}})"},
    {"mergeList", "[&a {k: 1}, &b {k: 2, l: 2}, {<<: [*a, *b]}]",
     R"([{"k":1},{"k":2,"l":2},{"k":1,"l":2}])"},
    {"mergeOfText", "{<<: x}", "YAML, line 1: << needs a map or a list of maps"},
    {"quotedMergeKey", "{'<<': x}", R"({"<<":"x"})"},
    {"blocks", "a: |\n  one\n  two\nb: >-\n  one\n  two\n", R"({"a":"one\ntwo\n","b":"one two"})"},
    {"mapAsKey", "? {a: 1}\n: b\n", "YAML, line 1: a list or map is used as a key"},
    {"nullAsKey", "~: 1", "YAML, line 1: a key is null; write it in quotes"},
    {"tab", "a:\n\tb: 1\n", "YAML, line 2 column 3: illegal map value"},
    {"twoDocuments", "a: 1\n---\nb: 2\n", "YAML, line 3: a second document; one is expected here"},
    {"jsonIsYaml", R"({"a": [1, "x", null, {"b": false}]})", R"({"a":[1,"x",null,{"b":false}]})"},
    {"strayComma", ",a\nb: 1\n", "YAML, line 1: neither a value nor the end of the document"},
    {"control", "a: 1\nb: \x01\n",
     "YAML, line 2: a control character; write it as an escape in double quotes"},
    {"escapesOfTwoBytes", "a: \"x\\Ny\\_z\"\n", "{\"a\":\"x\xc2\x85y\xc2\xa0z\"}"},
    {"notUtf8", "a: 1\nb: \xff\n", "YAML, line 2: the text is not UTF-8"},
};

INSTANTIATE_TEST_SUITE_P(Texts, ReadsYaml, ::testing::ValuesIn(kYamlCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(YamlParser, ReadsAllDocumentsAndSkipsEmptyOnes) {
  const auto documents = YamlToJson("---\n---\nkind: A\n---\n# nothing\n---\n[1]\n...\n");
  ASSERT_TRUE(documents) << documents.error().message;
  EXPECT_THAT(*documents, ::testing::ElementsAre(R"({"kind":"A"})", "[1]"));
}

TEST(YamlParser, ValuesKnowTheirLine) {
  YamlParser parser;
  const YamlValue root = parser.Parse("a: 1\nb:\n  - x\n  - y\n").value();
  EXPECT_EQ(root["b"].line(), 3U);
  EXPECT_EQ((*++root["b"].Elements().begin()).line(), 4U);
  EXPECT_EQ(root["none"].line(), 0U);
}

TEST(YamlParser, AFewLinesOfAliasesMayNotStandForBillions) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [*a{}", i, i, i - 1);
    for (int j = 0; j < 8; ++j) bomb += fmt::format(", *a{}", i - 1);
    bomb += "]\n";
  }
  YamlParser parser;
  const auto value = parser.Parse(bomb);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "YAML, line 7: the document is larger than 1000000 values");
}

TEST(YamlParser, DepthIsBoundedAlsoThroughAliases) {
  YamlParser parser;
  std::string nested;
  for (int i = 0; i < 100; ++i) nested += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(parser.Parse(nested + std::string(100, ' ') + "x"));
  std::string chain = "- &a0 [x]\n";
  for (int i = 1; i < 100; ++i) chain += fmt::format("- &a{} [*a{}]\n", i, i - 1);
  const auto value = parser.Parse(chain);
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, ::testing::HasSubstr("more than 64 nested maps and lists"));
  EXPECT_FALSE(parser.Parse(std::string(100'000, '[')));
  EXPECT_FALSE(parser.Parse(std::string(kYamlMaxBytes + 1, 'a')));
}

TEST(YamlWriter, LaysOutForPeople) {
  JsonParser parser;
  const JsonValue value =
      parser
          .Parse(
              R"({"kind":"List","n":1,"empty":{},"none":[],"items":[{"name":"a","l":[1,[2]]},"yes"],)"
              R"("text":"one\n  two\n","colon":"a: b","quote":"it's"})")
          .value();
  EXPECT_EQ(WriteYaml(value), R"(kind: List
'n': 1
empty: {}
none: []
items:
- name: a
  l:
  - 1
  - - 2
- 'yes'
text: |
  one
    two
colon: 'a: b'
quote: it's
)");
}

TEST(YamlProperty, WhatIsWrittenReadsBackEqual) {
  std::mt19937 random(4);
  JsonParser json;
  YamlParser yaml;
  for (int round = 0; round < 3000; ++round) {
    const std::string text = RandomJson(random);
    const std::string written = WriteYaml(json.Parse(text).value());
    const auto read = yaml.Parse(written);
    ASSERT_TRUE(read) << text << "\n" << written << "\n" << read.error().message;
    ASSERT_EQ(read->ToJson(), text) << written;
  }
}

}  // namespace
}  // namespace tracekeeper::codec
