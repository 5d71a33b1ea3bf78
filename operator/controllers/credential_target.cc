#include "operator/controllers/credential_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "operator/controllers/credential_source.h"
#include "operator/controllers/owned_objects.h"
#include "operator/domain/rotation_failure.h"
#include "operator/domain/secret_template.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::controllers {
namespace {

namespace failure = domain::failure;

constexpr std::string_view kManager = "tracekeeper-credential";
constexpr std::size_t kLongestKey = 253;

tl::unexpected<Error> FailAs(std::string_view label, ErrorKind kind, const kube::ObjectKey& key,
                             std::string_view detail) {
  const domain::RotationFailure& row = *domain::FindRotationFailure(label);
  Error error{
      kind,
      fmt::format("write Secret {}: {} ({}): {}", key.ToString(), row.what, detail, row.remedy),
      std::nullopt};
  error.reason = row.label;
  return Fail(std::move(error));
}

domain::TargetMarks MarksOf(const kube::ObjectMeta& meta) {
  domain::TargetMarks marks;
  marks.sequence = SequenceOf(meta);
  marks.epoch = NumberIn(meta, domain::kEpochAnnotation);
  const auto begun = meta.annotations.find(domain::kBegunAnnotation);
  if (begun == meta.annotations.end()) return marks;
  if (const auto time = kube::ParseTimestamp(begun->second)) marks.begun = *time;
  return marks;
}

bool IsDataKey(std::string_view key) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !key.empty() && key.size() <= kLongestKey && std::ranges::all_of(key, fits) &&
         key != "." && !key.starts_with("..");
}

/// Whether the policy shows that key. What serves the operator alone is never shown.
bool IsShown(const domain::CredentialPlan& plan, std::string_view key) {
  if (key.starts_with(kPrivateKeyPrefix)) return false;
  const auto& keys = plan.credential.vault.keys;
  return keys.empty() || std::ranges::find(keys, key) != keys.end();
}

Status AddSlot(const domain::CredentialPlan& plan,
               const std::optional<domain::VersionRecord>& version, std::string_view suffix,
               const VersionValues& values, vault::SecretValues& data) {
  if (!version) return {};
  const auto found = values.find(version->number);
  if (found == values.end()) {
    return Fail(ErrorKind::kInternal, "the journal {} holds no values of version {}",
                plan.journal.ToString(), version->number);
  }
  for (const auto& [key, value] : found->second) {
    if (!IsShown(plan, key)) continue;
    std::string name = std::string(key).append(suffix);
    if (!IsDataKey(name)) {
      return Fail(vault::MakeError(
          vault::Failure::kMalformedSecret, "write Secret " + plan.target.ToString(),
          fmt::format("no Secret can have the key \"{}\": name the keys to show in vault.keys",
                      vault::Scrub(name))));
    }
    data.insert_or_assign(std::move(name), value.Clone());
  }
  return {};
}

/// The entries that the policy's templates make. One that takes a version which is not there now is
/// left out until it is.
Status AddTemplates(const domain::CredentialPlan& plan, const domain::RotationJournal& journal,
                    const VersionValues& values, vault::SecretValues& data) {
  using domain::SecretSlot;
  const auto version_of = [&](SecretSlot slot) -> const std::optional<domain::VersionRecord>& {
    if (slot == SecretSlot::kPrevious) return journal.previous;
    return slot == SecretSlot::kNext ? journal.next : journal.current;
  };
  const domain::SlotValues lookup = [&](SecretSlot slot,
                                        std::string_view key) -> const crypto::SecretString* {
    const auto& version = version_of(slot);
    if (!version || key.starts_with(kPrivateKeyPrefix)) return nullptr;
    const auto of_version = values.find(version->number);
    if (of_version == values.end()) return nullptr;
    const auto value = of_version->second.find(key);
    return value == of_version->second.end() ? nullptr : &value->second;
  };
  for (const auto& [key, text] : plan.credential.secret.template_text) {
    const domain::SecretTemplate entry = TRY(domain::SecretTemplate::Parse(text));
    const bool is_complete = std::ranges::all_of(
        std::array{SecretSlot::kCurrent, SecretSlot::kPrevious, SecretSlot::kNext},
        [&](SecretSlot slot) { return !entry.Takes(slot) || version_of(slot).has_value(); });
    if (!is_complete) continue;
    auto value = entry.Render(lookup);
    if (!value) return Fail(std::move(value.error()).Within("secret.template." + key));
    data.insert_or_assign(key, *std::move(value));
  }
  return {};
}

