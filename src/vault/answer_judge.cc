#include "src/vault/answer_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/codec/json_value.h"
#include "src/net/retry_after.h"
#include "src/net/transport.h"

namespace tracekeeper::vault {
namespace {

// A longer refusal is no refusal of Vault's.
constexpr std::size_t kLongestRefusal = 64U << 10U;
constexpr Duration kLongestRetryAfter = std::chrono::hours(1);

/// What a body of a refusal says, taken apart.
struct Refusal {
  bool is_vaults = false;  // a JSON object
  bool is_sealed = false;  // sys/health and sys/seal-status say so
  bool is_destroyed = false;
  bool is_deleted = false;
  std::string text;  // errors and warnings, scrubbed
};

void AppendTexts(codec::JsonValue list, std::string& out) {
  for (const codec::JsonValue element : list.Elements()) {
    const auto text = element.String();
    if (!text || text->empty()) continue;
    if (!out.empty()) out += "; ";
    out += *text;
  }
}

Refusal ReadRefusal(std::string_view body) {
  Refusal refusal;
  if (body.empty() || body.size() > kLongestRefusal) return refusal;
  codec::JsonParser parser;
  const auto root = parser.Parse(body);
  if (!root || !root->is_object()) return refusal;
  refusal.is_vaults = true;
  refusal.is_sealed = (*root)["sealed"].BoolOr(false);
  const codec::JsonValue metadata = (*root)["data"]["metadata"];
  refusal.is_destroyed = metadata["destroyed"].BoolOr(false);
  refusal.is_deleted = !metadata["deletion_time"].StringOr("").empty();
  std::string texts;
  AppendTexts((*root)["errors"], texts);
  AppendTexts((*root)["warnings"], texts);
  AppendTexts((*root)["data"]["warnings"], texts);
  refusal.text = Scrub(texts);
  return refusal;
}

/// The first row whose statuses, family and words fit decides. The words are Vault's own, in lower
/// case: where they change, the row of the bare status at the end of the table still holds.
struct Rule {
  int from;
  int to;
  std::optional<OperationFamily> family;
  std::string_view words;
  Failure failure;
};

constexpr std::optional<OperationFamily> kAny = std::nullopt;
constexpr std::array kRules = {
    Rule{500, 503, kAny, "vault is sealed", Failure::kSealed},
    Rule{500, 500, kAny, "active cluster node not found", Failure::kStandby},
    Rule{400, 404, kAny, "namespace not found", Failure::kNamespaceWrong},
    Rule{400, 404, kAny, "no namespace", Failure::kNamespaceWrong},
    Rule{400, 404, kAny, "invalid namespace", Failure::kNamespaceWrong},
    Rule{400, 500, OperationFamily::kToken, "max ttl", Failure::kLeaseNotRenewable},
    Rule{400, 500, OperationFamily::kToken, "not renewable", Failure::kLeaseNotRenewable},
    Rule{400, 500, OperationFamily::kLease, "max ttl", Failure::kLeaseNotRenewable},
    Rule{400, 403, OperationFamily::kToken, "batch token", Failure::kBatchToken},
    Rule{400, 403, OperationFamily::kToken, "", Failure::kTokenRevoked},
    Rule{400, 404, OperationFamily::kLogin, "", Failure::kLoginRefused},
    Rule{400, 400, kAny, "check-and-set parameter did not match", Failure::kCasConflict},
    Rule{400, 400, kAny, "to versioned data", Failure::kStandby},
    Rule{400, 404, OperationFamily::kKv, "versioned k/v", Failure::kWrongKvVersion},
    Rule{400, 500, OperationFamily::kLease, "not renewable", Failure::kLeaseNotRenewable},
    Rule{400, 500, OperationFamily::kLease, "lease not found", Failure::kLeaseNotFound},
    Rule{400, 500, OperationFamily::kLease, "invalid lease", Failure::kLeaseNotFound},
    Rule{400, 500, OperationFamily::kLease, "lease expired", Failure::kLeaseNotFound},
    Rule{400, 400, kAny, "not found", Failure::kNotFound},
    Rule{403, 403, kAny, "invalid token", Failure::kTokenRevoked},
    Rule{403, 403, kAny, "bad token", Failure::kTokenRevoked},
    Rule{403, 403, kAny, "", Failure::kPermissionDenied},
    Rule{404, 404, kAny, "", Failure::kNotFound},
    Rule{412, 412, kAny, "", Failure::kStandby},
    Rule{429, 429, OperationFamily::kHealth, "", Failure::kStandby},
    Rule{429, 429, kAny, "", Failure::kRateLimited},
    Rule{472, 473, kAny, "", Failure::kStandby},
    Rule{400, 499, kAny, "", Failure::kRequestRefused},
    Rule{500, 500, kAny, "", Failure::kEngineFailed},
    Rule{501, 501, kAny, "", Failure::kNotInitialised},
    Rule{500, 599, kAny, "", Failure::kUnavailable},
};

Failure FailureByRules(int status, OperationFamily family, std::string_view words) {
  for (const Rule& rule : kRules) {
    if (status < rule.from || status > rule.to) continue;
    if (rule.family && *rule.family != family) continue;
    if (words.find(rule.words) != std::string_view::npos) return rule.failure;
  }
  return Failure::kAnswerNotVault;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

/// Refusals that every part of Vault writes as JSON: from another server they mean another thing.
bool MustBeJson(Failure failure) {
  if (failure == Failure::kStandby || failure == Failure::kNotInitialised) return true;
  const Retry retry = RowOf(failure).retry;
  return retry == Retry::kSlow || retry == Retry::kNever || retry == Retry::kRelogin;
}

Failure Classify(const net::Response& response, Operation operation, const Refusal& refusal) {
  const int status = response.status;
  const bool is_redirect = status >= 300 && status < 400;
  // A standby that does not forward names its active node; redirects are not followed.
  if (is_redirect) return status == 307 ? Failure::kStandby : Failure::kAnswerNotVault;
  if (status == 503 && refusal.is_sealed) return Failure::kSealed;
  const OperationFamily family = RowOf(operation).family;
  if (status == 404 && family == OperationFamily::kKv) {
    if (refusal.is_destroyed) return Failure::kVersionDestroyed;
    if (refusal.is_deleted) return Failure::kVersionDeleted;
  }
  const Failure failure = FailureByRules(status, family, Lower(refusal.text));
  return !refusal.is_vaults && MustBeJson(failure) ? Failure::kAnswerNotVault : failure;
}

}  // namespace

std::optional<Judgement> JudgeAnswer(const net::Response& response, Operation operation,
                                     Instant now) {
  if (response.status >= 200 && response.status < 300) return std::nullopt;
  const Refusal refusal = ReadRefusal(response.body);
  Judgement judgement;
  judgement.failure = Classify(response, operation, refusal);
  judgement.detail = refusal.text.empty() ? fmt::format("status {}", response.status)
                                          : fmt::format("{}: {}", response.status, refusal.text);
  if (const auto wait = net::ReadRetryAfter(response.headers.Get("Retry-After"), now)) {
    judgement.retry_after = std::min(*wait, kLongestRetryAfter);
  }
  return judgement;
}

std::optional<Judgement> JudgeTransport(const Error& error) {
  if (error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout) {
    const bool is_certificate = error.reason == net::kCertificateRefused;
    return Judgement{is_certificate ? Failure::kCertificateRefused : Failure::kUnavailable,
                     Scrub(error.message), error.retry_after};
  }
  if (error.kind == ErrorKind::kDecode) {
    return Judgement{Failure::kAnswerNotVault, Scrub(error.message), std::nullopt};
  }
  return std::nullopt;
}

}  // namespace tracekeeper::vault
