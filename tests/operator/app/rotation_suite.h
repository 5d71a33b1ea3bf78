#pragma once
// RotationSuite is a VaultSuite whose tests have policies of one credential each, called "it" and
// shown in a Secret of the policy's name.
//
// Threads:  one.
// Failure:  as VaultSuite.

#include <chrono>
#include <string>
#include <string_view>

#include "tests/operator/app/vault_suite.h"

namespace tracekeeper {

class RotationSuite : public VaultSuite {
 protected:
  /// What tokens of the connection's role may do.
  static void AllowInVault(std::string_view policy);

  /// `source` is of the VaultConnection "vault", unless it names another.
  static void ApplyCredential(const std::string& name, const std::string& source,
                              const std::string& rotation, const std::string& target = "",
                              const std::string& reload = "None");
  /// The condition CredentialsRotated.
  static std::string Rotated(const std::string& policy);
  /// "Drain 2": phase and version.
  static bool IsAt(const std::string& policy, std::string_view phase_and_version,
                   std::chrono::seconds limit = std::chrono::seconds(30));
  static std::string PhaseOf(const std::string& policy);
  /// A value of the target; empty where the key is not there.
  static std::string ValueOf(const std::string& secret, std::string key);
  static void AskFor(const std::string& policy, const std::string& value);
  /// For the report of a test that failed.
  static std::string View(const std::string& policy);
};

}  // namespace tracekeeper
