// The small values that all else is made of: names, paths, metadata, times, conditions.
#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

#include "src/kube/conditions.h"
#include "src/kube/document.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

// --- Resource ------------------------------------------------------------------------------------

TEST(Resource, BuildsThePathsOfTheApi) {
  EXPECT_EQ(kPods.CollectionPath("shop"), "/api/v1/namespaces/shop/pods");
  EXPECT_EQ(kPods.CollectionPath(), "/api/v1/pods");
  EXPECT_EQ(kDeployments.ObjectPath({"shop", "web"}, "status"),
            "/apis/apps/v1/namespaces/shop/deployments/web/status");
  EXPECT_EQ(kNamespaces.ObjectPath({"", "shop"}), "/api/v1/namespaces/shop");
  EXPECT_EQ(kClusterRoles.ObjectPath({"ignored", "system:node"}),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node");
  EXPECT_EQ(kDeployments.QualifiedName(), "deployments.apps");
  EXPECT_EQ(kDeployments.ApiVersion(), "apps/v1");
  EXPECT_EQ(kPods.ApiVersion(), "v1");
}

TEST(Resource, KeepsAnOddNameWithinItsSegment) {
  EXPECT_EQ(kPods.ObjectPath({"shop", "a/b?c#d e"}),
            "/api/v1/namespaces/shop/pods/a%2Fb%3Fc%23d%20e");
}

// --- ObjectKey and ObjectMeta --------------------------------------------------------------------

TEST(ObjectKey, IsWrittenAndReadAsNamespaceAndName) {
  EXPECT_EQ((ObjectKey{"shop", "web"}).ToString(), "shop/web");
  EXPECT_EQ((ObjectKey{"", "node-1"}).ToString(), "node-1");
  EXPECT_EQ(ParseObjectKey("shop/web"), (ObjectKey{"shop", "web"}));
  EXPECT_EQ(ParseObjectKey("node-1"), (ObjectKey{"", "node-1"}));
}

TEST(ObjectKey, RefusesWhatNamesNoObject) {
  for (const char* text :
       {"", "/", "/web", "shop/", "a/b/c", "..", "shop/..", "./web", "shop/a%2f"}) {
    EXPECT_FALSE(ParseObjectKey(text)) << text;
  }
  EXPECT_FALSE(ParseObjectKey(std::string(254, 'a')));
}

TEST(ObjectKey, HashesNamespaceAndNameApart) {
  const std::unordered_set<ObjectKey> keys{{"a", "b"}, {"b", "a"}, {"", "ab"}, {"ab", ""}};
  EXPECT_EQ(keys.size(), 4U);
  EXPECT_NE(std::hash<ObjectKey>{}({"a", "b"}), std::hash<ObjectKey>{}({"b", "a"}));
}

TEST(ObjectMeta, IsDecodedWithAllThatIsActedOn) {
  const auto document = Document::Parse(R"({"metadata":{
      "name":"web","namespace":"shop","uid":"u1","resourceVersion":"42","generation":3,
      "creationTimestamp":"2026-01-02T03:04:05Z","deletionTimestamp":"2026-01-02T04:04:05Z",
      "labels":{"app":"web","odd":7},"annotations":{"a":"b"},"finalizers":["x.dev/f",5],
      "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-1","uid":"u2"},
                         {"apiVersion":"v1","kind":"X","name":"o","uid":"u3","controller":true}],
      "newerThanUs":{"a":[1]}}})");
  const ObjectMeta meta = *DecodeMeta(document->root());
  EXPECT_EQ(meta.key, (ObjectKey{"shop", "web"}));
  EXPECT_EQ(meta.uid, "u1");
  EXPECT_EQ(meta.resource_version, "42");
  EXPECT_EQ(meta.generation, 3);
  EXPECT_EQ(*meta.deletion_timestamp - *meta.creation_timestamp, hours(1));
  EXPECT_TRUE(meta.IsBeingDeleted());
  EXPECT_EQ(meta.labels, (StringMap{{"app", "web"}}));
  EXPECT_EQ(meta.annotations, (StringMap{{"a", "b"}}));
  EXPECT_TRUE(meta.HasFinalizer("x.dev/f"));
  EXPECT_FALSE(meta.HasFinalizer("y.dev/f"));
  ASSERT_NE(meta.Controller(), nullptr);
  EXPECT_EQ(meta.Controller()->uid, "u3");
}

TEST(ObjectMeta, OfAnObjectWithoutANameIsAnError) {
  for (const char* json :
       {"{}", R"({"metadata":{}})", R"({"metadata":{"name":""}})", R"({"metadata":[]})"}) {
    const auto document = Document::Parse(json);
    EXPECT_FALSE(DecodeMeta(document->root())) << json;
  }
}

// --- Time ----------------------------------------------------------------------------------------

TEST(Timestamp, IsReadInEveryFormOfTheApi) {
  const Instant noon = Instant(sys_days(year(2026) / 1 / 2)) + hours(12);
  EXPECT_EQ(ParseTimestamp("2026-01-02T12:00:00Z"), noon);
  EXPECT_EQ(ParseTimestamp("2026-01-02t12:00:00z"), noon);
  EXPECT_EQ(ParseTimestamp("2026-01-02T14:30:00+02:30"), noon);
  EXPECT_EQ(ParseTimestamp("2026-01-02T04:00:00-08:00"), noon);
  EXPECT_EQ(ParseTimestamp("2026-01-02T12:00:00.25Z"), noon + milliseconds(250));
  EXPECT_EQ(ParseTimestamp("2026-01-02T12:00:00.123456789012Z"),
            noon + std::chrono::nanoseconds(123456789));
}

