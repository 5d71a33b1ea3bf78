#pragma once
// Database is Vault's database engine at one mount: users made for us that end with their lease
// (dynamic), and users of the database whose password Vault changes by plan (static).
//
// Threads:  safe from any thread, blocking, as their Caller.
// Failure:  rows of kFailures; kEngineFailed where Vault does not reach the database.

#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/vault/answer.h"
#include "src/vault/lease.h"

namespace tracekeeper::vault {

struct DynamicCredentials {
  std::string username;
  crypto::SecretString password;
  Lease lease;
  std::string request_id;
};

struct StaticCredentials {
  std::string username;
  crypto::SecretString password;
  Instant last_rotation;
  Duration left{};    // until Vault changes the password
  Duration period{};  // zero: Vault goes by a schedule
  std::string request_id;
};

class Database {
 public:
  Database(std::string mount, Caller& caller) : mount_(std::move(mount)), caller_(caller) {}

  /// Every call makes a new user.
  Result<DynamicCredentials> Create(std::string_view role, const StopToken& stop);
  Result<StaticCredentials> ReadStatic(std::string_view role, const StopToken& stop);
  /// Changes the password of a static role now.
  Status RotateStatic(std::string_view role, const StopToken& stop);

 private:
  const std::string mount_;
  Caller& caller_;
};

Result<DynamicCredentials> ReadDynamicCredentials(const Answer& answer, std::string_view tried);
Result<StaticCredentials> ReadStaticCredentials(const Answer& answer, std::string_view tried);

}  // namespace tracekeeper::vault
