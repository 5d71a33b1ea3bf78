#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "src/codec/json_writer.h"
#include "src/vault/kv.h"
#include "tests/src/vault/real_vault.h"
#include "tests/support/bed.h"
#include "tests/support/eventually.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

/// A real Vault that asks a real Kubernetes API server (TokenReview) who logs in.
class KubernetesLogin : public RealVault {
 protected:
  void SetUp() override {
    RealVault::SetUp();
    if (HasFatalFailure()) return;
    bed = test_support::StartBed();
    ASSERT_NE(bed, nullptr);
    Kubectl({"create", "namespace", "vt"});
    for (const std::string name : {"reviewer", "app", "other"}) {
      Kubectl({"-n", "vt", "create", "serviceaccount", name});
    }
    Kubectl({"create", "clusterrolebinding", "vt-reviewer", "--clusterrole=system:auth-delegator",
             "--serviceaccount=vt:reviewer"});
    Mount("kv", "kv", R"({"version":"1"})");
    Write("kv/shop", R"({"password":"one"})");
    AllowAll("shop", "kv/shop");
    Write("sys/auth/kubernetes", R"({"type":"kubernetes"})");
    std::ifstream file(bed->ca_file());
    std::stringstream authority;
    authority << file.rdbuf();
    codec::JsonWriter config;
    config.BeginObject().Member("kubernetes_host", bed->server_url());
    config.Member("kubernetes_ca_cert", authority.str());
    config.Member("token_reviewer_jwt", Kubectl({"-n", "vt", "create", "token", "reviewer"}));
    config.Key("disable_local_ca_jwt").Bool(true).EndObject();
    Write("auth/kubernetes/config", config.text());
    Write("auth/kubernetes/role/shop",
          R"({"bound_service_account_names":"app","bound_service_account_namespaces":"vt",
              "audience":"vault","token_policies":"shop","token_ttl":"60s"})");
  }
  std::string Kubectl(const std::vector<std::string>& arguments) {
    auto result = bed->RunKubectl(arguments);
    EXPECT_TRUE(result.ok()) << result.err;
    while (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
    return result.out;
  }
  std::string TokenOf(const std::string& account, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"-n", "vt", "create", "token", account};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Kubectl(arguments);
  }
  std::string ReadWith(const std::string& jwt) {
    auto session = MakeSession(MakeJwtLogin({.role = "shop", .jwt = Gives(jwt)}));
    const std::string label = LabelOf(Kv1("kv", *session).Read("shop", stop));
    EXPECT_TRUE(session->Close(stop));
    return label;
  }

  std::unique_ptr<test_support::Bed> bed;
};

TEST_F(KubernetesLogin, IsForTheBoundAccountWithTheAudienceWhileItExists) {
  const std::vector<std::string> audience = {"--audience=vault", "--duration=10m"};
  const std::string app = TokenOf("app", audience);
  EXPECT_EQ(ReadWith(app), "success");
  EXPECT_EQ(ReadWith(TokenOf("other", audience)), "login_refused");
  EXPECT_EQ(ReadWith(TokenOf("app", {})), "login_refused");
  Kubectl({"-n", "vt", "delete", "serviceaccount", "app"});
  // The API server remembers a token that it found good for 10 s.
  EXPECT_TRUE(test_support::Eventually([&] { return ReadWith(app) == "login_refused"; }, 30s));
}

}  // namespace
}  // namespace tracekeeper::vault
