#include "operator/domain/explain_credential.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/api/tracing_policy.h"
#include "operator/domain/rotation_journal.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What is said of the only credential of a policy shop/checkout; members come comma first.
ExplainedCredential Explained(std::string_view credential, std::string_view more_metadata = "",
                              std::string_view status = "{}") {
  const kube::Document document = Json(fmt::format(
      R"({{"metadata":{{"namespace":"shop","name":"checkout"{}}},"spec":{{"credentials":[{{)"
      R"("name":"c",{}}}]}},"status":{}}})",
      more_metadata, credential, status));
  const auto policy = api::DecodeTracingPolicy(document.root());
  EXPECT_TRUE(policy) << policy.error().message;
  return ExplainCredential(*policy, policy->spec.credentials.front());
}

constexpr std::string_view kGenerated =
    R"("vault":{"connectionRef":{"name":"vault"},"path":"a/b","keys":["key"]},
       "rotation":{"generate":{"type":"ed25519","key":"key"}},"secret":{"name":"s"})";
constexpr std::string_view kDatabase =
    R"("vault":{"connectionRef":{"name":"v","namespace":"vault"},"engine":"database","role":"r"},
       "secret":{"name":"s"},"consumers":{"reload":"Restart"})";

struct PhaseCase {
  std::string_view name, credential;
  std::size_t phase;
  std::string_view want;
};

class ExplainedPhases : public ::testing::TestWithParam<PhaseCase> {};

TEST_P(ExplainedPhases, SayWhatIsDone) {
  const ExplainedCredential explained = Explained(GetParam().credential);
  ASSERT_EQ(explained.phases.size(), 5U);
  EXPECT_EQ(explained.phases[GetParam().phase].sentence, GetParam().want);
  EXPECT_FALSE(explained.phases[GetParam().phase].is_under_way);
}

constexpr PhaseCase kPhases[] = {
    {"generatedPrepare", kGenerated, 0,
     "writes a new key for Ed25519 to key key of secret/a/b as its next version; other keys are "
     "kept."},
    {"generatedPublish", kGenerated, 1, "shows it in Secret shop/s as key.next beside key."},
    {"generatedActivate", kGenerated, 2,
     "at once, key becomes the new one, key.previous the one before."},
    {"generatedDrain", kGenerated, 3,
     "waits until the sidecars of the policy's pods say that they use it, and both were valid for "
     "1h."},
    {"generatedRetire", kGenerated, 4,
     "takes key.previous out of the Secret, then destroys the previous version of secret/a/b."},
    {"defaultKeyOfAPassword",
     R"("vault":{"connectionRef":{"name":"v"},"mount":"team/kv","path":"p"},
        "rotation":{"generate":{"type":"password"}},"secret":{"name":"s"})",
     0,
     "writes a new password of 32 characters to key password of team/kv/p as its next version; "
     "other keys are kept."},
    {"databaseDrain", kDatabase, 3,
     "restarts the workloads of the policy's pods, and waits until they run with it and both were "
     "valid for 1h."},
    {"databaseRetire", kDatabase, 4,
     "takes KEY.previous out of the Secret, then revokes the previous lease, which ends that "
     "user."},
    {"lingerAndNobody",
     R"("vault":{"connectionRef":{"name":"v"},"engine":"transit","path":"k"},
        "rotation":{"overlap":"5m","linger":"15m","activateAfter":"10m"},"secret":{"name":"s"},
        "consumers":{"reload":"None"})",
     3,
     "waits until both were valid for 5m, and 15m passed since nobody uses the previous one; "
     "consumers follow by themselves."},
};

INSTANTIATE_TEST_SUITE_P(Table, ExplainedPhases, ::testing::ValuesIn(kPhases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ExplainCredential, NamesItsPhasesAsTheMachineDoes) {
  const ExplainedCredential explained = Explained(kGenerated);
  EXPECT_THAT(
      explained.phases,
      ElementsAre(Field(&ExplainedPhase::name, "Prepare"), Field(&ExplainedPhase::name, "Publish"),
                  Field(&ExplainedPhase::name, "Activate"), Field(&ExplainedPhase::name, "Drain"),
                  Field(&ExplainedPhase::name, "Retire")));
}

TEST(ExplainCredential, SaysFromWhenToWhenItIsDue) {
  EXPECT_EQ(Explained(kGenerated).when, "64h48m to 72h after the one before began, never later.");
  EXPECT_THAT(Explained(kDatabase).when, HasSubstr("its lease is renewed till then"));
  EXPECT_EQ(
      Explained(R"("vault":{"connectionRef":{"name":"v"},"path":"p"},"secret":{"name":"s"})").when,
      "as soon as Vault has a newer version.");
  const std::string_view status =
      R"({"credentials":[{"name":"c","phase":"Idle","version":3,"nextRotation":"2026-01-05T01:00:00Z"}]})";
  EXPECT_EQ(Explained(kGenerated, "", status).when,
            "at 2026-01-05T01:00:00Z; each is due 64h48m to 72h after the one before began, never "
            "later.");
}

TEST(ExplainCredential, SaysWhatIsUnderWay) {
  const ExplainedCredential explained =
      Explained(kGenerated, "",
                R"({"injectedPods":1,"credentials":[{"name":"other","phase":"Retire"},
          {"name":"c","phase":"Drain","version":3,"lastRotation":"2026-01-02T03:04:05Z",
           "reason":"VaultSealed"}]})");
  EXPECT_EQ(explained.status,
            "version 3, in use since 2026-01-02T03:04:05Z; phase Drain. Reason VaultSealed: "
            "condition CredentialsRotated says more.");
  EXPECT_TRUE(explained.phases[3].is_under_way);
  EXPECT_FALSE(explained.phases[4].is_under_way);
  EXPECT_THAT(explained.phases[3].sentence,
              HasSubstr("waits until the sidecar of 1 pod says that it uses it"));
  EXPECT_EQ(Explained(kGenerated).status, "");
  EXPECT_EQ(Explained(kGenerated, "",
                      R"({"credentials":[{"name":"c","phase":"Prepare","reason":"VaultSealed"}]})")
                .status,
            "no version yet, the first comes as soon as it can; phase Prepare. Reason VaultSealed: "
            "condition CredentialsRotated says more.");
}

TEST(ExplainCredential, SaysWhatStandsInTheWay) {
  EXPECT_THAT(Explained(kGenerated).problems, IsEmpty());
  EXPECT_THAT(
      Explained(kDatabase, R"(,"annotations":{"tracekeeper.dev/paused":"true"})").problems,
      ElementsAre("Nothing of this is done while the annotation tracekeeper.dev/paused stands "
                  "there; leases are renewed."));
  const ExplainedCredential explained =
      Explained(R"("vault":{"connectionRef":{"name":"v"},"path":"p"},
                   "secret":{"name":"s","template":{"good":"{{ a }}","url":"{{ a | env }}"}})");
  EXPECT_THAT(explained.problems,
              ElementsAre(HasSubstr("Entry url cannot be made: template, byte 8: there is no "
                                    "function")));
  EXPECT_THAT(explained.phases[2].sentence, HasSubstr("the one before; good is made anew."));
  EXPECT_THAT(explained.what, Not(HasSubstr("operator makes")));
}

}  // namespace
}  // namespace tracekeeper::domain
