#include "operator/domain/rotation_journal.h"

#include <fmt/format.h>

#include <initializer_list>

#include "src/codec/decode.h"
#include "src/codec/encode.h"
#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

Status CheckText(std::string_view name, std::string_view text, std::size_t most) {
  if (text.size() <= most) return {};
  return Fail(ErrorKind::kDecode,
              "the rotation journal's {} has {} bytes, at most {} may stand there", name,
              text.size(), most);
}

Status CheckCount(std::string_view name, std::int64_t value) {
  if (value >= 0) return {};
  return Fail(ErrorKind::kDecode, "the rotation journal's {} is {}: it cannot be negative", name,
              value);
}

Status CheckList(std::string_view name, const std::vector<std::string>& list, std::size_t most,
                 std::size_t most_bytes) {
  if (list.size() > most) {
    return Fail(ErrorKind::kDecode, "the rotation journal holds {} {}, at most {} may stand there",
                list.size(), name, most);
  }
  for (const std::string& text : list) TRY(CheckText(name, text, most_bytes));
  return {};
}

Status CheckVersion(std::string_view slot, const std::optional<VersionRecord>& version) {
  if (!version) return {};
  TRY(CheckCount(fmt::format("{}.base", slot), version->base));
  TRY(CheckCount(fmt::format("{}.sourceVersion", slot), version->source_version));
  TRY(CheckText(fmt::format("{}.sourceId", slot), version->source_id, RotationJournal::kMostText));
  TRY(CheckText(fmt::format("{}.sourceDigest", slot), version->source_digest,
                RotationJournal::kMostText));
  if (version->number >= 1) return {};
  return Fail(ErrorKind::kDecode, "the rotation journal's {}.number is {}: versions begin with 1",
              slot, version->number);
}

Status CheckBounds(const RotationJournal& journal) {
  constexpr std::size_t kMost = RotationJournal::kMostText;
  TRY(CheckText("object", journal.object, kMost));
  TRY(CheckText("uid", journal.uid, kMost));
  TRY(CheckText("credential", journal.credential, kMost));
  TRY(CheckText("rotation", journal.rotation, kMost));
  TRY(CheckText("sourceDigest", journal.source_digest, kMost));
  TRY(CheckText("targetDigest", journal.target_digest, kMost));
  TRY(CheckText("publishedDigest", journal.published_digest, kMost));
  TRY(CheckText("audit.hash", journal.audit.hash, kMost));
  TRY(CheckCount("sequence", journal.sequence));
  TRY(CheckCount("epoch", journal.epoch));
  TRY(CheckCount("consumers", journal.consumers));
  TRY(CheckCount("staleConsumers", journal.stale_consumers));
  TRY(CheckCount("audit.count", journal.audit.count));
  TRY(CheckVersion("previous", journal.previous));
  TRY(CheckVersion("current", journal.current));
  TRY(CheckVersion("next", journal.next));
  TRY(CheckVersion("retiring", journal.retiring));
  TRY(CheckList("requests", journal.requests, RotationJournal::kMostRequests, kMost));
  TRY(CheckList("accepted", journal.accepted, RotationJournal::kMostRequests, kMost));
  TRY(CheckList("unsent", journal.unsent, RotationJournal::kMostUnsent,
                RotationJournal::kMostAuditLine));
  if (!journal.failure) return {};
  TRY(CheckText("failure.label", journal.failure->label, kMost));
  return CheckCount("failure.count", journal.failure->count);
}

/// A phase whose version is missing has nothing to go on with.
Status CheckPhase(const RotationJournal& journal) {
  const bool needs_next = journal.phase == RotationPhase::kPublish;
  const bool needs_current =
      journal.phase == RotationPhase::kDrain || journal.phase == RotationPhase::kRetire;
  if (needs_next && !journal.next) {
    return Fail(ErrorKind::kDecode,
                "the rotation journal is in phase Publish and has no next version");
  }
  if (needs_current && !journal.current) {
    return Fail(ErrorKind::kDecode,
                "the rotation journal is in phase {} and has no current version",
                codec::NameOfEnum(journal.phase));
  }
  if (journal.phase == RotationPhase::kActivate && !journal.current && !journal.next) {
    return Fail(ErrorKind::kDecode, "the rotation journal is in phase Activate and has no version");
  }
  return {};
}

}  // namespace

std::string RotationJournal::ToJson() const { return codec::EncodeJson(*this); }

Result<RotationJournal> RotationJournal::FromJson(std::string_view text) {
  if (text.size() > kMostBytes) {
    return Fail(ErrorKind::kDecode, "a rotation journal of {} bytes is none: at most {} are read",
                text.size(), kMostBytes);
  }
  codec::JsonParser parser;
  const auto root = parser.Parse(text);
  if (!root) return Fail(Error(root.error()).Within("the rotation journal"));
  if (!root->is_object()) {
    return Fail(ErrorKind::kDecode, "the rotation journal is no JSON object");
  }
  const std::int64_t format = (*root)["format"].IntegerOr(0);
  if (format > kFormat) {
    return Fail(ErrorKind::kDecode,
                "the rotation journal has format {}: it was written by a newer operator; this one "
                "reads format {} and leaves the credential as it is",
                format, kFormat);
  }
  if (format != kFormat) {
    return Fail(ErrorKind::kDecode, "the rotation journal has format {}: there is none but {}",
                format, kFormat);
  }
  auto decoded = codec::DecodeReportingUnknown<RotationJournal>(*root);
  if (!decoded) return Fail(std::move(decoded).error().Within("the rotation journal"));
  if (!decoded->unknown_fields.empty()) {
    return Fail(ErrorKind::kDecode, "the rotation journal holds {}, which format {} does not know",
                CleanText(decoded->unknown_fields.front()), kFormat);
  }
  TRY(CheckBounds(decoded->value));
  TRY(CheckPhase(decoded->value));
  return std::move(decoded->value);
}

std::string RotationId(std::string_view uid, std::string_view credential, std::int64_t epoch) {
  return "r-" + crypto::Sha256Hex(fmt::format("rotation\n{}\n{}\n{}", uid, credential, epoch))
                    .substr(0, 16);
}

std::string CleanText(std::string_view text) {
  constexpr std::size_t kMost = 256;
  std::string clean(text.substr(0, kMost));
  for (char& c : clean) {
    if (c < ' ' || c > '~') c = '?';
  }
  return clean;
}

}  // namespace tracekeeper::domain
