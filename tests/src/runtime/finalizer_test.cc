#include "src/runtime/finalizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using kube::kConfigMaps;
using test_support::FakeApiServer;
using test_support::ManualClock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr FinalizerChange kOurs{"tracekeeper.dev/cleanup", "tracekeeper"};

class FinalizerTest : public testing::Test {
 protected:
  kube::ObjectMeta Put(const std::string& finalizers) {
    server_.Put(kConfigMaps, fmt::format(R"({{"metadata":{{"namespace":"shop","name":"a",)"
                                         R"("finalizers":{}}}}})",
                                         finalizers));
    return Read();
  }
  kube::ObjectMeta Read() {
    const auto document = client_.Get(kConfigMaps, {"shop", "a"}, StopToken());
    return kube::DecodeMeta(document.value().root()).value();
  }
  Result<bool> Add(const kube::ObjectMeta& meta) {
    return AddFinalizer(client_, kConfigMaps, meta, kOurs, StopToken());
  }
  Result<bool> Remove(const kube::ObjectMeta& meta) {
    return RemoveFinalizer(client_, kConfigMaps, meta, kOurs, StopToken());
  }

  ManualClock clock_;
  FakeApiServer server_{clock_};
  kube::Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
};

TEST_F(FinalizerTest, IsAddedToNoneAndToOthers) {
  ASSERT_EQ(Add(Put("[]")), true);
  EXPECT_THAT(Read().finalizers, ElementsAre("tracekeeper.dev/cleanup"));
  ASSERT_EQ(Add(Put(R"(["example.com/theirs"])")), true);
  EXPECT_THAT(Read().finalizers, ElementsAre("example.com/theirs", "tracekeeper.dev/cleanup"));
}

TEST_F(FinalizerTest, IsNotAddedTwiceAndNothingIsWritten) {
  const kube::ObjectMeta meta = Put(R"(["tracekeeper.dev/cleanup"])");
  server_.ForgetRequests();
  EXPECT_EQ(Add(meta), false);
  EXPECT_EQ(server_.requests().size(), 0U);
}

TEST_F(FinalizerTest, IsRemovedFromAmongOthers) {
  ASSERT_EQ(Remove(Put(R"(["example.com/a","tracekeeper.dev/cleanup","example.com/b"])")), true);
  EXPECT_THAT(Read().finalizers, ElementsAre("example.com/a", "example.com/b"));
}

TEST_F(FinalizerTest, AStaleViewIsAConflictAndCostsNobodyTheirFinalizer) {
  const kube::ObjectMeta empty = Put("[]");
  Put(R"(["example.com/new"])");
  EXPECT_EQ(Add(empty).error().kind, ErrorKind::kConflict);
  EXPECT_THAT(Read().finalizers, ElementsAre("example.com/new"));

  const kube::ObjectMeta last = Put(R"(["example.com/a","tracekeeper.dev/cleanup"])");
  Put(R"(["tracekeeper.dev/cleanup","example.com/b"])");
  EXPECT_EQ(Remove(last).error().kind, ErrorKind::kConflict);
  EXPECT_THAT(Read().finalizers, ElementsAre("tracekeeper.dev/cleanup", "example.com/b"));
}

TEST_F(FinalizerTest, AnotherObjectOfTheSameNameIsLeftAlone) {
  const kube::ObjectMeta old = Put(R"(["tracekeeper.dev/cleanup"])");
  server_.Remove(kConfigMaps, old.key);
  Put(R"(["tracekeeper.dev/cleanup"])");
  EXPECT_EQ(Remove(old).error().kind, ErrorKind::kConflict);
  EXPECT_THAT(Read().finalizers, ElementsAre("tracekeeper.dev/cleanup"));
}

TEST_F(FinalizerTest, RemovingFromAnObjectThatIsGoneIsDone) {
  const kube::ObjectMeta meta = Put(R"(["tracekeeper.dev/cleanup"])");
  server_.Remove(kConfigMaps, meta.key);
  EXPECT_EQ(Remove(meta), false);
}

TEST_F(FinalizerTest, TheLastFinalizerLetsADeletedObjectGo) {
  Put(R"(["tracekeeper.dev/cleanup"])");
  ASSERT_TRUE(client_.Delete(kConfigMaps, {"shop", "a"}, {}, StopToken()));
  const kube::ObjectMeta meta = Read();
  ASSERT_TRUE(meta.IsBeingDeleted());
  EXPECT_EQ(Remove(meta), true);
  EXPECT_EQ(server_.Find(kConfigMaps, meta.key), std::nullopt);
}

}  // namespace
}  // namespace tracekeeper::runtime
