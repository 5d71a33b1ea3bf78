// What the source of database users does with the tokens that they are lent under, by a script of
// Vault's answers. With a real Vault and PostgreSQL: tests/operator/app/rotation_database_test.cc.

#include <gtest/gtest.h>

#include "operator/controllers/credential_source.h"
#include "tests/src/vault/fixture.h"

namespace tracekeeper::controllers {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kDenied = R"({"errors":["permission denied"]})";
constexpr std::string_view kLogin = "POST /v1/auth/kubernetes/login";
constexpr std::string_view kCreate = "GET /v1/database/creds/payments";
constexpr std::string_view kRenewToken = "POST /v1/auth/token/renew-self";
constexpr std::string_view kRevokeToken = "POST /v1/auth/token/revoke-self";
constexpr std::string_view kRenewLease = "PUT /v1/sys/leases/renew";
constexpr std::string_view kRevokeLease = "PUT /v1/sys/leases/revoke";
const Instant kNow = Instant{} + 1000h;

std::string TokenAnswer(std::string_view token, int lease, std::string_view type = "service") {
  return R"({"auth":{"client_token":")" + std::string(token) +
         R"(","renewable":true,"token_type":")" + std::string(type) + R"(","lease_duration":)" +
         std::to_string(lease) + "}}";
}
std::string LeaseAnswer(int lease) {
  return R"({"lease_id":"database/creds/payments/abc","renewable":true,"lease_duration":)" +
         std::to_string(lease) + R"(,"data":{"username":"v-1","password":"secret"}})";
}

class DatabaseSource : public testing::Test {
 protected:
  DatabaseSource() {
    auto login = vault::MakeJwtLogin({.role = "shop", .jwt = [](const StopToken&) {
                                        return Result<crypto::SecretString>(
                                            crypto::SecretString("eyJ.jwt.sig"));
                                      }});
    session_.emplace(vault::SessionOptions{.random = [] { return 0.0; }}, bench_.endpoint,
                     *std::move(login), bench_.clock);
    plan_.credential.vault.engine = api::VaultEngine::kDatabase;
    plan_.credential.vault.mount = "database";
    plan_.credential.vault.role = "payments";
    source_ = MakeCredentialSource({plan_, *session_, bench_.stop});
  }

  void Answer(std::string_view expect, std::string body, int status = 200) {
    bench_.transport.Answer(
        {.status = status, .pieces = {std::move(body)}, .expect = std::string(expect)});
  }
  /// Of the session, which logs in when it is first used.
  void AnswerOwnLogin() { Answer(kLogin, TokenAnswer("own", 36000)); }
  [[nodiscard]] std::vector<std::string> Tokens() const {
    std::vector<std::string> tokens;
    for (const auto& request : bench_.transport.requests()) {
      tokens.emplace_back(request.headers.Get("X-Vault-Token"));
    }
    return tokens;
  }
  CredentialSource::Proposal Propose(int lease, int token) {
    Answer(kLogin, TokenAnswer("apart", token));
    Answer(kCreate, LeaseAnswer(lease));
    auto made = source_->Propose({}, kNow);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *std::move(made) : CredentialSource::Proposal();
  }
  /// For how long; or the row of the failure.
  std::string Renew(const CredentialSource::Proposal& made) {
    const auto done = source_->Renew(made.record, made.values, kNow + 1h);
    if (!done) return vault::LabelOf(done);
    EXPECT_EQ(done->validity->from, kNow + 1h);
    return std::to_string(
        std::chrono::duration_cast<std::chrono::seconds>(done->validity->until - kNow - 1h)
            .count());
  }

  vault::Bench bench_;
  std::optional<vault::Session> session_;
  domain::CredentialPlan plan_;
  std::unique_ptr<CredentialSource> source_;
};

TEST_F(DatabaseSource, LendsUnderATokenOfItsOwnAndKeepsIt) {
  struct Case {
    int lease;
    int token;
    Duration valid;
  };
  for (const Case& each : {Case{3600, 600, 600s}, Case{600, 3600, 600s}, Case{600, 0, 600s}}) {
    const auto made = Propose(each.lease, each.token);
    EXPECT_EQ(made.record.valid_until->at - kNow, each.valid);
    EXPECT_FALSE(made.record.fixed);
    EXPECT_EQ(made.values.at("tracekeeper.token").Reveal(), "apart");
    EXPECT_EQ(made.values.at("username").Reveal(), "v-1");
    EXPECT_EQ(Tokens().back(), "apart");
  }
}

