#include "src/kube/watch_decoder.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tracekeeper::kube {
namespace {

/// Each event as one line of text.
struct Lines final : WatchSink {
  Status OnEvent(const WatchEvent& event) override {
    std::string line(NameOf(event.type));
    if (event.error) {
      line = "BROKEN" + (event.key ? " " + event.key->ToString() : "");
    } else if (event.type != WatchEventType::kBookmark) {
      line += fmt::format(" {}", event.object["metadata"]["name"].StringOr("?"));
    }
    if (!event.resource_version.empty()) line += fmt::format(" @{}", event.resource_version);
    if (event.initial_events_end) line += " end";
    lines.push_back(line);
    return lines.size() == leave_after ? Status(Fail(ErrorKind::kCancelled, "enough")) : Status{};
  }
  std::vector<std::string> lines;
  std::size_t leave_after = 0;
};

struct DecodeCase {
  std::string_view name;
  std::string_view input;
  std::vector<std::string> lines;
  std::string_view ends_with = "ok";  // or the kind of the error
};

class WatchDecoderTable : public testing::TestWithParam<DecodeCase> {};

TEST_P(WatchDecoderTable, GivesTheEventsHoweverTheBytesWereCut) {
  const DecodeCase& test = GetParam();
  for (const std::size_t piece : {1, 2, 3, 7, 64, 100000}) {
    Lines sink;
    WatchDecoder decoder("watch pods", sink);
    Status fed;
    for (std::size_t at = 0; fed && at < test.input.size(); at += piece) {
      fed = decoder.Feed(test.input.substr(at, piece));
    }
    EXPECT_EQ(sink.lines, test.lines) << "in pieces of " << piece;
    EXPECT_EQ(fed ? "ok" : NameOf(fed.error().kind), test.ends_with) << "in pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, WatchDecoderTable,
    testing::Values(
        DecodeCase{"Changes",
                   R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}
{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"2"}}}
{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"3"}}}
)",
                   {"ADDED a @1", "MODIFIED a @2", "DELETED a @3"}},
        DecodeCase{
            "Bookmarks",
            R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"10","annotations":{"k8s.io/initial-events-end":"false"}}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"11"}}})",
            {"BOOKMARK @9 end", "BOOKMARK @10", "BOOKMARK @11"}},
        DecodeCase{"ObjectBeforeType",
                   R"({"object":{"metadata":{"name":"a","resourceVersion":"1"}},"type":"ADDED"})",
                   {"ADDED a @1"}},
        DecodeCase{"ExpiredInTheStream",
                   R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}
{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}})",
                   {"ADDED a @1"},
                   "expired"},
        DecodeCase{"GoneByCodeAlone",
                   R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Gone"}})",
                   {},
                   "expired"},
        DecodeCase{"InternalErrorInTheStream",
                   R"({"type":"ERROR","object":{"kind":"Status","code":500}})",
                   {},
                   "unavailable"},
        DecodeCase{"ErrorWithoutAStatus", R"({"type":"ERROR","object":"boom"})", {}, "unavailable"},
        DecodeCase{
            "OneBrokenObjectAmongGoodOnes",
            R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}
{"type":"ADDED","object":{"metadata":{"name":"b","x":nope}}}
{"type":"ADDED","object":{"metadata":{}}}
{"type":"ADDED","object":[]}
{"type":"ADDED"}
{"type":"RENAMED","object":{"metadata":{"name":"c","namespace":"n"}}}
{"type":"ADDED","object":{"metadata":{"name":"z","resourceVersion":"2"}}}
)",
            {"ADDED a @1", "BROKEN", "BROKEN", "BROKEN", "BROKEN", "BROKEN n/c", "ADDED z @2"}},
        DecodeCase{"HalfAnEventAtTheEnd",
                   R"({"type":"ADDED","object":{"metadata":{"name":"a"}}}{"type":"ADDED","obj)",
                   {"ADDED a"}},
        DecodeCase{"PageOfHtml", "<html></html>", {}, "decode"}, DecodeCase{"Nothing", "", {}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(WatchDecoder, GoesOnAfterObjectsThatAreTooDeepOrTooLarge) {
  Lines sink;
  WatchDecoder decoder("watch pods", sink, 4096);
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  const std::string large(5000, 'x');
  for (const std::string& odd :
       {fmt::format(R"({{"type":"ADDED","object":{{"metadata":{{"name":"deep"}},"spec":{}}}}})",
                    deep),
        fmt::format(R"({{"type":"ADDED","object":{{"metadata":{{"name":"{}"}}}}}})", large),
        std::string(R"({"type":"ADDED","object":{"metadata":{"name":"fine"}}})")}) {
    ASSERT_TRUE(decoder.Feed(odd));
  }
  EXPECT_EQ(sink.lines, (std::vector<std::string>{"BROKEN", "BROKEN", "ADDED fine"}));
}

TEST(WatchDecoder, StopsWhereTheSinkLeaves) {
  Lines sink;
  sink.leave_after = 2;
  WatchDecoder decoder("watch pods", sink);
  std::string input;
  for (int i = 0; i < 5; ++i) input += R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})";
  const Status fed = decoder.Feed(input);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(sink.lines.size(), 2U);
}

TEST(WatchDecoder, NeverShowsManagedFields) {
  struct Look final : WatchSink {
    Status OnEvent(const WatchEvent& event) override {
      json = event.object.ToJson();
      return {};
    }
    std::string json;
  } look;
  WatchDecoder decoder("watch pods", look);
  ASSERT_TRUE(decoder.Feed(
      R"({"type":"ADDED","object":{"metadata":{"name":"a","managedFields":[{"manager":"m"}]}}})"));
  EXPECT_EQ(look.json, R"({"metadata":{"name":"a"}})");
}

}  // namespace
}  // namespace tracekeeper::kube
