#include "src/kube/object_framer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tracekeeper::kube {
namespace {

using Shape = ObjectFramer::Shape;

struct Collected final : ObjectFramer::Sink {
  Status OnFrame(std::string_view json) override {
    frames.emplace_back(json);
    return {};
  }
  Status OnOversizeFrame(std::size_t /*bytes*/) override {
    frames.emplace_back("(oversize)");
    return {};
  }
  std::vector<std::string> frames;
};

struct FramerCase {
  std::string_view name;
  Shape shape;
  std::string_view input;
  std::vector<std::string> frames;
  std::string_view envelope = "";
};

const std::vector<FramerCase> kCases{
    {"NoEvents", Shape::kSequence, " \n ", {}},
    {"TwoEventsOnTwoLines",
     Shape::kSequence,
     "{\"a\":1}\n{\"b\":2}\n",
     {R"({"a":1})", R"({"b":2})"}},
    {"TwoEventsOnOneLine", Shape::kSequence, R"({"a":1}{"b":2})", {R"({"a":1})", R"({"b":2})"}},
    {"BracesInStrings",
     Shape::kSequence,
     R"({"a":"}{\"}\\"}{"b":"]"})",
     {R"({"a":"}{\"}\\"})", R"({"b":"]"})"}},
    {"HalfAnEventAtTheEnd", Shape::kSequence, R"({"a":1}{"b":)", {R"({"a":1})"}},
    {"ManagedFieldsAlone",
     Shape::kSequence,
     R"({"object":{"metadata":{"managedFields":[{"a":"]}"}]}}})",
     {R"({"object":{"metadata":{}}})"}},
    {"ManagedFieldsFirst",
     Shape::kSequence,
     R"({"object":{"metadata":{"managedFields":[1],"name":"x"}}})",
     {R"({"object":{"metadata":{"name":"x"}}})"}},
    {"ManagedFieldsLast",
     Shape::kSequence,
     R"({"object":{"metadata":{"name":"x","managedFields":[1]},"z":0}})",
     {R"({"object":{"metadata":{"name":"x"},"z":0}})"}},
    {"ManagedFieldsInTheMiddle",
     Shape::kSequence,
     R"({"object":{"metadata":{"a":1,"managedFields":{"x":{}},"b":2}}})",
     {R"({"object":{"metadata":{"a":1,"b":2}}})"}},
    {"ManagedFieldsTwiceAtTheBeginning",
     Shape::kSequence,
     R"({"object":{"metadata":{"managedFields":[],"managedFields":null,"b":2}}})",
     {R"({"object":{"metadata":{"b":2}}})"}},
    {"ManagedFieldsAsNull",
     Shape::kSequence,
     R"({"object":{"metadata":{"managedFields": null , "b":2}}})",
     {R"({"object":{"metadata":{ "b":2}}})"}},
    {"ManagedFieldsAsText",
     Shape::kSequence,
     R"({"object":{"metadata":{"managedFields":"a,\"}","b":2}}})",
     {R"({"object":{"metadata":{"b":2}}})"}},
    {"GarbageBehindWhatIsLeftOutStays",
     Shape::kSequence,
     R"({"object":{"metadata":{"managedFields":"x"garbage,"b":2}}})",
     {R"({"object":{"metadata":{garbage"b":2}}})"}},
    {"ManagedFieldsElsewhereStay",
     Shape::kSequence,
     R"({"managedFields":1,"object":{"managedFields":[2],"spec":{"managedFields":3,"metadata":{"managedFields":4}}}})",
     {R"({"managedFields":1,"object":{"managedFields":[2],"spec":{"managedFields":3,"metadata":{"managedFields":4}}}})"}},
    {"ValueThatReadsLikeTheKey",
     Shape::kSequence,
     R"({"object":{"metadata":{"name":"managedFields","b":2}}})",
     {R"({"object":{"metadata":{"name":"managedFields","b":2}}})"}},
    {"MetadataInAnArrayStays",
     Shape::kSequence,
     R"({"object":{"metadata":[{"managedFields":1}]}})",
     {R"({"object":{"metadata":[{"managedFields":1}]}})"}},
    {"EmptyList",
     Shape::kItems,
     R"({"kind":"PodList","items":[]})",
     {},
     R"({"kind":"PodList","items":[]})"},
    {"NullItems",
     Shape::kItems,
     R"({"kind":"PodList","items":null})",
     {},
     R"({"kind":"PodList","items":null})"},
    {"MetadataBeforeItems",
     Shape::kItems,
     R"({"kind":"L","metadata":{"continue":"c"},"items":[{"a":1},{"b":[2]}]})",
     {R"({"a":1})", R"({"b":[2]})"},
     R"({"kind":"L","metadata":{"continue":"c"},"items":[]})"},
    {"MetadataAfterItems",
     Shape::kItems,
     "{\"items\": [ {\"a\":1} ,\n {\"b\":2} ] ,\"metadata\":{\"r\":\"1\"}}\n",
     {R"({"a":1})", R"({"b":2})"},
     "{\"items\": [] ,\"metadata\":{\"r\":\"1\"}}\n"},
    {"ItemsOfAnItemAreItsOwn",
     Shape::kItems,
     R"({"items":[{"items":[{"x":1}]}],"kind":"L"})",
     {R"({"items":[{"x":1}]})"},
     R"({"items":[],"kind":"L"})"},
    {"ManagedFieldsOfItems",
     Shape::kItems,
     R"({"metadata":{"managedFields":1},"items":[{"metadata":{"managedFields":[{}],"n":1}},{"metadata":{"n":2,"managedFields":[]}}]})",
     {R"({"metadata":{"n":1}})", R"({"metadata":{"n":2}})"},
     R"({"metadata":{"managedFields":1},"items":[]})"},
};

