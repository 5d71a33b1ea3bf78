#include "src/codec/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace tracekeeper::codec {
namespace {

TEST(JsonWriter, WritesInTheOrderOfTheCalls) {
  JsonWriter json;
  json.BeginObject().Member("kind", "Pod").Key("items").BeginArray();
  json.Integer(-1).Bool(false).Null().BeginObject().EndObject().Raw(R"({"raw":1})");
  json.EndArray().Key("end").BeginArray().EndArray().EndObject();
  EXPECT_EQ(json.text(), R"({"kind":"Pod","items":[-1,false,null,{},{"raw":1}],"end":[]})");
}

TEST(JsonWriter, EscapesWhatJsonDemandsAndNothingElse) {
  std::string text;
  AppendJsonString(text, std::string_view("a\"\\/\b\f\n\r\t\x01\x1f\0é", 14));
  EXPECT_EQ(text, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000é\"");
}

TEST(JsonWriter, NumbersReadBackAsTheyWere) {
  JsonWriter json;
  json.BeginArray()
      .Integer(std::numeric_limits<std::int64_t>::min())
      .Unsigned(std::numeric_limits<std::uint64_t>::max())
      .Double(1)
      .Double(0.1)
      .Double(1e300)
      .Double(5e-324)
      .EndArray();
  EXPECT_EQ(json.text(), "[-9223372036854775808,18446744073709551615,1.0,0.1,1e+300,5e-324]");
}

}  // namespace
}  // namespace tracekeeper::codec
