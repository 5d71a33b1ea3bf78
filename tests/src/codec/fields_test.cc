#include "src/codec/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "src/codec/decode.h"
#include "src/codec/duration.h"
#include "src/codec/encode.h"
#include "src/codec/json_value.h"
#include "src/codec/schema.h"
#include "src/codec/yaml.h"

namespace tracekeeper::codec {
namespace {

enum class Colour { kRed, kGreen };

consteval auto ValuesOf(Colour) {
  return std::array{EnumValue{Colour::kRed, "Red", "the default"},
                    EnumValue{Colour::kGreen, "Green", ""}};
}

struct Part {
  std::string name;
  std::optional<std::int32_t> size;
  Colour colour = Colour::kRed;

  bool operator==(const Part&) const = default;

  static consteval auto Fields() {
    return std::tuple{
        Field("name", &Part::name, {.doc = "Its name.", .required = true, .max_length = 9}),
        Field("size", &Part::size, {.doc = "Its size.", .minimum = 1}),
        Field("colour", &Part::colour, {.doc = "Its colour."})};
  }
  static constexpr std::array kRules = {
      Rule{.expression = "self.size > 0", .message = "too small"}};
};

struct Whole {
  bool flag = false;
  double weight = 0;
  Duration every = std::chrono::seconds(30);
  std::vector<Part> parts;
  std::map<std::string, std::string> labels;
  Part main;
  std::int64_t count = 0;

  bool operator==(const Whole&) const = default;

