#pragma once
// Kv2 and Kv1 are the two versions of Vault's KV engine at one mount.
//
// Threads:  safe from any thread, blocking, as their Caller.
// Failure:  rows of kFailures: kNotFound, kVersionDeleted, kVersionDestroyed, kCasConflict,
//           kWrongKvVersion and those of the endpoint; kInvalid for a path that cannot be one.
// Secrets:  values are SecretString; the request is wiped once sent.
// Limits:   512 keys a secret.

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/vault/answer.h"

namespace tracekeeper::vault {

inline constexpr std::size_t kMostKeys = 512;

using SecretValues = std::map<std::string, crypto::SecretString, std::less<>>;
using CustomMetadata = std::map<std::string, std::string, std::less<>>;

struct KvSecret {
  /// A text as it is, any other value as its JSON.
  SecretValues values;
  /// All of it as one JSON object.
  crypto::SecretString json;
  // Of version 2 only:
  std::uint64_t version = 0;
  Instant created;
  CustomMetadata custom_metadata;

  std::string request_id;
};

/// The value of `key`, or kMalformedSecret that names the key.
Result<const crypto::SecretString*> ValueOf(const KvSecret& secret, std::string_view key);

enum class VersionState : std::uint8_t { kLive, kDeleted, kDestroyed };

struct KvMetadata {
  std::uint64_t current_version = 0;
  std::uint64_t oldest_version = 0;
  std::uint64_t max_versions = 0;  // 0: as the mount says
  Instant updated;
  CustomMetadata custom_metadata;
  std::map<std::uint64_t, VersionState> versions;
  std::string request_id;
};

struct KvWritten {
  std::uint64_t version = 0;
  std::string request_id;
};

class Kv2 {
 public:
  Kv2(std::string mount, Caller& caller) : mount_(std::move(mount)), caller_(caller) {}

  /// `version` 0 is the newest.
  Result<KvSecret> Read(std::string_view path, std::uint64_t version, const StopToken& stop);
  /// Cheap, and holds no secret: for polling.
  Result<KvMetadata> ReadMetadata(std::string_view path, const StopToken& stop);
  /// What a write must name as its base: the newest version, whether live, deleted or destroyed; 0
  /// where there is nothing.
  Result<std::uint64_t> CasBase(std::string_view path, const StopToken& stop);
  /// Writes version `base` + 1, or fails with kCasConflict where `base` is not the newest.
  Result<KvWritten> Write(std::string_view path, const SecretValues& values, std::uint64_t base,
                          const StopToken& stop);
  /// Sets the entries that have a value and removes those that have none.
  Status PatchCustomMetadata(std::string_view path,
                             const std::map<std::string, std::optional<std::string>>& changes,
                             const StopToken& stop);
  Status Delete(std::string_view path, const std::vector<std::uint64_t>& versions,
                const StopToken& stop);
  Status Undelete(std::string_view path, const std::vector<std::uint64_t>& versions,
                  const StopToken& stop);
  Status Destroy(std::string_view path, const std::vector<std::uint64_t>& versions,
                 const StopToken& stop);

 private:
  Status ChangeVersions(std::string_view middle, std::string_view verb, std::string_view path,
                        const std::vector<std::uint64_t>& versions, const StopToken& stop);
  /// kWrongKvVersion where the mount says so. A mount of version 1 takes a write to mount/data/path
  /// for one of the secret "data/path", so nothing is written before this was asked once.
  Status CheckMount(std::string_view tried, const StopToken& stop);

  const std::string mount_;
  Caller& caller_;
  std::atomic<bool> is_checked_ = false;
};

class Kv1 {
 public:
  Kv1(std::string mount, Caller& caller) : mount_(std::move(mount)), caller_(caller) {}

  Result<KvSecret> Read(std::string_view path, const StopToken& stop);
  Status Write(std::string_view path, const SecretValues& values, const StopToken& stop);
  Status Delete(std::string_view path, const StopToken& stop);

 private:
  const std::string mount_;
  Caller& caller_;
};

/// What the answers of the engine say, for tests and fuzzing.
Result<KvSecret> ReadKv2Secret(const Answer& answer, std::string_view tried);
Result<KvSecret> ReadKv1Secret(const Answer& answer, std::string_view tried);
Result<KvMetadata> ReadKvMetadata(const Answer& answer, std::string_view tried);

}  // namespace tracekeeper::vault
