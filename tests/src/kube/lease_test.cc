#include "src/kube/lease.h"

#include <gtest/gtest.h>

#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::seconds;

class Leases : public testing::Test {
 protected:
  test_support::ManualClock clock_;
  test_support::FakeApiServer server_{clock_};
  Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
  const ObjectKey key_{"tracekeeper", "operator"};

  [[nodiscard]] LeaseRecord Held(std::string holder) const {
    return {.holder_identity = std::move(holder),
            .lease_duration_seconds = 15,
            .acquire_time = clock_.Now(),
            .renew_time = clock_.Now(),
            .lease_transitions = 3};
  }
};

TEST_F(Leases, AreCreatedReadAndRenewed) {
  EXPECT_EQ(GetLease(client_, key_, {}).error().kind, ErrorKind::kNotFound);
  const auto created = CreateLease(client_, key_, Held("one"), {});
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->record, Held("one"));
  EXPECT_EQ(CreateLease(client_, key_, Held("two"), {}).error().kind, ErrorKind::kAlreadyExists);

  LeaseRecord renewed = Held("one");
  clock_.Advance(seconds(2));
  renewed.renew_time = clock_.Now();
  const auto updated = UpdateLease(client_, *created, renewed, {});
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_NE(updated->resource_version, created->resource_version);
  EXPECT_EQ(GetLease(client_, key_, {})->record, renewed);
}

TEST_F(Leases, ArePassedToOneOfTwoThatTakeThemAtOnce) {
  const auto seen = CreateLease(client_, key_, Held("old"), {});
  ASSERT_TRUE(UpdateLease(client_, *seen, Held("first"), {}));
  EXPECT_EQ(UpdateLease(client_, *seen, Held("second"), {}).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(GetLease(client_, key_, {})->record.holder_identity, "first");
}

TEST_F(Leases, AreFreeWhenReleased) {
  const auto held = CreateLease(client_, key_, Held("one"), {});
  const auto released = ReleaseLease(client_, *held, clock_.Now(), {});
  ASSERT_TRUE(released) << released.error().message;
  EXPECT_EQ(released->record.holder_identity, "");
  EXPECT_EQ(released->record.lease_duration_seconds, 1);
  EXPECT_EQ(released->record.lease_transitions, 3);
}

TEST_F(Leases, KeepFieldsThatAreNewerThanUs) {
  server_.Put(kLeases,
              R"({"metadata":{"namespace":"tracekeeper","name":"operator","labels":{"a":"b"}},
                           "spec":{"holderIdentity":"x","strategy":"OldestEmulationVersion"}})");
  const auto seen = GetLease(client_, key_, {});
  ASSERT_TRUE(UpdateLease(client_, *seen, Held("one"), {}));
  const std::string json = *server_.Find(kLeases, key_);
  EXPECT_NE(json.find("OldestEmulationVersion"), std::string::npos);
  EXPECT_NE(json.find(R"("a":"b")"), std::string::npos);
}

TEST_F(Leases, WithTimesThatAreNoneReadAsWithoutTimes) {
  server_.Put(kLeases, R"({"metadata":{"namespace":"tracekeeper","name":"operator"},
                           "spec":{"renewTime":"yesterday","leaseDurationSeconds":"15"}})");
  const auto lease = GetLease(client_, key_, {});
  ASSERT_TRUE(lease);
  EXPECT_FALSE(lease->record.renew_time);
  EXPECT_EQ(lease->record.lease_duration_seconds, 0);
}

}  // namespace
}  // namespace tracekeeper::kube
