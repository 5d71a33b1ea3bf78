#include "tests/operator/app/rotation_suite.h"

#include <fmt/format.h>

#include "src/codec/base64.h"
#include "src/codec/json_writer.h"

namespace tracekeeper {

using test_support::Eventually;

void RotationSuite::AllowInVault(std::string_view policy) {
  codec::JsonWriter json;
  json.BeginObject().Member("policy", policy).EndObject();
  ASSERT_TRUE(vault_->Write("sys/policies/acl/shop", json.text()));
}

void RotationSuite::ApplyCredential(const std::string& name, const std::string& source,
                                    const std::string& rotation, const std::string& target,
                                    const std::string& reload) {
  const bool names_connection = source.find("connectionRef") != std::string::npos;
  Apply({.name = name,
         .namespace_name = "shop",
         .spec = fmt::format("selector: {{matchLabels: {{app: {0}}}}}, credentials: [{{name: it, "
                             "vault: {{{5}{1}}}, rotation: {{{2}}}, "
                             "secret: {{name: {0}{3}}}, consumers: {{reload: {4}}}}}]",
                             name, source, rotation, target, reload,
                             names_connection ? "" : "connectionRef: {name: vault}, ")});
}

std::string RotationSuite::Rotated(const std::string& policy) {
  return Condition(policy, "CredentialsRotated", "shop", "tkp");
}

bool RotationSuite::IsAt(const std::string& policy, std::string_view phase_and_version,
                         std::chrono::seconds limit) {
  return Eventually([&] { return PhaseOf(policy) == phase_and_version; }, limit);
}

std::string RotationSuite::PhaseOf(const std::string& policy) {
  return Kubectl({"-n", "shop", "get", "tkp", policy, "-o",
                  "jsonpath={.status.credentials[0].phase} {.status.credentials[0].version}"});
}

std::string RotationSuite::ValueOf(const std::string& secret, std::string key) {
  for (std::size_t at = key.find('.'); at != std::string::npos; at = key.find('.', at + 2)) {
    key.insert(at, "\\");
  }
  const std::string encoded = Kubectl(
      {"-n", "shop", "get", "secret", secret, "-o", fmt::format("jsonpath={{.data.{}}}", key)});
  return codec::DecodeBase64(encoded).value_or("no base64: " + encoded);
}

void RotationSuite::AskFor(const std::string& policy, const std::string& value) {
  Kubectl(
      {"-n", "shop", "annotate", "--overwrite", "tkp", policy, "tracekeeper.dev/rotate=" + value});
}

std::string RotationSuite::View(const std::string& policy) {
  return PhaseOf(policy) + ": " + Rotated(policy) + "\n" + operator_->process().ReadLog();
}

}  // namespace tracekeeper