class ObjectFramerTable : public testing::TestWithParam<FramerCase> {};

TEST_P(ObjectFramerTable, GivesTheSameFramesHoweverTheBytesWereCut) {
  const FramerCase& test = GetParam();
  for (std::size_t piece = 1; piece <= test.input.size(); ++piece) {
    Collected sink;
    ObjectFramer framer(test.shape, 1024, sink);
    for (std::size_t at = 0; at < test.input.size(); at += piece) {
      ASSERT_TRUE(framer.Feed(test.input.substr(at, piece)));
    }
    ASSERT_EQ(sink.frames, test.frames) << "in pieces of " << piece;
    if (test.shape == Shape::kItems) {
      EXPECT_TRUE(framer.Finish());
      ASSERT_EQ(framer.envelope(), test.envelope) << "in pieces of " << piece;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ObjectFramerTable, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  std::string_view name;
  Shape shape;
  std::string_view input;
};

class ObjectFramerRefusals : public testing::TestWithParam<RefusedCase> {};

TEST_P(ObjectFramerRefusals, LeavesAStreamThatIsNoKubernetesAnswer) {
  Collected sink;
  ObjectFramer framer(GetParam().shape, 1024, sink);
  const Status fed = framer.Feed(GetParam().input);
  const Status ended = fed ? framer.Finish() : fed;
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kDecode);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ObjectFramerRefusals,
    testing::Values(RefusedCase{"HtmlInsteadOfEvents", Shape::kSequence, "<html>"},
                    RefusedCase{"TextInsteadOfEvents", Shape::kSequence, "too many requests"},
                    RefusedCase{"AnArrayOfEvents", Shape::kSequence, R"([{"a":1}])"},
                    RefusedCase{"ClosedTooOften", Shape::kSequence, R"({"a":1}})"},
                    RefusedCase{"HtmlInsteadOfAList", Shape::kItems, "\n<html>"},
                    RefusedCase{"AListCutShort", Shape::kItems, R"({"items":[{"a":1})"},
                    RefusedCase{"NothingAtAll", Shape::kItems, ""},
                    RefusedCase{"NumbersForItems", Shape::kItems, R"({"items":[1,2]})"},
                    RefusedCase{"TextsForItems", Shape::kItems, R"({"items":["a"]})"},
                    RefusedCase{"ArraysForItems", Shape::kItems, R"({"items":[[1]]})"},
                    RefusedCase{"TwoDocuments", Shape::kItems, R"({"items":[]}{"items":[]})"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ObjectFramer, GoesOnAfterAFrameThatIsTooLarge) {
  const std::string big =
      R"({"object":{"metadata":{"managedFields":[],"name":")" + std::string(200, 'x') + R"("}}})";
  const std::string input = R"({"a":1})" + big + R"({"b":2})";
  for (std::size_t piece = 1; piece <= input.size(); ++piece) {
    Collected sink;
    ObjectFramer framer(Shape::kSequence, 100, sink);
    for (std::size_t at = 0; at < input.size(); at += piece) {
      ASSERT_TRUE(framer.Feed(std::string_view(input).substr(at, piece)));
    }
    ASSERT_EQ(sink.frames, (std::vector<std::string>{R"({"a":1})", "(oversize)", R"({"b":2})"}))
        << "in pieces of " << piece;
  }
}

TEST(ObjectFramer, TakesAFrameOfExactlyTheCap) {
  Collected sink;
  ObjectFramer framer(Shape::kSequence, 7, sink);
  ASSERT_TRUE(framer.Feed(R"({"a":1}{"a":12})"));
  EXPECT_EQ(sink.frames, (std::vector<std::string>{R"({"a":1})", "(oversize)"}));
}

TEST(ObjectFramer, BoundsWhatIsAroundTheItems) {
  Collected sink;
  ObjectFramer framer(Shape::kItems, 1024, sink);
  const std::string rows(ObjectFramer::kEnvelopeBytes, ' ');
  EXPECT_FALSE(framer.Feed("{\"rows\":[" + rows + "]}"));
}

}  // namespace
}  // namespace tracekeeper::kube
