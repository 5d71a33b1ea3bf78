#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <random>

#include "src/vault/kv.h"
#include "src/vault/pki.h"
#include "tests/src/vault/memory_scan.h"
#include "tests/src/vault/real_vault.h"
#include "tests/support/eventually.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::Not;

/// What went through the whole way (TLS, HTTP, JSON) is nowhere once its owner is gone.
class RealMemory : public RealVault {
 protected:
  void SetUp() override {
    // What is freed stays in the process, so that the scan sees what was left in it.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    RealVault::SetUp();
  }
};

crypto::SecretString RandomLetters(std::size_t size) {
  std::random_device random;
  return crypto::SecretString::Filled(size, [&](char* data, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) data[at] = static_cast<char>('a' + random() % 26);
  });
}

TEST_F(RealMemory, ALongSecretIsWrittenAndReadAndGone) {
  Mount("kv", "kv", R"({"version":"2"})");
  Kv2 kv("kv", *root);
  ASSERT_TRUE(test_support::Eventually(
      [&] { return LabelOf(kv.CasBase("nothing", stop)) == "success"; }, 10s));
  std::vector<MaskedBytes> pieces;
  {
    SecretValues values;
    const auto& written = values.emplace("long", RandomLetters(200'000)).first->second;
    for (const std::size_t at : {0U, 7000U, 9000U, 70'000U, 199'960U}) {
      pieces.emplace_back(written.Reveal().substr(at, 40));
    }
    ASSERT_TRUE(kv.Write("shop", values, 0, stop));
    const auto read = kv.Read("shop", 1, stop);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->values.at("long").Equals(written));
    EXPECT_THAT(FindInMemory(pieces[0]), Not(IsEmpty()));
  }
  for (const MaskedBytes& piece : pieces) {
    EXPECT_THAT(FindInMemory(piece), IsEmpty()) << "piece " << &piece - pieces.data();
  }
}

/// Remembers, masked, which token it got.
class ObservedLogin final : public Login {
 public:
  ObservedLogin(std::unique_ptr<Login> login, std::optional<MaskedBytes>& token)
      : login_(std::move(login)), token_(token) {}
  Result<Token> LogIn(Endpoint& endpoint, std::string_view name_space,
                      const StopToken& stop) override {
    auto token = login_->LogIn(endpoint, name_space, stop);
    if (token) token_.emplace(token->value.Reveal());
    return token;
  }

 private:
  const std::unique_ptr<Login> login_;
  std::optional<MaskedBytes>& token_;
};

TEST_F(RealMemory, ATokenIsGoneWithItsSession) {
  Mount("kv", "kv", R"({"version":"1"})");
  Write("kv/shop", R"({"password":"one"})");
  AllowAll("shop", "kv/shop");
  Write("sys/auth/approle", R"({"type":"approle"})");
  Write("auth/approle/role/shop", R"({"token_policies":"shop","token_ttl":"1h"})");
  auto login = MakeAppRoleLogin(
      {.role_id = ReadMember("auth/approle/role/shop/role-id", "role_id"),
       .secret_id = Gives(WriteForMember("auth/approle/role/shop/secret-id", "{}", "secret_id"))});
  ASSERT_TRUE(login);
  std::optional<MaskedBytes> token;
  {
    Session session({}, *endpoint, std::make_unique<ObservedLogin>(*std::move(login), token),
                    clock);
    EXPECT_EQ(LabelOf(Kv1("kv", session).Read("shop", stop)), "success");
    EXPECT_EQ(LabelOf(Kv1("kv", session).Read("other", stop)), "permission_denied");
    ASSERT_TRUE(token);
    EXPECT_THAT(FindInMemory(*token), Not(IsEmpty()));
    EXPECT_TRUE(session.Close(stop));
  }
  EXPECT_THAT(FindInMemory(*token), IsEmpty());
}

TEST_F(RealMemory, APrivateKeyIsGoneWithItsCertificate) {
  Mount("pki", "pki");
  Write("pki/root/generate/internal", R"({"common_name":"test root","key_type":"ec"})");
  Write("pki/roles/svc", R"({"allow_any_name":true,"key_type":"rsa","max_ttl":"1h"})");
  std::optional<MaskedBytes> key;
  {
    const auto issued = Pki("pki", *root).Issue("svc", {.common_name = "a.test"}, stop);
    ASSERT_TRUE(issued) << issued.error().message;
    key.emplace(issued->private_key_pem.Reveal().substr(800, 60));
    EXPECT_THAT(FindInMemory(*key), Not(IsEmpty()));
  }
  EXPECT_THAT(FindInMemory(*key), IsEmpty());
}

}  // namespace
}  // namespace tracekeeper::vault
