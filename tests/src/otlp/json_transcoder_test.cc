#include "src/otlp/json_transcoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "src/codec/protobuf_wire.h"
#include "src/otlp/request.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using codec::WireReader;
using codec::WireType;
using codec::WireWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::size_t kLimit = 1U << 20U;

Result<std::string> Transcode(Signal signal, std::string_view json, std::size_t limit = kLimit) {
  std::string protobuf;
  TRY(TranscodeJson(signal, json, limit, protobuf));
  return protobuf;
}

/// A span with `members` in the least request around it.
std::string InSpan(std::string_view members) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + std::string(members) + "}]}]}]}";
}

/// The fields of the one span in `request`.
std::string SpanBody(std::string_view request) {
  std::string body;
  EXPECT_TRUE(ForEachItem(Signal::kTraces, request,
                          [&](const ItemFields& item) { body = std::string(item.body); }));
  return body;
}

struct FieldCase {
  const char* name;
  const char* members;
  std::string want;  // the span's fields in protobuf
};

template <typename Write>
std::string Fields(Write write) {
  std::string bytes;
  WireWriter writer(bytes);
  write(writer);
  return bytes;
}

/// attributes[0] = {key: "k", value: AnyValue}
std::string AttributeField(const std::string& any) {
  return Fields([&](WireWriter& span) {
    span.Bytes(9, Fields([&](WireWriter& attribute) {
                 attribute.Bytes(1, "k");
                 attribute.Bytes(2, any);
               }));
  });
}

class SpanFields : public ::testing::TestWithParam<FieldCase> {};

TEST_P(SpanFields, BecomeTheirProtobuf) {
  const auto request = Transcode(Signal::kTraces, InSpan(GetParam().members));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(SpanBody(*request), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Scalars, SpanFields,
    ::testing::Values(
        FieldCase{"Nothing", "", ""},
        FieldCase{"TraceIdIsHex", R"("traceId":"000102030405060708090A0b0c0d0e0f")",
                  Fields([](auto& w) {
                    w.Bytes(1, std::string_view("\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf", 16));
                  })},
        FieldCase{"EmptyParentIsNone", R"("parentSpanId":"")", ""},
        FieldCase{"EnumAsNumber", R"("kind":3)", Fields([](auto& w) { w.Varint(6, 3); })},
        FieldCase{"EnumAsName", R"("kind":"SPAN_KIND_CLIENT")",
                  Fields([](auto& w) { w.Varint(6, 3); })},
        FieldCase{"TimeAsString", R"("startTimeUnixNano":"18446744073709551615")",
                  Fields([](auto& w) { w.Fixed64(7, ~0ULL); })},
        FieldCase{"TimeAsNumber", R"("startTimeUnixNano":1544712660000000000)",
                  Fields([](auto& w) { w.Fixed64(7, 1544712660000000000); })},
        FieldCase{"CountAsExponent", R"("droppedLinksCount":1e3)",
                  Fields([](auto& w) { w.Varint(14, 1000); })},
        FieldCase{"Flags", R"("flags":257)", Fields([](auto& w) { w.Fixed32(16, 257); })},
        FieldCase{"NullIsAbsent", R"("name":null,"kind":null,"status":null,"attributes":null)", ""},
        FieldCase{"EscapedText", R"("name":"\u00e9\n\"")",
                  Fields([](auto& w) { w.Bytes(5, "\xc3\xa9\n\""); })},
        FieldCase{"UnknownIsLeftOut",
                  R"("zzz":{"a":[1,{"b":[]}]},"yyy":[[{}]],"xxx":"","name":"n")",
                  Fields([](auto& w) { w.Bytes(5, "n"); })},
        FieldCase{"SnakeCaseIsUnknown", R"("trace_id":"zz")", ""}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Values, SpanFields,
    ::testing::Values(
        FieldCase{"String", R"("attributes":[{"key":"k","value":{"stringValue":"v"}}])",
                  AttributeField(Fields([](auto& w) { w.Bytes(1, "v"); }))},
        FieldCase{"Bool", R"("attributes":[{"key":"k","value":{"boolValue":false}}])",
                  AttributeField(Fields([](auto& w) { w.Varint(2, 0); }))},
        FieldCase{"IntAsString", R"("attributes":[{"key":"k","value":{"intValue":"-1"}}])",
                  AttributeField(Fields([](auto& w) { w.Varint(3, ~0ULL); }))},
        FieldCase{"IntAsNumber", R"("attributes":[{"key":"k","value":{"intValue":42}}])",
                  AttributeField(Fields([](auto& w) { w.Varint(3, 42); }))},
        FieldCase{"Double", R"("attributes":[{"key":"k","value":{"doubleValue":-0.5}}])",
                  AttributeField(Fields([](auto& w) { w.Double(4, -0.5); }))},
        FieldCase{"DoubleInfinity",
                  R"("attributes":[{"key":"k","value":{"doubleValue":"-Infinity"}}])",
                  AttributeField(Fields([](auto& w) {
                    w.Double(4, -std::numeric_limits<double>::infinity());
                  }))},
        FieldCase{"Bytes", R"("attributes":[{"key":"k","value":{"bytesValue":"AQL/"}}])",
                  AttributeField(Fields([](auto& w) { w.Bytes(7, "\x01\x02\xff"); }))},
        FieldCase{"BytesForUrls", R"("attributes":[{"key":"k","value":{"bytesValue":"AQL_-w"}}])",
                  AttributeField(Fields([](auto& w) { w.Bytes(7, "\x01\x02\xff\xfb"); }))},
        FieldCase{
            "Array",
            R"("attributes":[{"key":"k","value":{"arrayValue":{"values":[{"intValue":1}]}}}])",
            AttributeField(Fields([](auto& w) {
              w.Bytes(5, Fields([](auto& array) {
                        array.Bytes(1, Fields([](auto& any) { any.Varint(3, 1); }));
                      }));
            }))}),
    [](const auto& test) { return test.param.name; });

TEST(Metrics, PackTheirBuckets) {
  const auto request = Transcode(
      Signal::kMetrics,
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"h","histogram":{"dataPoints":[
          {"bucketCounts":["1",2],"explicitBounds":[0.5,"Infinity"]},{}]}}]}]}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(*CountItems(Signal::kMetrics, *request), 2U);
  std::string counts(16, '\0');
  counts[0] = 1;
  counts[8] = 2;
  EXPECT_THAT(*request, HasSubstr(Fields([&](WireWriter& w) { w.Bytes(6, counts); })));
}