Status CheckOwner(const std::optional<SecretObject>& there, const domain::CredentialPlan& plan,
                  const domain::RotationJournal& journal) {
  if (!there) return {};
  if (!IsOf(there->meta, plan)) {
    return FailAs(failure::kTargetOwned, ErrorKind::kTerminal, plan.target,
                  "it has not the labels that the operator gives");
  }
  if (there->immutable) {
    return FailAs(failure::kTargetImmutable, ErrorKind::kTerminal, plan.target,
                  "it is marked immutable");
  }
  if (there->type != plan.credential.secret.type) {
    return FailAs(failure::kTargetImmutable, ErrorKind::kTerminal, plan.target,
                  fmt::format("it is of type {}, wanted {}", vault::Scrub(there->type),
                              plan.credential.secret.type));
  }
  if (SequenceOf(there->meta) > journal.sequence) {
    return FailAs(failure::kFenced, ErrorKind::kConflict, plan.target,
                  "it carries a newer sequence");
  }
  return {};
}

bool AreEqual(const vault::SecretValues& wanted, const vault::SecretValues& there) {
  return std::ranges::all_of(wanted, [&](const auto& entry) {
    const auto found = there.find(entry.first);
    return found != there.end() && found->second.Equals(entry.second);
  });
}

}  // namespace

Result<domain::TargetMarks> ReadTargetMarks(kube::Client& client,
                                            const domain::CredentialPlan& plan,
                                            const StopToken& stop) {
  const auto there = TRY(ReadSecret(client, plan.target, stop));
  if (!there || !IsOf(there->meta, plan)) return domain::TargetMarks{};
  return MarksOf(there->meta);
}

Result<vault::SecretValues> TargetData(const domain::CredentialPlan& plan,
                                       const domain::RotationJournal& journal,
                                       const VersionValues& values) {
  vault::SecretValues data;
  TRY(AddSlot(plan, journal.current, "", values, data));
  TRY(AddSlot(plan, journal.previous, domain::kPreviousSuffix, values, data));
  TRY(AddSlot(plan, journal.next, domain::kNextSuffix, values, data));
  TRY(AddTemplates(plan, journal, values, data));
  if (journal.current) {
    data.insert_or_assign(std::string(domain::kVersionKey),
                          crypto::SecretString(std::to_string(journal.current->number)));
  }
  return data;
}

Result<TargetLook> CompareTarget(kube::Client& client, const domain::CredentialPlan& plan,
                                 const domain::RotationJournal& journal,
                                 const VersionValues& values, const StopToken& stop) {
  const auto there = TRY(ReadSecret(client, plan.target, stop));
  if (!there) return TargetLook{};
  const vault::SecretValues wanted = TRY(TargetData(plan, journal, values));
  const bool is_intact = IsOf(there->meta, plan) && AreEqual(wanted, there->data);
  return TargetLook{is_intact ? domain::TargetState::kIntact : domain::TargetState::kChanged,
                    there->meta.resource_version};
}

Result<std::string> WriteTarget(kube::Client& client, const domain::CredentialPlan& plan,
                                const domain::RotationJournal& journal, const VersionValues& values,
                                const StopToken& stop) {
  const auto there = TRY(ReadSecret(client, plan.target, stop));
  TRY(CheckOwner(there, plan, journal));
  SecretObject secret;
  secret.meta = MetaOf(plan, plan.target);
  if (there) secret.meta.uid = there->meta.uid;
  if (there) secret.meta.resource_version = there->meta.resource_version;
  secret.meta.annotations = {
      {std::string(domain::kSequenceAnnotation), std::to_string(journal.sequence)},
      {std::string(domain::kEpochAnnotation), std::to_string(journal.epoch)},
      {std::string(domain::kBegunAnnotation), kube::FormatMicroTimestamp(journal.begun.at)}};
  secret.type = plan.credential.secret.type;
  secret.data = TRY(TargetData(plan, journal, values));
  return WriteSecret(client, secret, kManager, stop);
}

}  // namespace tracekeeper::controllers
