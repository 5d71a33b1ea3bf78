#include "src/codec/json_records.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "src/codec/json_value.h"
#include "tests/src/codec/random_json.h"

namespace tracekeeper::codec {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Found {
  std::vector<std::string> records;  // "offset text"
  std::string error;
};

template <typename Walk>
Found Walked(Walk walk, std::string_view text) {
  Found found;
  const Status status = walk(text, [&found](std::size_t offset, std::string_view record) -> Status {
    found.records.push_back(fmt::format("{} {}", offset, record));
    return {};
  });
  if (!status) found.error = status.error().message;
  return found;
}

TEST(JsonDocuments, StandOneBehindTheOtherOrOneALine) {
  const Found found = Walked(ForEachJsonDocument, "{\"a\":1}\n\n{\"b\":\"}\"} [2]3\n");
  EXPECT_THAT(found.records, ElementsAre("0 {\"a\":1}", "9 {\"b\":\"}\"}", "19 [2]", "22 3"));
  EXPECT_EQ(found.error, "");
}

TEST(JsonDocuments, ThatDoNotEndAreNamedByTheirPlace) {
  const Found found = Walked(ForEachJsonDocument, "{} {\"a\":[1,2}");
  EXPECT_THAT(found.records, ElementsAre("0 {}"));
  EXPECT_EQ(found.error, "JSON at byte 3: the value that begins here does not end");
}

TEST(JsonElements, AreFoundWhateverTheyHold) {
  EXPECT_THAT(Walked(ForEachJsonElement, R"([ {"a":"]"} , "x,\"y" ,3])").records,
              ElementsAre(R"(2 {"a":"]"})", R"(14 "x,\"y")", "23 3"));
  EXPECT_THAT(Walked(ForEachJsonElement, "[ ]").records, IsEmpty());
}

struct BadList {
  const char* text;
  const char* error;
};

class BadLists : public testing::TestWithParam<BadList> {};

TEST_P(BadLists, AreNamedByTheirPlace) {
  EXPECT_EQ(Walked(ForEachJsonElement, GetParam().text).error, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadLists,
    testing::Values(BadList{"{}", "JSON at byte 0: a list must stand here"},
                    BadList{"[1", "JSON at byte 2: a , or ] must stand here"},
                    BadList{"[1,", "JSON at byte 3: the list does not end"},
                    BadList{"[1 2]", "JSON at byte 3: a , or ] must stand here"},
                    BadList{"[,]", "JSON at byte 1: a value must stand here"}));

TEST(JsonMember, IsFoundAtTheTopOnly) {
  const std::string_view object = R"({"x":{"data":1}, "data" : [2] ,"data":3})";
  EXPECT_EQ(FindJsonMember(object, "data").value(), "[2]");
  EXPECT_EQ(FindJsonMember(object, "other").value(), std::nullopt);
  EXPECT_EQ(FindJsonMember("{}", "data").value(), std::nullopt);
  EXPECT_FALSE(FindJsonMember(R"({"data" 1})", "data"));
  EXPECT_FALSE(FindJsonMember(R"({data:1})", "data"));
}

TEST(JsonRecordsProperty, AreWhatTheParserFinds) {
  std::mt19937 random(7);
  JsonParser parser;
  JsonParser one;
  for (int round = 0; round < 2000; ++round) {
    std::string array = "[";
    for (unsigned i = 0; i < random() % 5; ++i) {
      array += (array.size() > 1 ? ", " : "") + RandomJson(random);
    }
    array += "]";
    std::vector<std::string> want;
    for (const JsonValue element : parser.Parse(array).value().Elements()) {
      want.push_back(element.ToJson());
    }
    std::vector<std::string> got;
    ASSERT_TRUE(ForEachJsonElement(array, [&](std::size_t offset, std::string_view record) {
      EXPECT_EQ(array.substr(offset, record.size()), record);
      got.push_back(one.Parse(record).value().ToJson());
      return Status();
    })) << array;
    ASSERT_EQ(got, want) << array;
  }
}

}  // namespace
}  // namespace tracekeeper::codec
