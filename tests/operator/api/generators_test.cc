// What crdgen makes: equal to what is checked in, and a Helm template that renders to the CRD.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/yaml.h"
#include "tests/operator/api/object_table.h"
#include "tools/crdgen/crd_document.h"
#include "tools/crdgen/reference.h"

namespace tracekeeper::crdgen {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CustomResource TracingPolicy() { return CustomResources().front(); }

TEST(Generators, CheckedInFilesAreWhatTheyMake) {
  for (const CustomResource& resource : CustomResources()) {
    const std::string crd = fmt::format("crds/{}_{}.yaml", resource.group, resource.plural);
    EXPECT_EQ(CrdYaml(resource).value(), api::ReadRepositoryFile(crd).value()) << "run make gen";
    const auto example =
        api::ReadRepositoryFile(fmt::format("docs/examples/{}.yaml", resource.singular));
    const std::string page = fmt::format("docs/reference/{}.md", resource.singular);
    EXPECT_EQ(ReferencePage(resource, *example), api::ReadRepositoryFile(page).value())
        << "run make gen";
  }
}

TEST(Generators, CrdIsYamlThatReadsBack) {
  codec::YamlParser parser;
  const std::string text = CrdYaml(TracingPolicy()).value();
  const auto crd = parser.Parse(text);
  ASSERT_TRUE(crd) << crd.error().message;
  EXPECT_EQ((*crd)["metadata"]["name"].StringOr(""), "tracingpolicies.tracekeeper.dev");
}

TEST(Generators, FieldWithoutABoundIsRefused) {
  CustomResource policy = TracingPolicy();
  codec::Schema text;
  text.type = codec::Schema::Type::kString;
  policy.spec.properties.push_back({"note", text, false});
  const auto crd = CrdYaml(policy);
  ASSERT_FALSE(crd);
  EXPECT_EQ(crd.error().message, "TracingPolicy: no bound on spec.note");
}

TEST(Generators, TemplateKeepsBracesOfTextFromHelm) {
  CustomResource policy = TracingPolicy();
  policy.doc = "Write {{name}} here.";
  const std::string text = CrdTemplate(policy, kCrdsChart).value();
  EXPECT_THAT(text, HasSubstr(R"(Write {{ "{{" }}name}} here.)"));
  EXPECT_THAT(text, HasSubstr("helm.sh/resource-policy: keep"));
  EXPECT_THAT(text, Not(HasSubstr("{{name}}")));
}

TEST(Generators, CrdOverTheAnnotationLimitIsRefused) {
  CustomResource policy = TracingPolicy();
  const std::string doc(kMaxCrdBytes, 'x');
  policy.doc = doc;
  const auto crd = CrdYaml(policy);
  ASSERT_FALSE(crd);
  EXPECT_THAT(crd.error().message, HasSubstr("more than 204800"));
}

}  // namespace
}  // namespace tracekeeper::crdgen
