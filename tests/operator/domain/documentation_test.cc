// docs/reference/injection.md names every reason with its sentence, and every name that injection
// leaves in a pod.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "operator/domain/names.h"
#include "operator/domain/reasons.h"
#include "tests/support/folders.h"

namespace tracekeeper::domain {
namespace {

std::string Reference() {
  std::ifstream file(test_support::SourceFolder() / "docs/reference/injection.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(InjectionReference, ListsEveryReasonAsTheCodeSaysIt) {
  const std::string text = Reference();
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string row =
        fmt::format("| `{}` | {} | {} |\n", NameOf(reason), SentenceOf(reason), AdviceOf(reason));
    EXPECT_THAT(text, testing::HasSubstr(row)) << "the table of reasons lacks this row";
  }
}

TEST(InjectionReference, NamesEverythingThatInjectionLeavesInAPod) {
  const std::string text = Reference();
  for (const std::string_view name :
       {kInjectLabel, kPolicyAnnotation, kGenerationAnnotation, kDigestAnnotation,
        kInjectionAnnotation, kSidecarContainer, kAgentContainerPrefix, kConfigVolume,
        kCredentialVolume, kTlsVolumePrefix, kNoTokenVolume, kAgentVolume, kAgentMountPath,
        kPodNameVariable, kPodUidVariable, kNodeNameVariable}) {
    EXPECT_THAT(text, testing::HasSubstr(std::string(name)));
  }
}

}  // namespace
}  // namespace tracekeeper::domain
