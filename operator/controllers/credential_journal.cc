#include "operator/controllers/credential_journal.h"

#include <fmt/format.h>

#include <charconv>

#include "operator/controllers/owned_objects.h"
#include "operator/domain/rotation_failure.h"
#include "src/codec/json_value.h"
#include "src/vault/secret_json.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kJournalKey = "journal.json";
constexpr std::string_view kValuesPrefix = "values.";
constexpr std::string_view kValuesSuffix = ".json";
constexpr std::string_view kManager = "tracekeeper-rotation";

tl::unexpected<Error> Unreadable(const kube::ObjectKey& key, std::string_view why) {
  const domain::RotationFailure& row =
      *domain::FindRotationFailure(domain::failure::kJournalUnreadable);
  Error error{
      ErrorKind::kDecode,
      fmt::format("read journal {}: {} ({}): {}", key.ToString(), row.what, why, row.remedy),
      std::nullopt};
  error.reason = row.label;
  return Fail(std::move(error));
}

/// The number in "values.7.json".
std::optional<std::int64_t> NumberOf(std::string_view key) {
  if (!key.starts_with(kValuesPrefix) || !key.ends_with(kValuesSuffix)) return std::nullopt;
  key.remove_prefix(kValuesPrefix.size());
  key.remove_suffix(std::min(kValuesSuffix.size(), key.size()));
  std::int64_t number = 0;
  const auto read = std::from_chars(key.data(), key.data() + key.size(), number);
  if (read.ec != std::errc() || read.ptr != key.data() + key.size()) return std::nullopt;
  return number;
}

std::optional<vault::SecretValues> ReadValues(const crypto::SecretString& text) {
  codec::JsonParser parser;
  const auto root = parser.Parse(text.Reveal());
  if (!root || !root->is_object()) return std::nullopt;
  vault::SecretValues values;
  for (const auto& [key, value] : root->Members()) {
    const auto content = value.String();
    if (!content) return std::nullopt;
    values.insert_or_assign(std::string(key), crypto::SecretString(*content));
  }
  return values;
}

crypto::SecretString WriteValues(const vault::SecretValues& values) {
  vault::SecretJson json;
  json.Begin();
  for (const auto& [key, value] : values) json.Text(key, value.Reveal());
  json.End();
  return crypto::SecretString(json.text());
}

}  // namespace

bool IsNamed(const domain::RotationJournal& journal, std::int64_t number) {
  for (const auto* slot : {&journal.previous, &journal.current, &journal.next, &journal.retiring}) {
    if (*slot && (*slot)->number == number) return true;
  }
  return false;
}

Result<LoadedJournal> LoadJournal(kube::Client& client, const domain::CredentialPlan& plan,
                                  const StopToken& stop) {
  LoadedJournal loaded;
  const auto secret = TRY(ReadSecret(client, plan.journal, stop));
  if (!secret) return loaded;
  loaded.resource_version = secret->meta.resource_version;
  // Made, and not yet written: a crash came between.
  if (secret->data.empty() && IsOf(secret->meta, plan)) return loaded;
  const auto text = secret->data.find(kJournalKey);
  if (text == secret->data.end()) return Unreadable(plan.journal, "it has no key journal.json");
  auto journal = domain::RotationJournal::FromJson(text->second.Reveal());
  if (!journal) return Unreadable(plan.journal, journal.error().message);
  // Of a policy that was deleted and made again under this name: its credential is adopted anew.
  if (journal->uid != plan.identity.uid) return loaded;
  loaded.journal = *std::move(journal);
  for (const auto& [key, value] : secret->data) {
    const auto number = NumberOf(key);
    if (!number) continue;
    auto values = ReadValues(value);
    if (!values) return Unreadable(plan.journal, fmt::format("{} is no JSON of texts", key));
    loaded.values.insert_or_assign(*number, *std::move(values));
  }
  return loaded;
}

Result<std::string> StoreJournal(kube::Client& client, const domain::CredentialPlan& plan,
                                 const domain::RotationJournal& journal,
                                 const VersionValues& values, const std::string& resource_version,
                                 const StopToken& stop) {
  SecretObject secret;
  secret.meta = MetaOf(plan, plan.journal);
  secret.meta.resource_version = resource_version;
  secret.data.insert_or_assign(std::string(kJournalKey), crypto::SecretString(journal.ToJson()));
  for (const auto& [number, version] : values) {
    if (!IsNamed(journal, number)) continue;
    secret.data.insert_or_assign(fmt::format("{}{}{}", kValuesPrefix, number, kValuesSuffix),
                                 WriteValues(version));
  }
  return WriteSecret(client, secret, kManager, stop);
}

}  // namespace tracekeeper::controllers
