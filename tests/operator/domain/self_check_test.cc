// The self-check refuses what the API server would refuse, and what would take something from a
// user. Each row is a patch that a mistake of ours could make.

#include "operator/domain/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "operator/domain/reasons.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kPod = R"({"metadata":{"annotations":{"a":"b"}},"spec":{
  "containers":[{"name":"app","env":[{"name":"X","value":"1"}]},{"name":"bare"}],
  "volumes":[{"name":"data"}]}})";

constexpr std::string_view kGood =
    R"({"name":"new","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsNonRoot":true,"runAsUser":1,"seccompProfile":{"type":"RuntimeDefault"}}})";

std::string Checked(std::string_view patch) {
  const kube::Document pod = Json(kPod);
  const auto view = ViewPod(pod.root());
  codec::JsonParser parser;
  return CheckPatch(pod.root(), *view, patch, parser).value_or("fine");
}

std::string Add(std::string_view path, std::string_view value) {
  return std::string(R"([{"op":"add","path":")")
      .append(path)
      .append(R"(","value":)")
      .append(value)
      .append("}]");
}

TEST(SelfCheck, LetsGoodPatchesPass) {
  EXPECT_EQ(Checked(Add("/spec/containers/0/env/-", R"({"name":"Y"})")), "fine");
  EXPECT_EQ(Checked(Add("/spec/containers/0/env/0", R"({"name":"Y"})")), "fine");
  EXPECT_EQ(Checked(Add("/spec/containers/1/env", R"([{"name":"Y"}])")), "fine");
  EXPECT_EQ(Checked(Add("/spec/initContainers", "[" + std::string(kGood) + "]")), "fine");
  EXPECT_EQ(Checked(Add("/spec/containers/-", kGood)), "fine");
  EXPECT_EQ(Checked(Add("/spec/volumes/-", R"({"name":"new"})")), "fine");
  EXPECT_EQ(Checked(Add("/metadata/annotations/x~1y", R"("z")")), "fine");
  EXPECT_EQ(Checked(R"([{"op":"replace","path":"/spec/containers/0/env/0/value","value":"1,2"}])"),
            "fine");
}

TEST(SelfCheck, RefusesWhatTheApiServerWouldRefuseOrAUserWouldMiss) {
  const std::string root = R"({"name":"new","securityContext":{}})";
  const std::string same = std::string(R"({"name":"app",)").append(kGood.substr(13));
  for (const std::string& patch : {
           std::string(R"([{"op":"remove","path":"/spec/volumes/0"}])"),
           std::string(R"([{"op":"test","path":"/spec/volumes/0","value":1}])"),
           std::string(R"([{"op":"replace","path":"/spec/containers/0/name","value":"x"}])"),
           std::string(R"([{"op":"replace","path":"/spec/containers/0/env/0/value","value":"2"}])"),
           std::string(R"([{"op":"replace","path":"/spec/containers/0/env/7/value","value":"2"}])"),
           Add("/spec/containers/0/env", "[]"),
           Add("/spec/containers/1/env/-", R"({"name":"Y"})"),
           Add("/spec/containers/0/env/9", R"({"name":"Y"})"),
           Add("/spec/containers/7/env/-", R"({"name":"Y"})"),
           Add("/spec/initContainers/0", kGood),
           Add("/spec/volumes", R"([{"name":"new"}])"),
           Add("/spec/volumes/-", R"({"name":"data"})"),
           Add("/spec/containers/-", same),
           Add("/spec/containers/-", root),
           Add("/metadata/annotations", "{}"),
           Add("/metadata", "{}"),
           std::string("nonsense"),
           std::string("{}"),
       }) {
    EXPECT_NE(Checked(patch), "fine") << patch;
  }
}

TEST(Reasons, EachHasANameAnEventAndASentenceOfItsOwn) {
  std::set<std::string_view> names;
  std::set<std::string_view> events;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_THAT(std::string(NameOf(reason)), testing::MatchesRegex("[a-z][a-z_]*"));
    EXPECT_THAT(std::string(EventReasonOf(reason)), testing::MatchesRegex("[A-Z][A-Za-z]*"));
    EXPECT_TRUE(SentenceOf(reason).ends_with('.')) << NameOf(reason);
    EXPECT_TRUE(AdviceOf(reason).empty() || AdviceOf(reason).ends_with('.')) << NameOf(reason);
    EXPECT_TRUE(!IsWarning(reason) || !AdviceOf(reason).empty()) << NameOf(reason);
    EXPECT_TRUE(names.insert(NameOf(reason)).second);
    EXPECT_TRUE(events.insert(EventReasonOf(reason)).second);
    EXPECT_EQ(ReasonFromName(NameOf(reason)), reason);
  }
  EXPECT_EQ(ReasonFromName("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace tracekeeper::domain
