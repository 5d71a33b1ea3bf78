#include "operator/controllers/otlp_endpoint_controller.h"

#include <gmock/gmock.h>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using testing::HasSubstr;

class OtlpEndpointControllerTest : public ControllerWorld {
 protected:
  OtlpEndpointControllerTest() { server_.Serve(domain::kEndpointSlices); }
  OtlpEndpointController Make(std::string pod, std::string address) {
    return {{.service = "tracekeeper-otlp",
             .namespace_name = std::string(kOwnNamespace),
             .pod = std::move(pod),
             .address = std::move(address)},
            "",
            client_,
            clock_,
            logger_};
  }
  void Reconcile(OtlpEndpointController& controller) {
    auto context = Context();
    const auto again = controller.Reconcile(controller.Key(), context);
    ASSERT_TRUE(again) << again.error().message;
  }
  [[nodiscard]] std::string Slice() const {
    return Stored(domain::kEndpointSlices,
                  {std::string(kOwnNamespace), std::string(domain::kOtlpEndpointSlice)});
  }

  OtlpEndpointController first_ = Make("first", "10.0.0.1");
  OtlpEndpointController second_ = Make("second", "10.0.0.2");
};

TEST_F(OtlpEndpointControllerTest, TheNextLeaderTakesOver) {
  Reconcile(first_);
  EXPECT_THAT(Slice(), HasSubstr("10.0.0.1"));
  Reconcile(second_);
  EXPECT_THAT(Slice(), HasSubstr("10.0.0.2"));
  EXPECT_THAT(Slice(), testing::Not(HasSubstr("10.0.0.1")));
}

TEST_F(OtlpEndpointControllerTest, SaysOnceThatItTookOver) {
  Reconcile(first_);
  Reconcile(first_);
  const std::string log = LogText();
  const std::size_t at = log.find("Took over the endpoint");
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(log.find("Took over the endpoint", at + 1), std::string::npos);
}

TEST_F(OtlpEndpointControllerTest, TakesItsOwnEndpointAwayWhenItEnds) {
  Reconcile(first_);
  first_.Leave();
  EXPECT_EQ(Slice(), "");
}

TEST_F(OtlpEndpointControllerTest, LeavesAnothersEndpointAlone) {
  Reconcile(first_);
  Reconcile(second_);
  first_.Leave();
  EXPECT_THAT(Slice(), HasSubstr("10.0.0.2"));
  EXPECT_EQ(server_.CountRequests("DELETE"), 0U);
}

TEST_F(OtlpEndpointControllerTest, LeavesInPeaceWhereThereIsNone) {
  first_.Leave();
  EXPECT_EQ(LogText(), "");
}

TEST_F(OtlpEndpointControllerTest, SaysWhenItCannotLeave) {
  Reconcile(first_);
  server_.FailNext({.method = "GET", .status = 403});
  first_.Leave();
  EXPECT_THAT(LogText(), HasSubstr("Could not take away the endpoint"));
}

}  // namespace
}  // namespace tracekeeper::controllers
