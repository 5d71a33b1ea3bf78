// Canaries as every kind of secret value, with the real operator at its highest log level: they are
// in the Secrets that are meant to hold them, and nowhere else, in no form that a tool would write.

#include <fmt/format.h>

#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "src/codec/base64.h"
#include "src/codec/json_writer.h"
#include "tests/operator/app/rotation_suite.h"

namespace tracekeeper {
namespace {

using test_support::Eventually;
using namespace std::chrono_literals;

constexpr std::string_view kVaultPolicy = R"(
path "secret/data/shop/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/shop/*" { capabilities = ["read", "patch"] }
path "secret/destroy/shop/*"  { capabilities = ["update"] }
)";

/// Characters that every encoding but plain text writes otherwise.
std::string MakeCanary(std::string_view name) {
  std::random_device random;
  return fmt::format("canary/{}+{:08x}{:08x}?&=", name, random(), random());
}

struct Form {
  std::string_view name;
  std::string text;
};

/// What identifies a canary in each form; the core of Base64 at each of its three offsets.
std::vector<Form> FormsOf(const std::string& canary) {
  std::vector<Form> forms = {{"plain", canary}, {"reversed", {canary.rbegin(), canary.rend()}}};
  std::string hex;
  std::string escaped;
  for (const char c : canary) {
    const auto byte = static_cast<unsigned char>(c);
    fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
    if (std::isalnum(byte) != 0) {
      escaped += c;
    } else {
      fmt::format_to(std::back_inserter(escaped), "%{:02X}", byte);
    }
  }
  forms.push_back({"hex", hex});
  forms.push_back({"url", escaped});
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string encoded = codec::EncodeBase64(std::string(offset, 'x') + canary);
    forms.push_back({"base64", encoded.substr(4, encoded.size() - 8)});
  }
  return forms;
}

class RotationLeaks : public RotationSuite {
 protected:
  static void SetUpTestSuite() {
    VaultSuite::SetUpTestSuite();
    AllowInVault(kVaultPolicy);
    ASSERT_TRUE(vault_->Write("sys/mounts/secret", R"({"type":"kv","options":{"version":"2"}})"));
    StartOperator({.flags = {"--secret-namespaces=shop", "--log-level=debug"}});
    ApplyConnection({.name = "vault"});
    ASSERT_TRUE(BecomesReadyAs("vault", "True LoggedIn")) << Condition("vault", "Ready");
  }

  static void WriteSecret(const std::string& path, const std::string& canary) {
    codec::JsonWriter json;
    json.BeginObject().Key("data").BeginObject().Member("token", canary);
    json.Key("nested").BeginObject().Member("deep", canary).EndObject().EndObject().EndObject();
    ASSERT_TRUE(vault_->Write("secret/data/shop/" + path, json.text()));
  }
  static bool Says(const std::string& policy, std::string_view begin) {
    return Eventually([&] { return Rotated(policy).starts_with(begin); }, 30s);
  }
  static std::string File(const std::string& name) {
    std::ifstream file(fmt::format("/proc/{}/{}", operator_->process().id(), name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// Everything that the operator's process may write, region by region.
  template <typename Visit>
  static std::size_t ForEachRegion(const Visit& visit) {
    std::istringstream maps(File("maps"));
    std::ifstream memory(fmt::format("/proc/{}/mem", operator_->process().id()), std::ios::binary);
    std::size_t read = 0;
    for (std::string line; std::getline(maps, line);) {
      std::size_t from = 0;
      std::size_t to = 0;
      char rights[5] = "";
      if (std::sscanf(line.c_str(), "%zx-%zx %4s", &from, &to, rights) != 3) continue;
      if (!std::string_view(rights).starts_with("rw")) continue;
      std::string bytes(to - from, '\0');
      memory.clear();
      memory.seekg(static_cast<std::streamoff>(from));
      memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      read += static_cast<std::size_t>(memory.gcount());
      visit(line, bytes);
    }
    return read;
  }

  static void ExpectNone(std::string_view place, std::string_view text,
                         const std::vector<std::string>& canaries) {
    for (const std::string& canary : canaries) {
      for (const Form& form : FormsOf(canary)) {
        EXPECT_EQ(text.find(form.text), std::string_view::npos)
            << place << " holds a secret, " << form.name;
      }
    }
  }
};

TEST(Canaries, AreFoundInEveryForm) {
  const std::string canary = MakeCanary("self");
  for (const Form& form : FormsOf(canary)) EXPECT_GT(form.text.size(), 20U) << form.name;
  EXPECT_NE(codec::EncodeBase64("a" + canary + "b").find(FormsOf(canary)[5].text),
            std::string::npos);
}

TEST_F(RotationLeaks, AreNone) {
  const std::vector<std::string> canaries = {MakeCanary("first"), MakeCanary("second"),
                                             MakeCanary("refused")};
  WriteSecret("leaks", canaries[0]);
  ApplyCredential("leaks", "path: shop/leaks", "overlap: 1s",
                  ", template: {made: \"Bearer {{ token | base64 }}\"}");
  ASSERT_TRUE(Says("leaks", "True Rotated")) << operator_->process().ReadLog();
  WriteSecret("leaks", canaries[1]);
  AskFor("leaks", "now");
  EXPECT_TRUE(IsAt("leaks", "Idle 2", 90s)) << View("leaks");
  // Errors may tempt to quote what they are about.
  WriteSecret("refused", canaries[2]);
  ApplyCredential("refused", "path: shop/refused", "overlap: 1s",
                  ", template: {made: \"{{ absent }}\"}");
  ASSERT_TRUE(Says("refused", "False TemplateFailed")) << operator_->process().ReadLog();
  Kubectl({"-n", "shop", "delete", "tkp", "refused"});

  ExpectNone("the log", operator_->process().ReadLog(), canaries);
  ExpectNone("the metrics", Metrics(), canaries);
  ExpectNone("the environment", File("environ"), canaries);
  ExpectNone("the command line", File("cmdline"), canaries);
  for (const std::string kind : {"events", "configmaps", "tkp", "tkvc"}) {
    ExpectNone(kind, Kubectl({"get", kind, "-A", "-o", "json"}), canaries);
  }
  ExpectNone("the Secrets' metadata",
             Kubectl({"-n", "shop", "get", "secrets", "-o", "jsonpath={.items[*].metadata}"}),
             canaries);

  const auto leaked = [&] {
    std::string places;
    const std::size_t read =
        ForEachRegion([&](const std::string& region, const std::string& bytes) {
          for (const std::string& canary : canaries) {
            for (const Form& form : FormsOf(canary)) {
              const std::size_t at = bytes.find(form.text);
              if (at == std::string::npos) continue;
              places += fmt::format("{} in {} at {:#x}\n", form.name, region, at);
            }
          }
        });
    EXPECT_GT(read, 1U << 20U) << "the memory of the operator could not be read";
    return places;
  };
  // A call that is under way holds what it carries.
  EXPECT_TRUE(Eventually([&] { return leaked().empty(); }, 20s)) << leaked();
}

}  // namespace
}  // namespace tracekeeper
