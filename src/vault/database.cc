#include "src/vault/database.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/vault/path.h"

namespace tracekeeper::vault {

Result<DynamicCredentials> ReadDynamicCredentials(const Answer& answer, std::string_view tried) {
  DynamicCredentials credentials;
  credentials.username = TRY(ReadText(answer.data(), "username", tried));
  credentials.password = crypto::SecretString(TRY(ReadText(answer.data(), "password", tried)));
  credentials.lease = TRY(ReadLease(answer, tried));
  credentials.request_id = answer.request_id();
  return credentials;
}

Result<StaticCredentials> ReadStaticCredentials(const Answer& answer, std::string_view tried) {
  const codec::JsonValue data = answer.data();
  StaticCredentials credentials;
  credentials.username = TRY(ReadText(data, "username", tried));
  credentials.password = crypto::SecretString(TRY(ReadText(data, "password", tried)));
  credentials.last_rotation = TRY(ReadTime(data, "last_vault_rotation", tried));
  // At the moment of a rotation Vault counts a little below zero.
  const std::int64_t left = TRY(ReadNumber(data, "ttl", tried));
  credentials.left = left <= 0 ? Duration::zero() : TRY(ReadSeconds(data, "ttl", tried));
  if (data["rotation_period"])
    credentials.period = TRY(ReadSeconds(data, "rotation_period", tried));
  credentials.request_id = answer.request_id();
  return credentials;
}

Result<DynamicCredentials> Database::Create(std::string_view role, const StopToken& stop) {
  TRY(CheckName(role));
  const std::string what = fmt::format("get credentials of database role {}/{}", mount_, role);
  const Answer answer = TRY(caller_.Send({.operation = Operation::kDatabaseCredentials,
                                          .path = TRY(JoinPath(mount_, "creds", role)),
                                          .what = what},
                                         stop));
  return ReadDynamicCredentials(answer, what);
}

Result<StaticCredentials> Database::ReadStatic(std::string_view role, const StopToken& stop) {
  TRY(CheckName(role));
  const std::string what = fmt::format("read static database role {}/{}", mount_, role);
  const Answer answer = TRY(caller_.Send({.operation = Operation::kDatabaseCredentials,
                                          .path = TRY(JoinPath(mount_, "static-creds", role)),
                                          .what = what},
                                         stop));
  return ReadStaticCredentials(answer, what);
}

Status Database::RotateStatic(std::string_view role, const StopToken& stop) {
  TRY(CheckName(role));
  Call call{.operation = Operation::kDatabaseRotate,
            .method = "POST",
            .path = TRY(JoinPath(mount_, "rotate-role", role)),
            .what = fmt::format("rotate static database role {}/{}", mount_, role)};
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

}  // namespace tracekeeper::vault
