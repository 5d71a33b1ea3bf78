#include "operator/domain/trusted_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

const Instant kStart{hours(24 * 365 * 55)};

/// What `passed` looks like on a machine whose wall clock is off by `wall_error`.
ClockReading Read(Duration passed, Duration wall_error = {}) {
  return {kStart + passed + wall_error, MonotonicTime(passed)};
}

TrustedTime Confirmed() { return TrustedTime::Unconfirmed({}).Heard(kStart, Read({})); }

TEST(TrustedTime, IsNothingBeforeAWitnessWasHeard) {
  const TrustedTime time = TrustedTime::Unconfirmed(kStart);
  EXPECT_FALSE(time.Now(Read(hours(1))));
  EXPECT_EQ(time.agreement(), ClockAgreement::kUnconfirmed);
  EXPECT_THAT(time.Warning(), HasSubstr("No answer of Vault"));
}

TEST(TrustedTime, AdvancesByTheMonotonicClockWhateverTheWallClockShows) {
  const TrustedTime time = Confirmed();
  for (const Duration error : {Duration::zero(), Duration(hours(6)), Duration(-hours(6))}) {
    EXPECT_EQ(time.Now(Read(hours(5), error)), kStart + hours(5));
  }
}

struct AgreementCase {
  const char* name;
  Duration wall_error;
  Duration suspended;  // by so much the monotonic clock stood still
  Duration witness_error;
  ClockAgreement want;
  Duration believed_error;
  const char* warning;
};

class Agreements : public testing::TestWithParam<AgreementCase> {};

TEST_P(Agreements, FollowTheTable) {
  const AgreementCase& c = GetParam();
  const Duration passed = hours(10);
  const ClockReading reading{kStart + passed + c.wall_error, MonotonicTime(passed - c.suspended)};
  const TrustedTime time = Confirmed().Heard(kStart + passed + c.witness_error, reading);
  EXPECT_EQ(time.agreement(), c.want);
  EXPECT_EQ(*time.Now(reading), kStart + passed + c.believed_error);
  EXPECT_EQ(time.skew(), c.witness_error - c.wall_error);
  if (std::string_view(c.warning).empty()) {
    EXPECT_THAT(time.Warning(), IsEmpty());
  } else {
    EXPECT_THAT(time.Warning(), HasSubstr(c.warning));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Agreements,
    testing::Values(
        AgreementCase{"all_agree", {}, {}, {}, ClockAgreement::kAgreed, {}, ""},
        AgreementCase{"within_tolerance",
                      seconds(2),
                      {},
                      seconds(-20),
                      ClockAgreement::kAgreed,
                      seconds(-20),
                      ""},
        AgreementCase{
            "as_exact_as_a_date", seconds(3), {}, seconds(-2), ClockAgreement::kAgreed, {}, ""},
        AgreementCase{"wall_jumped_ahead",
                      hours(6),
                      {},
                      {},
                      ClockAgreement::kWallJumped,
                      {},
                      "this node is 21600 s ahead of that of Vault"},
        AgreementCase{"wall_jumped_back",
                      -hours(6),
                      {},
                      {},
                      ClockAgreement::kWallJumped,
                      {},
                      "this node is 21600 s behind that of Vault"},
        AgreementCase{
            "just_beyond", seconds(31), {}, {}, ClockAgreement::kWallJumped, {}, "31 s ahead of"},
        AgreementCase{"vault_ahead",
                      {},
                      {},
                      minutes(5),
                      ClockAgreement::kWitnessSkewed,
                      {},
                      "Vault is 300 s ahead of that of this node"},
        AgreementCase{"vault_behind",
                      {},
                      {},
                      -minutes(5),
                      ClockAgreement::kWitnessSkewed,
                      {},
                      "Vault is 300 s behind that of this node"},
        AgreementCase{"suspended", {}, hours(8), {}, ClockAgreement::kCorrected, {}, ""},
        AgreementCase{
            "wrong_together", hours(6), {}, hours(6), ClockAgreement::kCorrected, hours(6), ""},
        AgreementCase{"nobody_agrees",
                      hours(6),
                      hours(1),
                      {},
                      ClockAgreement::kNobodyAgrees,
                      -hours(1),
                      "check the time synchronisation of both"}),
    [](const auto& param) { return param.param.name; });

struct StartCase {
  const char* name;
  Duration wall_error;
  Duration witness_error;
  Duration floor;
  Duration believed_error;
  ClockAgreement want;
};

class Starts : public testing::TestWithParam<StartCase> {};

TEST_P(Starts, WithAWrongClockFollowTheTable) {
  const StartCase& c = GetParam();
  const ClockReading reading = Read({}, c.wall_error);
  const TrustedTime time =
      TrustedTime::Unconfirmed(kStart + c.floor).Heard(kStart + c.witness_error, reading);
  EXPECT_EQ(*time.Now(reading), kStart + c.believed_error);
  EXPECT_EQ(time.agreement(), c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Starts,
    testing::Values(
        StartCase{"right", {}, {}, -hours(1), {}, ClockAgreement::kAgreed},
        StartCase{"wall_ahead", hours(6), {}, -hours(1), {}, ClockAgreement::kWallJumped},
        StartCase{"wall_behind", -hours(6), {}, -hours(1), {}, ClockAgreement::kWallJumped},
        StartCase{"vault_before_what_was_written",
                  {},
                  -hours(6),
                  -hours(1),
                  {},
                  ClockAgreement::kWitnessSkewed}),
    [](const auto& param) { return param.param.name; });

/// Whatever the wall clock does, as long as Vault is right and is heard now and then.
TEST(TrustedTime, NeverStraysFromARightWitness) {
  std::mt19937_64 random(7);
  TrustedTime time = Confirmed();
  Duration wall_error{};
  for (int hour = 1; hour < 2000; ++hour) {
    if (random() % 5 == 0) wall_error = minutes(static_cast<int>(random() % 721) - 360);
    if (random() % 7 == 0) wall_error = seconds(static_cast<int>(random() % 81) - 40);
    const ClockReading reading = Read(hours(hour), wall_error);
    if (random() % 3 == 0) time = time.Heard(kStart + hours(hour), reading);
    ASSERT_LE(std::chrono::abs(*time.Now(reading) - (kStart + hours(hour))),
              TrustedTime::kTolerance)
        << hour;
  }
}

}  // namespace
}  // namespace tracekeeper::domain