TEST_F(DatabaseSource, RenewsTheTokenThenTheLease) {
  const auto made = Propose(3600, 3600);
  Answer(kRenewToken, TokenAnswer("apart", 3600));
  AnswerOwnLogin();
  Answer(kRenewLease, LeaseAnswer(3600));
  EXPECT_EQ(Renew(made), "3600");
  EXPECT_EQ(Tokens(), (std::vector<std::string>{"", "apart", "apart", "", "own"}));
  // The longest life of the token is that of the user.
  Answer(kRenewToken, TokenAnswer("apart", 900));
  Answer(kRenewLease, LeaseAnswer(3600));
  EXPECT_EQ(Renew(made), "900");
}

TEST_F(DatabaseSource, ATokenThatCannotBeRenewedIsOvercomeByANewUser) {
  const auto made = Propose(3600, 3600);
  Answer(kRenewToken, R"({"errors":["lease is not renewable"]})", 400);
  EXPECT_EQ(Renew(made), "lease_not_renewable");
  Answer(kRenewToken, std::string(kDenied), 403);
  EXPECT_EQ(Renew(made), "lease_not_found");
  for (const std::string_view label : {"lease_not_renewable", "lease_not_found"}) {
    EXPECT_EQ(domain::FindRotationFailure(label)->retry, domain::RetryClass::kAnew);
  }
  Answer(kRenewToken, R"({"errors":["internal error"]})", 500);
  EXPECT_EQ(Renew(made), "engine_failed") << "is tried again";
}

TEST_F(DatabaseSource, AUserOfAnOlderOperatorIsRenewedByTheSession) {
  auto made = Propose(3600, 3600);
  made.values.erase("tracekeeper.token");
  AnswerOwnLogin();
  Answer(kRenewLease, LeaseAnswer(3600));
  EXPECT_EQ(Renew(made), "3600");
  Answer(kRevokeLease, "{}");
  EXPECT_TRUE(source_->Retire(made.record, made.values));
  EXPECT_EQ(Tokens().back(), "own");
  EXPECT_EQ(bench_.transport.left(), 0U);
}

TEST_F(DatabaseSource, RevokesTheLeaseThenTheToken) {
  const auto made = Propose(3600, 3600);
  AnswerOwnLogin();
  Answer(kRevokeLease, "{}");
  Answer(kRevokeToken, "{}");
  EXPECT_TRUE(source_->Retire(made.record, made.values));
  EXPECT_EQ(Tokens().back(), "apart");
  EXPECT_NE(bench_.transport.requests().end()[-2].body.find(R"("sync":true)"), std::string::npos);
  // Gone already, both: a success as well.
  Answer(kRevokeLease, R"({"errors":["lease not found"]})", 400);
  Answer(kRevokeToken, std::string(kDenied), 403);
  EXPECT_TRUE(source_->Retire(made.record, made.values));
  Answer(kRevokeLease, "{}");
  Answer(kRevokeToken, "{}");
  source_->Discard(made);
  EXPECT_EQ(bench_.transport.left(), 0U);
}

TEST_F(DatabaseSource, LeavesNoTokenWhereNoUserWasMade) {
  Answer(kLogin, TokenAnswer("apart", 3600));
  Answer(kCreate, std::string(kDenied), 403);
  Answer(kRevokeToken, "{}");
  EXPECT_EQ(vault::LabelOf(source_->Propose({}, kNow)), "permission_denied");
  EXPECT_EQ(bench_.transport.left(), 0U);
}

TEST_F(DatabaseSource, RefusesABatchTokenAndSaysWhatToChange) {
  Answer(kLogin, TokenAnswer("hvb.apart", 3600, "batch"));
  const auto made = source_->Propose({}, kNow);
  EXPECT_EQ(vault::LabelOf(made), "batch_token");
  EXPECT_NE(made.error().message.find("token_type=service"), std::string::npos);
  EXPECT_EQ(bench_.transport.left(), 0U) << "and asks for no user";
}

}  // namespace
}  // namespace tracekeeper::controllers
