#include "operator/controllers/rotation_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::Not;

class RotationMetricsTest : public testing::Test {
 protected:
  RotationMetricsTest() {
    plan_.identity.credential = "db";
    plan_.policy = {"shop", "payments"};
    plan_.spec.activate_after = minutes(10);
    plan_.spec.linger = minutes(15);
    report_.phase_began = clock_.Now() - minutes(5);
    report_.last_rotation = clock_.Now() - hours(1);
    report_.next_rotation = clock_.Now() + hours(70);
  }

  void Set(std::string_view failure = {}) { shown_.Set(plan_, report_, failure); }
  [[nodiscard]] std::string Text() { return shown_.Refresh(), metrics_.Text(); }

  test_support::ManualClock clock_;
  telemetry::PrometheusMetrics metrics_;
  RotationMetrics shown_{clock_, metrics_};
  domain::CredentialPlan plan_;
  domain::CredentialReport report_;
};

TEST_F(RotationMetricsTest, ShowWhatThePolicySaysAndWhenThePhaseBegan) {
  Set();
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("tracekeeper_rotation_activate_after_seconds{"));
  EXPECT_THAT(text, HasSubstr("} 600\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_rotation_linger_seconds{"));
  EXPECT_THAT(text, HasSubstr("} 900\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_rotation_phase_timestamp_seconds{"));
}

TEST_F(RotationMetricsTest, TheAgeGrowsAlsoWhileNothingIsKnown) {
  Set();
  EXPECT_THAT(Text(), HasSubstr("} 3600\n"));
  report_ = {};
  Set("unavailable");
  clock_.Advance(hours(1));
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("} 7200\n"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_rotation_next_timestamp_seconds{"));
  EXPECT_THAT(text, HasSubstr("tracekeeper_rotation_phase_timestamp_seconds{"));
}

TEST_F(RotationMetricsTest, WhatOnlyFollowsItsSourceHasNoNextRotation) {
  Set();
  report_.next_rotation.reset();
  Set();
  EXPECT_THAT(Text(), Not(HasSubstr("tracekeeper_rotation_next_timestamp_seconds{")));
}

TEST_F(RotationMetricsTest, NothingButTheCounterStaysOfWhatIsGone) {
  Set("sealed");
  shown_.Forget(plan_.policy, plan_.identity.credential);
  EXPECT_THAT(Text(), Not(HasSubstr("tracekeeper_rotation_")));
}

}  // namespace
}  // namespace tracekeeper::controllers
