#include "src/runtime/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "src/codec/json_value.h"
#include "src/runtime/predicate.h"

namespace tracekeeper::runtime {
namespace {

using codec::JsonParser;
using codec::JsonValue;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A policy with one field of interest.
struct Thing {
  kube::ObjectMeta meta;
  std::string color;
};

Result<Thing> ProjectThing(JsonValue object) {
  Thing thing;
  thing.meta = TRY(kube::DecodeMeta(object));
  const auto color = object["color"].String();
  if (!color) return Fail(ErrorKind::kDecode, "color is not a string");
  thing.color = *color;
  return thing;
}

struct ThingText {
  std::string name;
  std::string color = "red";
  int version = 1;
  std::string uid = "00000000-0000-0000-0000-000000000001";
  int generation = 1;
  std::string labels = "{}";
};

std::string Json(const ThingText& thing) {
  return fmt::format(
      R"({{"metadata":{{"namespace":"shop","name":"{}","uid":"{}","resourceVersion":"{}",)"
      R"("generation":{},"labels":{}}},"color":"{}"}})",
      thing.name, thing.uid, thing.version, thing.generation, thing.labels, thing.color);
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    by_color_ =
        store_.AddIndex([](const Thing& thing) { return std::vector<std::string>{thing.color}; });
  }

  void Upsert(const ThingText& thing) {
    JsonParser parser;
    store_.Upsert(parser.Parse(Json(thing)).value());
  }
  void Remove(const ThingText& thing) {
    JsonParser parser;
    store_.Remove(parser.Parse(Json(thing)).value());
  }
  // One full list.
  void Replace(const std::vector<ThingText>& things) {
    store_.BeginReplace();
    for (const ThingText& thing : things) Upsert(thing);
    store_.EndReplace();
  }

  // Records changes as "added a red", "updated a red>blue", "deleted a blue inferred".
  Handler<Thing> Record(std::vector<std::string>& into) {
    return [&into](const Change<Thing>& change) {
      const char* kinds[] = {"added", "updated", "deleted"};
      std::string text = fmt::format("{} {} ", kinds[static_cast<int>(change.kind)],
                                     change.object().meta.key.name);
      if (change.kind == ChangeKind::kUpdated) text += change.before->color + ">";
      text += change.object().color;
      if (change.origin == Origin::kInitialList) text += " initial";
      if (change.origin == Origin::kRedelivery) text += " again";
      if (change.certainty == Certainty::kInferred) text += " inferred";
      into.push_back(text);
    };
  }

  std::vector<std::string> Colored(std::string_view color) {
    std::vector<std::string> names;
    for (const auto& thing : store_.Lookup(by_color_, color)) names.push_back(thing->meta.key.name);
    return names;
  }

