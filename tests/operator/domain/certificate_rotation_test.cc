#include "operator/domain/certificate_rotation.h"

#include <gtest/gtest.h>

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Instant kBorn{hours(24 * 365 * 50)};
const CertificatePolicy kPolicy{.lifetime = hours(90), .overlap = seconds(30)};

CertificateState Serving() { return {.not_before = kBorn, .not_after = kBorn + hours(90)}; }

CertificateState Untrusted() {
  CertificateState state = Serving();
  state.has_next = true;
  return state;
}

CertificateState Trusted(Duration since) {
  CertificateState state = Untrusted();
  state.next_trusted_since = kBorn + hours(60) - since;
  return state;
}

CertificateState Activated(Duration since) {
  CertificateState state = Serving();
  state.activated_at = kBorn + hours(1) - since;
  return state;
}

struct PlanCase {
  const char* name;
  CertificateState state;
  Instant now;
  CertificateStep want;
};

class PlanCertificateStep : public testing::TestWithParam<PlanCase> {};

TEST_P(PlanCertificateStep, FollowsTheTable) {
  const PlanCase& c = GetParam();
  EXPECT_EQ(PlanCertificate(c.state, kPolicy, c.now).step, c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, PlanCertificateStep,
    testing::Values(PlanCase{"nothing_stored", {}, kBorn, CertificateStep::kCreate},
                    PlanCase{"young", Serving(), kBorn + hours(1), CertificateStep::kNothing},
                    PlanCase{"just_before_two_thirds", Serving(), kBorn + hours(60) - seconds(1),
                             CertificateStep::kNothing},
                    PlanCase{"two_thirds", Serving(), kBorn + hours(60), CertificateStep::kPrepare},
                    PlanCase{"expired", Serving(), kBorn + hours(90), CertificateStep::kCreate},
                    PlanCase{"expired_while_prepared", Untrusted(), kBorn + hours(91),
                             CertificateStep::kCreate},
                    PlanCase{"prepared_but_not_trusted", Untrusted(), kBorn + hours(60),
                             CertificateStep::kNothing},
                    PlanCase{"trusted_a_moment_ago", Trusted(seconds(29)), kBorn + hours(60),
                             CertificateStep::kNothing},
                    PlanCase{"trusted_long_enough", Trusted(seconds(30)), kBorn + hours(60),
                             CertificateStep::kActivate},
                    PlanCase{"replicas_still_switching", Activated(seconds(29)), kBorn + hours(1),
                             CertificateStep::kNothing},
                    PlanCase{"replicas_switched", Activated(seconds(30)), kBorn + hours(1),
                             CertificateStep::kRetire}),
    [](const auto& param) { return param.param.name; });

TEST(PlanCertificate, NeverSleepsPastItsNextStep) {
  EXPECT_EQ(PlanCertificate(Activated(seconds(10)), kPolicy, kBorn + hours(1)).look_again,
            seconds(20));
  EXPECT_EQ(PlanCertificate(Serving(), kPolicy, kBorn).look_again, hours(1));
}

TEST(CertificatePolicy, ShortLivesHaveShortOverlaps) {
  EXPECT_EQ(CertificatePolicy::ForLifetime(std::chrono::minutes(1)).overlap, seconds(6));
  EXPECT_EQ(CertificatePolicy::ForLifetime(hours(2160)).overlap, seconds(30));
}

// Walks the whole life of many generations: at no moment is the served CA missing from the bundle.
TEST(CertificateRotation, ServesOnlyWhatIsTrustedThroughManyGenerations) {
  const CertificatePolicy policy = CertificatePolicy::ForLifetime(std::chrono::minutes(1));
  CertificateState state;
  Instant now = kBorn;
  Instant next_born = kBorn;
  int generations = 0;
  bool old_trusted = false;
  for (int step = 0; step < 2000; ++step) {
    const CertificatePlan plan = PlanCertificate(state, policy, now);
    switch (plan.step) {
      case CertificateStep::kCreate:
        ASSERT_EQ(generations, 0) << "a healthy chain is never thrown away";
        state = {.not_before = now, .not_after = now + policy.lifetime};
        ++generations;
        break;
      case CertificateStep::kPrepare:
        state.has_next = true;
        next_born = now;
        break;
      case CertificateStep::kActivate:
        ASSERT_TRUE(state.next_trusted_since);
        ASSERT_GE(now - *state.next_trusted_since, policy.overlap);
        state = {
            .not_before = next_born, .not_after = next_born + policy.lifetime, .activated_at = now};
        old_trusted = true;
        ++generations;
        break;
      case CertificateStep::kRetire:
        ASSERT_TRUE(old_trusted);
        ASSERT_GE(now - *state.activated_at, policy.overlap);
        state.activated_at.reset();
        old_trusted = false;
        break;
      case CertificateStep::kNothing:
        // The webhook configuration was applied with both CAs.
        if (state.has_next && !state.next_trusted_since) state.next_trusted_since = now;
        break;
    }
    now += std::max<Duration>(plan.look_again, seconds(1));
  }
  EXPECT_GT(generations, 30);
}

}  // namespace
}  // namespace tracekeeper::domain