  static consteval auto Fields() {
    return std::tuple{
        Field("flag", &Whole::flag, {.doc = "A flag."}),
        Field("weight", &Whole::weight, {.doc = "A weight."}),
        Field("every", &Whole::every, {.doc = "How often."}),
        Field("parts", &Whole::parts,
              {.doc = "Parts.", .max_items = 4, .list_type = ListType::kMap, .list_key = "name"}),
        Field("labels", &Whole::labels,
              {.doc = "Labels.", .max_properties = 4, .item_max_length = 9}),
        Field("main", &Whole::main, {.doc = "The main part."}),
        Field("count", &Whole::count, {.doc = "A count.", .always = true}),
    };
  }
};

Result<Whole> FromJson(std::string_view text) {
  JsonParser parser;
  return Decode<Whole>(TRY(parser.Parse(text)), "whole");
}

TEST(Fields, AbsentNullAndUnknownFieldsLeaveDefaults) {
  EXPECT_EQ(FromJson("{}").value(), Whole());
  EXPECT_EQ(FromJson("null").value(), Whole());
  EXPECT_EQ(FromJson(R"({"flag":null,"every":null,"parts":null,"newer":{"x":[1]}})").value(),
            Whole());
  EXPECT_EQ(FromJson("{}")->every, std::chrono::seconds(30));
}

TEST(Fields, JsonAndYamlDecodeAlike) {
  constexpr std::string_view kText =
      R"({"flag":true,"weight":2,"every":"1h30m","parts":[{"name":"a","size":3,"colour":"Green"}],)"
      R"("labels":{"k":"v"},"main":{"name":"m"},"count":-5})";
  const Whole from_json = FromJson(kText).value();
  YamlParser yaml;
  EXPECT_EQ(Decode<Whole>(yaml.Parse(kText).value()).value(), from_json);
  EXPECT_EQ(from_json.parts.front().size, 3);
  EXPECT_EQ(from_json.parts.front().colour, Colour::kGreen);
  EXPECT_EQ(from_json.every, std::chrono::minutes(90));
  EXPECT_EQ(from_json.weight, 2.0);
}

TEST(Fields, EncodingLeavesDefaultsOutAndReadsBack) {
  EXPECT_EQ(EncodeJson(Whole()), R"({"count":0})");
  Whole whole;
  whole.flag = true;
  whole.every = std::chrono::hours(72);
  whole.parts = {{"a", 0, Colour::kRed}, {"b", std::nullopt, Colour::kGreen}};
  whole.labels = {{"x", "y"}};
  const std::string text = EncodeJson(whole);
  EXPECT_EQ(text, R"({"flag":true,"every":"72h","parts":[{"name":"a","size":0},)"
                  R"({"name":"b","colour":"Green"}],"labels":{"x":"y"},"count":0})");
  EXPECT_EQ(FromJson(text).value(), whole);
}

TEST(Fields, UnknownFieldsAreNamedWithTheirPath) {
  YamlParser yaml;
  const auto decoded = DecodeReportingUnknown<Whole>(
      yaml.Parse("{flga: true, parts: [{name: a, sise: 1}], labels: {any: x}, main: {name: m}}")
          .value());
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_THAT(decoded->unknown_fields, ::testing::ElementsAre("flga", "parts[0].sise"));
}

struct WrongCase {
  std::string_view name, text, want;
};

class FieldsRefuse : public ::testing::TestWithParam<WrongCase> {};

TEST_P(FieldsRefuse, WithThePathAndWhatMayStandThere) {
  const auto decoded = FromJson(GetParam().text);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, GetParam().want);
}

constexpr WrongCase kWrongCases[] = {
    {"root", "[]", "whole is a list; it must be an object"},
    {"flag", R"({"flag":"yes"})", "whole.flag is a string; it must be true or false"},
    {"number", R"({"weight":"2"})", "whole.weight is a string; it must be a number"},
    {"fraction", R"({"count":1.5})", "whole.count is a number; it must be an integer"},
    {"object", R"({"main":[]})", "whole.main is a list; it must be an object"},
    {"map", R"({"labels":{"a.b/c":1}})",
     "whole.labels[\"a.b/c\"] is a number; it must be a string"},
    {"required", R"({"parts":[{"name":"a"},{"size":1}]})", "whole.parts[1].name is missing"},
    {"requiredNull", R"({"main":{"name":null}})", "whole.main.name is missing"},
    {"range", R"({"parts":[{"name":"a","size":3000000000}]})",
     "whole.parts[0].size is 3000000000; it must be between -2147483648 and 2147483647"},
    {"name", R"({"main":{"name":"m","colour":"red"}})",
     "whole.main.colour is \"red\"; it must be one of Red, Green"},
    {"duration", R"({"every":"soon"})",
     "whole.every cannot be read: duration \"soon\" must be whole numbers with units, the largest "
     "first, such as \"30s\", \"1h30m\" or \"72h\""},
};

INSTANTIATE_TEST_SUITE_P(Documents, FieldsRefuse, ::testing::ValuesIn(kWrongCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Schema, SaysWhatTheFieldsSay) {
  JsonWriter json;
  WriteSchema(SchemaOf<Part>(), json);
  EXPECT_EQ(json.text(),
            R"({"type":"object","required":["name"],"properties":{)"
            R"("name":{"description":"Its name.","type":"string","maxLength":9},)"
            R"("size":{"description":"Its size.","type":"integer","format":"int32","minimum":1},)"
            R"("colour":{"description":"Its colour. Red (default): the default.","type":"string",)"
            R"("default":"Red","enum":["Red","Green"]}},)"
            R"("x-kubernetes-validations":[{"rule":"self.size > 0","message":"too small"}]})");
}

TEST(Schema, ListsAndMapsHaveTheirTypes) {
  JsonWriter json;
  WriteSchema(SchemaOf<Whole>(), json);
  EXPECT_THAT(json.text(),
              ::testing::HasSubstr(
                  R"("x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"])"));
  EXPECT_THAT(json.text(),
              ::testing::HasSubstr(R"("additionalProperties":{"type":"string","maxLength":9})"));
  EXPECT_THAT(FindUnbounded(SchemaOf<Whole>(), "whole"), ::testing::IsEmpty());
}

struct Atomic {
  std::vector<Part> parts;
  bool operator==(const Atomic&) const = default;
  static consteval auto Fields() { return std::tuple{Field("parts", &Atomic::parts)}; }
};

TEST(Schema, AtomicListsHaveNoDefaultsInside) {
  JsonWriter json;
  WriteSchema(SchemaOf<Atomic>(), json);
  EXPECT_THAT(json.text(), ::testing::Not(::testing::HasSubstr("\"default\"")));
  EXPECT_THAT(FindUnbounded(SchemaOf<Atomic>(), "a"), ::testing::ElementsAre("a.parts"));
}

TEST(Duration, ReadsAndWritesCanonicalText) {
  using namespace std::chrono_literals;
  for (const auto& [text, duration, canonical] :
       std::initializer_list<std::tuple<std::string_view, Duration, std::string_view>>{
           {"30s", 30s, "30s"},
           {"90s", 90s, "1m30s"},
           {"1h30m", 90min, "1h30m"},
           {"72h", 72h, "72h"},
           {"250ms", 250ms, "250ms"},
           {"0s", 0s, "0s"},
           {"1h1s", 3601s, "1h1s"}}) {
    const auto parsed = ParseDuration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, duration);
    EXPECT_EQ(FormatDuration(*parsed), canonical);
  }
  for (const std::string_view text :
       {"", "5", "s", "1.5h", "1d", "-1s", "1m1h", "1s1s", "1h 1m", "9999999999999h"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

}  // namespace
}  // namespace tracekeeper::codec