  std::vector<std::string> log_lines_;
  Log log_{LogLevel::kDebug,
           [this](LogLevel, std::string_view line) { log_lines_.emplace_back(line); }};
  Store<Thing> store_{"things", ProjectThing, Logger(log_)};
  IndexId by_color_{};
  std::vector<std::string> seen_;
};

TEST_F(StoreTest, IsSyncedAfterItsFirstFullSet) {
  store_.BeginReplace();
  Upsert({.name = "a"});
  EXPECT_FALSE(store_.synced());
  store_.EndReplace();
  EXPECT_TRUE(store_.synced());
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(StoreTest, HandsOutOneSharedObjectThatOutlivesItsDeletion) {
  Replace({{.name = "a"}});
  const auto first = store_.Find({"shop", "a"});
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first, store_.Find({"shop", "a"})) << "no copies";
  Remove({.name = "a"});
  EXPECT_EQ(store_.Find({"shop", "a"}), nullptr);
  EXPECT_EQ(first->color, "red");
}

TEST_F(StoreTest, TellsHandlersWhatChangedInOrder) {
  store_.AddHandler(Record(seen_));
  Replace({{.name = "a"}, {.name = "b"}});
  Upsert({.name = "a", .color = "blue", .version = 2});
  Upsert({.name = "c"});
  Remove({.name = "b", .color = "green", .version = 9});
  EXPECT_THAT(seen_, ElementsAre("added a red initial", "added b red initial", "updated a red>blue",
                                 "added c red", "deleted b green"));
}

TEST_F(StoreTest, ALateHandlerIsToldWhatIsThereAndThenWhatChanges) {
  Replace({{.name = "a"}});
  Upsert({.name = "a", .color = "blue", .version = 2});
  store_.AddHandler(Record(seen_));
  EXPECT_THAT(seen_, ElementsAre("added a blue initial"));
  Upsert({.name = "a", .color = "green", .version = 3});
  EXPECT_THAT(seen_, ElementsAre("added a blue initial", "updated a blue>green"));
}

TEST_F(StoreTest, ARelistTellsOnlyWhatDiffers) {
  Replace({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  store_.AddHandler(Record(seen_));
  seen_.clear();
  const auto before = store_.Find({"shop", "a"});
  Replace({{.name = "a"}, {.name = "b", .color = "blue", .version = 2}, {.name = "d"}});
  EXPECT_THAT(seen_, ElementsAre("updated b red>blue", "added d red", "deleted c red inferred"));
  EXPECT_EQ(store_.Find({"shop", "a"}), before) << "not decoded again";
}

TEST_F(StoreTest, AListThatBeganAnewForgetsThePagesBefore) {
  Replace({{.name = "a"}, {.name = "b"}});
  store_.BeginReplace();
  Upsert({.name = "a"});
  store_.BeginReplace();  // the continue token expired
  Upsert({.name = "b"});
  store_.EndReplace();
  EXPECT_EQ(store_.Find({"shop", "a"}), nullptr);
  EXPECT_NE(store_.Find({"shop", "b"}), nullptr);
}

TEST_F(StoreTest, AnObjectMadeAnewUnderItsNameIsADeletionAndAnAddition) {
  store_.AddHandler(Record(seen_));
  Replace({{.name = "a"}});
  Upsert(
      {.name = "a", .color = "blue", .version = 2, .uid = "00000000-0000-0000-0000-000000000002"});
  EXPECT_THAT(seen_, ElementsAre("added a red initial", "deleted a red inferred", "added a blue"));
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(StoreTest, IndexesFollowEveryChange) {
  Replace({{.name = "a"}, {.name = "b"}, {.name = "c", .color = "blue"}});
  EXPECT_THAT(Colored("red"), UnorderedElementsAre("a", "b"));
  Upsert({.name = "a", .color = "blue", .version = 2});
  EXPECT_THAT(Colored("red"), ElementsAre("b"));
  EXPECT_THAT(Colored("blue"), UnorderedElementsAre("a", "c"));
  Remove({.name = "b"});
  EXPECT_THAT(Colored("red"), IsEmpty());
  EXPECT_EQ(store_.Count(by_color_, "blue"), 2U);
  Replace({});
  EXPECT_EQ(store_.Count(by_color_, "blue"), 0U);
}

TEST_F(StoreTest, ARefusedObjectIsLeftOutAndItsLastGoodStateStays) {
  Replace({{.name = "a"}});
  JsonParser parser;
  store_.Upsert(parser
                    .Parse(R"({"metadata":{"namespace":"shop","name":"a","uid":"u",)"
                           R"("resourceVersion":"5"},"color":7})")
                    .value());
  EXPECT_EQ(store_.Find({"shop", "a"})->color, "red");
  EXPECT_THAT(log_lines_, testing::Contains(testing::AllOf(
                              testing::HasSubstr("object=shop/a"),
                              testing::HasSubstr("error=\"color is not a string\""))));
  // Nor does a relist that brings it broken remove it.
  store_.BeginReplace();
  store_.Broken(kube::ObjectKey{"shop", "a"}, Error{ErrorKind::kDecode, "broken", {}});
  store_.EndReplace();
  EXPECT_NE(store_.Find({"shop", "a"}), nullptr);
}

TEST_F(StoreTest, RedeliveryHandsOverEverythingOnceMore) {
  Replace({{.name = "a"}});
  store_.AddHandler(Record(seen_));
  seen_.clear();
  store_.Redeliver();
  EXPECT_THAT(seen_, ElementsAre("updated a red>red again"));
}

TEST_F(StoreTest, ReadersSeeAnObjectUnderExactlyOneColorWhileItChanges) {
  Replace({{.name = "a"}});
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::jthread reader([&] {
    while (!done) {
      const auto object = store_.Find({"shop", "a"});
      if (object == nullptr) ++torn;
      for (const auto& thing : store_.Lookup(by_color_, "red")) torn += thing->color != "red";
    }
  });
  for (int i = 2; i < 3000; ++i) {
    Upsert({.name = "a", .color = i % 2 == 0 ? "blue" : "red", .version = i});
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(StoreTest, AHandlerAddedWhileObjectsArriveMissesNoneAndSeesNoneTwice) {
  std::vector<std::string> names;
  std::jthread writer([&] {
    for (int i = 0; i < 2000; ++i) Upsert({.name = fmt::format("thing-{}", i), .version = i + 1});
  });
  while (store_.size() < 100) std::this_thread::yield();
  store_.AddHandler(
      [&](const Change<Thing>& change) { names.push_back(change.object().meta.key.name); });
  writer.join();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names.size(), 2000U);
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

// --- Predicates and enqueueing
// --------------------------------------------------------------------

struct PredicateCase {
  std::string_view name;
  ThingText after;
  bool generation;
  bool labels;
};

TEST_F(StoreTest, PredicatesDecideAboutUpdates) {
  const PredicateCase cases[] = {
      {"nothing but the version", {.name = "a", .version = 2}, false, false},
      {"spec", {.name = "a", .version = 2, .generation = 2}, true, false},
      {"labels", {.name = "a", .version = 2, .labels = R"({"x":"y"})"}, false, true},
  };
  for (const PredicateCase& test : cases) {
    SCOPED_TRACE(test.name);
    Store<Thing> store("things", ProjectThing, Logger(log_));
    std::vector<std::string> generation;
    std::vector<std::string> labels;
    std::vector<std::string> either;
    std::vector<std::string> neither;
    const auto is_either = AnyOf<Thing>({GenerationChanged<Thing>(), LabelsChanged<Thing>()});
    store.AddHandler(Filtered<Thing>(GenerationChanged<Thing>(), Record(generation)));
    store.AddHandler(Filtered<Thing>(LabelsChanged<Thing>(), Record(labels)));
    store.AddHandler(Filtered<Thing>(is_either, Record(either)));
    store.AddHandler(Filtered<Thing>(Not<Thing>(is_either), Record(neither)));
    JsonParser parser;
    store.Upsert(parser.Parse(Json({.name = "a"})).value());
    generation.clear();
    labels.clear();
    either.clear();
    neither.clear();
    store.Upsert(parser.Parse(Json(test.after)).value());
    EXPECT_EQ(generation.size(), test.generation ? 1U : 0U);
    EXPECT_EQ(labels.size(), test.labels ? 1U : 0U);
    EXPECT_EQ(either.size(), test.generation || test.labels ? 1U : 0U);
    EXPECT_EQ(neither.size(), 1U - either.size());
  }
}

TEST_F(StoreTest, EnqueuesKeysBehindNewsWhileTheInitialListArrives) {
  const SystemClock clock;
  WorkQueue queue({.name = "q"}, clock, NoMetrics());
  store_.AddHandler(EnqueueKey<Thing>(queue));
  Replace({{.name = "a"}, {.name = "b"}});
  Upsert({.name = "b", .color = "blue", .version = 2});
  EXPECT_EQ(queue.TryGet(), (kube::ObjectKey{"shop", "b"}));
  EXPECT_EQ(queue.TryGet(), (kube::ObjectKey{"shop", "a"}));
}

TEST_F(StoreTest, AnObjectThatMovesConcernsBothOfItsOwners) {
  const SystemClock clock;
  WorkQueue queue({.name = "q"}, clock, NoMetrics());
  Replace({{.name = "a"}});
  store_.AddHandler(EnqueueMapped<Thing>(queue, [](const Thing& thing) {
    return std::vector<kube::ObjectKey>{{"colors", thing.color}};
  }));
  EXPECT_EQ(queue.TryGet(), (kube::ObjectKey{"colors", "red"}));
  queue.Done({"colors", "red"}, Outcome::Succeeded());
  Upsert({.name = "a", .color = "blue", .version = 2});
  EXPECT_EQ(queue.TryGet(), (kube::ObjectKey{"colors", "red"}));
  EXPECT_EQ(queue.TryGet(), (kube::ObjectKey{"colors", "blue"}));
}

}  // namespace
}  // namespace tracekeeper::runtime
