#include "cli/doctor_questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "src/codec/yaml.h"
#include "src/kube/document.h"
#include "tests/support/folders.h"

namespace tracekeeper::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The CRD that this release installs, as JSON, with the condition that an API server adds.
std::string InstalledCrd(const std::string& established = "True") {
  std::ifstream file(test_support::SourceFolder() / "crds/tracekeeper.dev_tracingpolicies.yaml");
  std::stringstream text;
  text << file.rdbuf() << "\nstatus: {conditions: [{type: Established, status: \"" << established
       << "\"}]}\n";
  const auto documents = codec::YamlToJson(text.str());
  EXPECT_TRUE(documents) << documents.error().message;
  return documents ? documents->front() : "{}";
}

CustomResourceFacts Facts(const std::string& json) {
  const auto crd = kube::Document::Parse(json);
  EXPECT_TRUE(crd) << crd.error().message;
  return FactsOf(crd->root());
}

std::string Replaced(std::string text, const std::string& was, const std::string& with) {
  const std::size_t at = text.find(was);
  EXPECT_NE(at, std::string::npos) << was;
  return at == std::string::npos ? text : text.replace(at, was.size(), with);
}

TEST(CustomResourceFacts, OfThisReleaseLackNothing) {
  const CustomResourceFacts facts = Facts(InstalledCrd());
  EXPECT_TRUE(facts.is_established);
  EXPECT_TRUE(facts.serves_version);
  EXPECT_THAT(facts.absent_fields, IsEmpty());
}

TEST(CustomResourceFacts, NameTheFieldsThatAnOlderReleaseDoesNotKnow) {
  const CustomResourceFacts facts =
      Facts(Replaced(InstalledCrd(), "\"podSecurityDefaults\":", "\"formerName\":"));
  EXPECT_THAT(facts.absent_fields, ElementsAre("spec.injection.podSecurityDefaults"));
}

TEST(CustomResourceFacts, SayThatTheApiServerHasNotEstablishedIt) {
  EXPECT_FALSE(Facts(InstalledCrd("False")).is_established);
  EXPECT_FALSE(Facts("{}").is_established);
}

TEST(CustomResourceFacts, SayThatTheVersionIsNotServed) {
  EXPECT_FALSE(
      Facts(Replaced(InstalledCrd(), "\"served\":true", "\"served\":false")).serves_version);
  EXPECT_FALSE(
      Facts(Replaced(InstalledCrd(), "\"name\":\"v1alpha1\"", "\"name\":\"v2\"")).serves_version);
}

}  // namespace
}  // namespace tracekeeper::cli