TEST(Metrics, ZigZagWhatIsSigned) {
  const auto request = Transcode(
      Signal::kMetrics,
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"exponentialHistogram":{"dataPoints":[
          {"scale":-3,"positive":{"offset":2,"bucketCounts":[300]}}]}}]}]}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(*request, HasSubstr(Fields([](WireWriter& w) { w.Varint(6, 5); })));
  EXPECT_THAT(*request, HasSubstr(std::string("\x08\x04\x12\x02\xac\x02", 6)));
}

TEST(Logs, AreTranscodedToo) {
  const auto request = Transcode(
      Signal::kLogs,
      R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"SEVERITY_NUMBER_INFO",
          "body":{"stringValue":"hi"},"traceId":"00000000000000000000000000000007"}]}]}]})");
  ASSERT_TRUE(request) << request.error().message;
  std::vector<std::uint64_t> traces;
  ASSERT_TRUE(ForEachItem(Signal::kLogs, *request,
                          [&](const ItemFields& item) { traces.push_back(item.trace_id->low); }));
  EXPECT_THAT(traces, ElementsAre(7U));
}

TEST(Transcoded, IsTheSameAsWhatProtobufSendersSend) {
  const auto request = Transcode(Signal::kTraces, R"({"resourceSpans":[{
      "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]},
      "scopeSpans":[{"scope":{"name":"test"},"spans":[{
        "traceId":"01010101010101010101010101010101","spanId":"0202020202020202",
        "name":"GET /","kind":2,"startTimeUnixNano":"1700000000000000000",
        "endTimeUnixNano":"1700000000500000000","flags":257}]}],
      "schemaUrl":"https://opentelemetry.io/schemas/1.24.0"}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(*request, test_support::TracesRequest("a", {test_support::TestSpan()}));
}

struct RefusedCase {
  const char* name;
  std::string json;
  const char* why;
};

class Refused : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(Refused, WithAPlaceAndAReason) {
  const auto request = Transcode(Signal::kTraces, GetParam().json);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().kind, ErrorKind::kDecode);
  EXPECT_THAT(request.error().message, HasSubstr("these bytes are no OTLP traces in JSON"));
  EXPECT_THAT(request.error().message, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    All, Refused,
    ::testing::Values(
        RefusedCase{"Empty", "", "empty"},
        RefusedCase{"CutOff", R"({"resourceSpans":[)", "offset 18"},
        RefusedCase{"TwoDocuments", "{}{}", "root"},
        RefusedCase{"Array", "[]", "an array stands where the request should begin"},
        RefusedCase{"Number", "7", "a number stands where"},
        RefusedCase{"ZeroByte", std::string("{}\0{}", 5), "zero byte"},
        RefusedCase{"NoUtf8", InSpan("\"name\":\"\xff\xfe\""), "encoding"},
        RefusedCase{"ObjectForAnArray", R"({"resourceSpans":{}})", "an object cannot be"},
        RefusedCase{"ArrayForAnObject", InSpan(R"("status":[])"), "an array cannot be"},
        RefusedCase{"ArrayInAnArray", R"({"resourceSpans":[[]]})", "an array cannot be"},
        RefusedCase{"TextForANumber", InSpan(R"("startTimeUnixNano":"soon")"),
                    "a string cannot be the value of startTimeUnixNano"},
        RefusedCase{"NegativeTime", InSpan(R"("startTimeUnixNano":-1)"), "startTimeUnixNano"},
        RefusedCase{"FractionForAnInteger", InSpan(R"("droppedLinksCount":1.5)"),
                    "droppedLinksCount"},
        RefusedCase{"BelowAllIntegers", InSpan(R"("kind":-3e14)"), "kind"},
        RefusedCase{"ShortTraceId", InSpan(R"("traceId":"abcd")"), "traceId"},
        RefusedCase{"OddTraceId", InSpan(R"("traceId":"0102030405060708090a0b0c0d0e0fzz")"),
                    "traceId"},
        RefusedCase{"UnknownEnumName", InSpan(R"("kind":"SPAN_KIND_FOO")"), "kind"},
        RefusedCase{"NumberForText", InSpan(R"("name":7)"), "a number cannot be the value of name"},
        RefusedCase{"BoolForText", InSpan(R"("name":true)"), "a boolean cannot be"},
        RefusedCase{"BadBase64", InSpan(R"("attributes":[{"value":{"bytesValue":"*"}}])"),
                    "bytesValue"},
        RefusedCase{"TooDeep", std::string(100, '[') + std::string(100, ']'), "an array stands"},
        RefusedCase{"TooDeepInUnknown",
                    R"({"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}",
                    "nests deeper than 64 levels"}),
    [](const auto& test) { return test.param.name; });

TEST(Transcoder, StopsAtItsLimit) {
  const auto request =
      Transcode(Signal::kTraces, InSpan(R"("name":")" + std::string(5'000, 'n') + "\""), 1'000);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(request.error().message, HasSubstr("too large"));
}

}  // namespace
}  // namespace tracekeeper::otlp
