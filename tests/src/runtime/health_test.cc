#include "src/runtime/health.h"

#include <gtest/gtest.h>

namespace tracekeeper::runtime {
namespace {

class HealthTest : public testing::Test {
 protected:
  HealthTest() {
    checks_.Add("ping", [] { return Status(); });
    checks_.Add("informer-pods", [this]() -> Status {
      if (synced_) return {};
      return Fail(ErrorKind::kTimeout, "the first list has not arrived yet");
    });
  }

  HealthChecks checks_{"readyz"};
  bool synced_ = true;
};

struct HealthCase {
  std::string_view name;
  bool synced;
  std::string_view target;
  int status;
  std::string_view body;
};

constexpr HealthCase kCases[] = {
    {"all is well", true, "/readyz", 200, "ok"},
    {"all is well, a slash at the end", true, "/readyz/", 200, "ok"},
    {"verbose lists every check", true, "/readyz?verbose", 200,
     "[+]ping ok\n[+]informer-pods ok\nreadyz check passed\n"},
    {"a failure says which and why, also without verbose", false, "/readyz", 500,
     "[+]ping ok\n[-]informer-pods failed: the first list has not arrived yet\n"
     "readyz check failed\n"},
    {"an excluded check is not asked", false, "/readyz?verbose&exclude=informer-pods", 200,
     "[+]ping ok\n[+]informer-pods excluded: ok\nreadyz check passed\n"},
    {"several exclusions", false, "/readyz?exclude=informer-pods&exclude=ping&verbose=true", 200,
     "[+]ping excluded: ok\n[+]informer-pods excluded: ok\nreadyz check passed\n"},
    {"an unknown exclusion is said", true, "/readyz?verbose&exclude=etcd", 200,
     "[+]ping ok\n[+]informer-pods ok\nwarn: there is no check \"etcd\" to exclude\n"
     "readyz check passed\n"},
    {"one check alone", false, "/readyz/ping", 200, "ok"},
    {"one failing check alone", false, "/readyz/informer-pods", 500,
     "[-]informer-pods failed: the first list has not arrived yet\nreadyz check failed\n"},
    {"an unknown check", true, "/readyz/etcd", 404, "there is no check \"etcd\"\n"},
    {"another path", true, "/livez", 404, "not found\n"},
    {"a longer word", true, "/readyzz", 404, "not found\n"},
};

TEST_F(HealthTest, AnswersAsKubernetesDoes) {
  for (const HealthCase& test : kCases) {
    SCOPED_TRACE(test.name);
    synced_ = test.synced;
    const HealthChecks::Answer answer = checks_.Serve(test.target);
    EXPECT_EQ(answer.status, test.status);
    EXPECT_EQ(answer.body, test.body);
  }
}

TEST_F(HealthTest, AllNamesTheFirstCheckThatFails) {
  EXPECT_TRUE(checks_.All());
  synced_ = false;
  EXPECT_EQ(checks_.All().error().message, "informer-pods: the first list has not arrived yet");
}

}  // namespace
}  // namespace tracekeeper::runtime