TEST(Timestamp, RefusesWhatIsNone) {
  for (const char* text : {"", "2026-01-02", "2026-01-02T12:00:00", "2026-01-02T12:00Z",
                           "2026-13-02T12:00:00Z", "2026-02-29T12:00:00Z", "2026-01-02T24:00:00Z",
                           "2026-01-02T12:60:00Z", "2026-01-02T12:00:00.Z", "2026-01-02T12:00:00Zx",
                           "2026-01-02T12:00:00+0200", "2026-1-2T12:00:00Z", "-026-01-02T12:00:00Z",
                           "9999-01-02T12:00:00Z", "0001-01-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseTimestamp(text)) << text;
  }
}

TEST(Timestamp, IsWrittenInSecondsOrMicroseconds) {
  const Instant time =
      Instant(sys_days(year(2026) / 1 / 2)) + hours(3) + seconds(245) + microseconds(678901);
  EXPECT_EQ(FormatTimestamp(time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(FormatMicroTimestamp(time), "2026-01-02T03:04:05.678901Z");
  EXPECT_EQ(ParseTimestamp(FormatMicroTimestamp(time)), time);
  const Instant early = Instant(sys_days(year(1969) / 12 / 31)) + hours(23) + microseconds(1);
  EXPECT_EQ(FormatMicroTimestamp(early), "1969-12-31T23:00:00.000001Z");
}

// --- Conditions ----------------------------------------------------------------------------------

class Conditions : public testing::Test {
 protected:
  const Instant start_ = Instant(sys_days(year(2026) / 1 / 2));
  std::vector<Condition> conditions_;

  bool Set(ConditionStatus status, std::string reason, std::int64_t generation, Duration after) {
    return SetCondition(conditions_,
                        {.type = "Ready",
                         .status = status,
                         .reason = std::move(reason),
                         .message = "m",
                         .observed_generation = generation},
                        start_ + after);
  }
};

TEST_F(Conditions, MoveTheirTransitionTimeOnlyWithTheStatus) {
  EXPECT_TRUE(Set(ConditionStatus::kUnknown, "Starting", 1, seconds(0)));
  EXPECT_TRUE(Set(ConditionStatus::kTrue, "Covered", 1, seconds(10)));
  EXPECT_EQ(conditions_[0].last_transition_time, start_ + seconds(10));
  EXPECT_TRUE(Set(ConditionStatus::kTrue, "StillCovered", 2, seconds(20)));
  EXPECT_EQ(conditions_[0].last_transition_time, start_ + seconds(10));
  EXPECT_EQ(conditions_[0].observed_generation, 2);
  EXPECT_TRUE(Set(ConditionStatus::kFalse, "Gone", 2, seconds(30)));
  EXPECT_EQ(conditions_[0].last_transition_time, start_ + seconds(30));
}

TEST_F(Conditions, SayWhenNothingChanged) {
  EXPECT_TRUE(Set(ConditionStatus::kTrue, "Covered", 1, seconds(0)));
  EXPECT_FALSE(Set(ConditionStatus::kTrue, "Covered", 1, seconds(99)));
}

TEST_F(Conditions, ReadBackWhatTheyWrote) {
  Set(ConditionStatus::kTrue, "Covered", 7, milliseconds(1500));
  SetCondition(conditions_, {.type = "Injected", .reason = "NoPods", .message = "π"}, start_);
  codec::JsonWriter json;
  WriteConditions(json, conditions_);
  const auto document = Document::Parse(json.text());
  EXPECT_EQ(DecodeConditions(document->root()), conditions_);
  // As it comes back from the server: the next visit must not look like a change.
  conditions_ = DecodeConditions(document->root());
  EXPECT_FALSE(Set(ConditionStatus::kTrue, "Covered", 7, seconds(99)));
}

TEST_F(Conditions, CutAMessageThatIsTooLongBetweenCharacters) {
  std::string message(32767, 'x');
  message += "π";  // two bytes, the limit falls between them
  SetCondition(conditions_, {.type = "Ready", .reason = "R", .message = message}, start_);
  EXPECT_EQ(conditions_[0].message, std::string(32767, 'x'));
}

TEST_F(Conditions, KnowWhatTheApiRefuses) {
  const auto is_valid = [](std::string type, std::string reason) {
    return ValidateCondition({.type = std::move(type), .reason = std::move(reason)}).has_value();
  };
  EXPECT_TRUE(is_valid("Ready", "A"));
  EXPECT_TRUE(is_valid("Ready", "Covered_by2:x,y"));
  EXPECT_FALSE(is_valid("", "A"));
  EXPECT_FALSE(is_valid(std::string(317, 'a'), "A"));
  for (const char* reason : {"", "1st", "has space", "Ends,", "Ends:", "dash-ed"}) {
    EXPECT_FALSE(is_valid("Ready", reason)) << reason;
  }
}

TEST_F(Conditions, AreFoundByType) {
  Set(ConditionStatus::kTrue, "Covered", 1, seconds(0));
  ASSERT_NE(FindCondition(conditions_, "Ready"), nullptr);
  EXPECT_EQ(FindCondition(conditions_, "Stalled"), nullptr);
}

}  // namespace
}  // namespace tracekeeper::kube
