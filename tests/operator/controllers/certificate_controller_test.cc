#include "operator/controllers/certificate_controller.h"

#include <gmock/gmock.h>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

const kube::ObjectKey kSecret{std::string(kOwnNamespace), "tracekeeper-webhook-tls"};

class CertificateControllerTest : public ControllerWorld {
 protected:
  Result<runtime::Requeue> Reconcile() {
    auto context = Context();
    return controller_.Reconcile(kSecret, context);
  }
  Status Load() {
    auto context = Context();
    const auto loaded = loader_.Reconcile(kSecret, context);
    if (loaded) return {};
    return Fail(loaded.error());
  }
  WebhookCertificate Read() {
    codec::JsonParser parser;
    auto stored = ReadWebhookCertificate(*parser.Parse(Stored(kube::kSecrets, kSecret)));
    EXPECT_TRUE(stored) << stored.error().message;
    return std::move(*stored);
  }

  WebhookTrust trust_;
  CertificateController controller_{{.secret = kSecret,
                                     .names = NamesOfService("hook", kOwnNamespace),
                                     .policy = domain::CertificatePolicy::ForLifetime(hours(90))},
                                    client_,
                                    trust_};
  crypto::ServerTlsSource tls_;
  CertificateLoader loader_{kSecret, client_, tls_};
};

TEST_F(CertificateControllerTest, MakesTheFirstPairAndAsksForItsTrust) {
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(trust_.desired(), Read().serving.authority_pem);
}

TEST_F(CertificateControllerTest, WritesNothingWhileThePairIsYoung) {
  ASSERT_TRUE(Reconcile());
  server_.ForgetRequests();
  clock_.Advance(hours(24));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(server_.CountWrites(), 0U);
}

TEST_F(CertificateControllerTest, RotatesStepByStepWithBothAuthoritiesTrusted) {
  ASSERT_TRUE(Reconcile());
  trust_.SetApplied(trust_.desired(), clock_.Now());
  const std::string first = Read().serving.authority_pem;

  clock_.Advance(hours(61));
  ASSERT_TRUE(Reconcile());  // Prepare
  EXPECT_EQ(Read().serving.authority_pem, first) << "the next pair is not served yet";
  EXPECT_THAT(trust_.desired(), HasSubstr(first));
  EXPECT_THAT(trust_.desired(), HasSubstr(Read().next->authority_pem));

  clock_.Advance(hours(1));
  ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(Read().next) << "not before API servers trust the next authority";

  trust_.SetApplied(trust_.desired(), clock_.Now());
  clock_.Advance(seconds(30));
  ASSERT_TRUE(Reconcile());  // Activate
  EXPECT_NE(Read().serving.authority_pem, first);
  EXPECT_THAT(trust_.desired(), HasSubstr(first)) << "replicas may still serve the old pair";

  clock_.Advance(seconds(30));
  ASSERT_TRUE(Reconcile());  // Retire
  EXPECT_EQ(trust_.desired(), Read().serving.authority_pem);
}

TEST_F(CertificateControllerTest, OfTwoLeadersOneLosesAndRunsAgainOnTheOthersPair) {
  server_.FailNext({.method = "POST", .before = [this] {
                      WebhookCertificate other{
                          .serving = *MakeVouchedPair(NamesOfService("hook", kOwnNamespace),
                                                      hours(90), clock_.Now())};
                      server_.Put(kube::kSecrets, WriteWebhookCertificate(kSecret, other, ""));
                    }});
  const auto lost = Reconcile();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::kAlreadyExists);
  const std::string theirs = Read().serving.authority_pem;
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(trust_.desired(), theirs);
}

TEST_F(CertificateControllerTest, ReplacesASecretThatCannotBeReadAndSaysSo) {
  server_.Put(kube::kSecrets,
              R"({"metadata":{"namespace":"tracekeeper-system","name":"tracekeeper-webhook-tls"},
                  "data":{"tls.crt":"YQ=="}})");
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(trust_.desired().empty());
  EXPECT_THAT(LogText(), HasSubstr("Replaced unreadable webhook certificate"));
}

TEST_F(CertificateControllerTest, EveryReplicaServesWhatTheSecretHolds) {
  ASSERT_TRUE(Load()) << "no Secret yet: the leader makes it";
  EXPECT_EQ(tls_.Certificate(), nullptr);
  ASSERT_TRUE(Reconcile());
  ASSERT_TRUE(Load());
  ASSERT_NE(tls_.Certificate(), nullptr);
  EXPECT_EQ(tls_.Certificate()->leaf().fingerprint, Read().serving.pair->leaf().fingerprint);
}

TEST_F(CertificateControllerTest, AnUnreadableSecretLeavesTheServedPairInPlace) {
  ASSERT_TRUE(Reconcile());
  ASSERT_TRUE(Load());
  const auto served = tls_.Certificate();
  server_.Put(kube::kSecrets,
              R"({"metadata":{"namespace":"tracekeeper-system","name":"tracekeeper-webhook-tls"},
                  "data":{}})");
  EXPECT_FALSE(Load());
  EXPECT_EQ(tls_.Certificate(), served);
}

}  // namespace
}  // namespace tracekeeper::controllers
