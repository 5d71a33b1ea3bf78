#include <fmt/format.h>

#include <charconv>

#include "src/vault/kv.h"

namespace tracekeeper::vault {
namespace {

constexpr std::size_t kMostVersions = 4096;
constexpr std::size_t kMostCustomMetadata = 64;  // Vault's own limit

tl::unexpected<Error> Malformed(std::string_view tried, std::string_view detail) {
  return Fail(MakeError(Failure::kMalformedSecret, tried, detail));
}

crypto::SecretString JsonOf(codec::JsonValue value) {
  SecretJson json;
  json.Value(value);
  return crypto::SecretString(json.text());
}

Status ReadValues(codec::JsonValue data, std::string_view tried, KvSecret& secret) {
  if (data.size() > kMostKeys) {
    return Malformed(tried, fmt::format("more than {} keys", kMostKeys));
  }
  for (const auto& [key, value] : data.Members()) {
    const auto text = value.String();
    secret.values.insert_or_assign(std::string(key),
                                   text ? crypto::SecretString(*text) : JsonOf(value));
  }
  secret.json = JsonOf(data);
  return {};
}

Result<CustomMetadata> ReadCustomMetadata(codec::JsonValue object, std::string_view tried) {
  CustomMetadata metadata;
  if (object.size() > kMostCustomMetadata) return Malformed(tried, "too much custom metadata");
  for (const auto& [key, value] : object.Members()) {
    const auto text = value.String();
    if (!text) return Malformed(tried, "custom metadata that is not text");
    metadata.insert_or_assign(std::string(key), std::string(*text));
  }
  return metadata;
}

VersionState StateOf(codec::JsonValue version) {
  if (version["destroyed"].BoolOr(false)) return VersionState::kDestroyed;
  return version["deletion_time"].StringOr("").empty() ? VersionState::kLive
                                                       : VersionState::kDeleted;
}

Result<std::map<std::uint64_t, VersionState>> ReadVersions(codec::JsonValue object,
                                                           std::string_view tried) {
  std::map<std::uint64_t, VersionState> versions;
  for (const auto& [key, version] : object.Members()) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), number);
    if (read.ec != std::errc() || read.ptr != key.data() + key.size() || !version.is_object()) {
      return Malformed(tried, "a version that is not a number");
    }
    versions.emplace(number, StateOf(version));
    if (versions.size() > kMostVersions) return Malformed(tried, "too many versions");
  }
  return versions;
}

}  // namespace

Result<KvSecret> ReadKv2Secret(const Answer& answer, std::string_view tried) {
  const codec::JsonValue metadata = answer.data()["metadata"];
  const codec::JsonValue data = answer.data()["data"];
  if (!metadata.is_object() || !metadata["version"]) {
    return Fail(MakeError(Failure::kWrongKvVersion, tried, "the answer has no version"));
  }
  if (!data.is_object()) return Malformed(tried, "the answer holds no data");
  KvSecret secret;
  secret.version = TRY(ReadCount(metadata, "version", tried));
  secret.created = TRY(ReadTime(metadata, "created_time", tried));
  secret.custom_metadata = TRY(ReadCustomMetadata(metadata["custom_metadata"], tried));
  secret.request_id = answer.request_id();
  TRY(ReadValues(data, tried, secret));
  return secret;
}

Result<KvSecret> ReadKv1Secret(const Answer& answer, std::string_view tried) {
  const codec::JsonValue data = answer.data();
  if (!data.is_object()) return Malformed(tried, "the answer holds no data");
  KvSecret secret;
  secret.request_id = answer.request_id();
  TRY(ReadValues(data, tried, secret));
  return secret;
}

Result<KvMetadata> ReadKvMetadata(const Answer& answer, std::string_view tried) {
  const codec::JsonValue data = answer.data();
  KvMetadata metadata;
  metadata.current_version = TRY(ReadCount(data, "current_version", tried));
  metadata.oldest_version = TRY(ReadCount(data, "oldest_version", tried));
  metadata.max_versions = TRY(ReadCount(data, "max_versions", tried));
  metadata.updated = TRY(ReadTime(data, "updated_time", tried));
  metadata.custom_metadata = TRY(ReadCustomMetadata(data["custom_metadata"], tried));
  metadata.versions = TRY(ReadVersions(data["versions"], tried));
  metadata.request_id = answer.request_id();
  return metadata;
}

Result<const crypto::SecretString*> ValueOf(const KvSecret& secret, std::string_view key) {
  const auto found = secret.values.find(key);
  if (found != secret.values.end()) return &found->second;
  return Malformed(fmt::format("read key \"{}\"", Scrub(key)), "the secret has no such key");
}

}  // namespace tracekeeper::vault
