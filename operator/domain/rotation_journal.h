#pragma once
// RotationJournal is what is written down about one credential before anything is done to it: in
// the operator's own Secret beside the target, with a resourceVersion precondition. Whoever reads
// it knows how to go on. The values themselves lie beside it in the same Secret, by version number;
// they are never in this struct.
//
// `sequence` grows with every write. A target Secret carries the sequence it was written for, and
// refuses an older one: so a leader that was replaced and does not know it cannot put old values
// back. `rotation` follows from the object's uid and the epoch, so what two leaders do for one
// rotation is known to be the same.
//
// Threads:  a value.
// Failure:  Decode is kDecode with a sentence: of a newer format, an unknown phase or member, a
//           size out of bounds. Nothing is done on a journal that cannot be read.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "operator/domain/audit_chain.h"
#include "operator/domain/moment.h"
#include "src/base/result.h"
#include "src/codec/fields.h"

namespace tracekeeper::domain {

enum class RotationPhase { kIdle, kPrepare, kPublish, kActivate, kDrain, kRetire, kAudited };

consteval auto ValuesOf(RotationPhase) {
  using codec::EnumValue;
  return std::array{
      EnumValue{RotationPhase::kIdle, "Idle", "nothing is under way; the next is not yet due"},
      EnumValue{RotationPhase::kPrepare, "Prepare", "the next version is made and stored"},
      EnumValue{RotationPhase::kPublish, "Publish", "the next version is shown beside the current"},
      EnumValue{RotationPhase::kActivate, "Activate", "it becomes current after its delay"},
      EnumValue{RotationPhase::kDrain, "Drain", "every consumer comes to use it"},
      EnumValue{RotationPhase::kRetire, "Retire", "the previous version is withdrawn and revoked"},
      EnumValue{RotationPhase::kAudited, "Audited", "the last records are written"},
  };
}

/// Why a rotation was begun.
enum class RotationCause { kAdopted, kDue, kManual, kSourceChanged, kSpecChanged, kEnding };

consteval auto ValuesOf(RotationCause) {
  using codec::EnumValue;
  return std::array{
      EnumValue{RotationCause::kAdopted, "Adopted", "the credential was met for the first time"},
      EnumValue{RotationCause::kDue, "Due", "its period was nearly over"},
      EnumValue{RotationCause::kManual, "Manual", "an annotation asked for it"},
      EnumValue{RotationCause::kSourceChanged, "SourceChanged", "its source has a newer version"},
      EnumValue{RotationCause::kSpecChanged, "SpecChanged", "the policy names another source"},
      EnumValue{RotationCause::kEnding, "Ending", "its lease or certificate nears its end"},
  };
}

enum class VersionState { kPending, kStored };

consteval auto ValuesOf(VersionState) {
  using codec::EnumValue;
  return std::array{
      EnumValue{VersionState::kPending, "Pending", "made here, not yet known to be in its source"},
      EnumValue{VersionState::kStored, "Stored", "its source has it"},
  };
}

/// One version of a credential: what is known of it, without its value.
struct VersionRecord {
  std::int64_t number = 0;  // ours: the epoch that made it
  VersionState state = VersionState::kPending;
  std::int64_t base = 0;            // the source's newest version when it was made: for its CAS
  std::int64_t source_version = 0;  // of KV or a transit key
  std::string source_id;            // digest of a lease id; serial of a certificate
  std::string source_digest;        // which source it came from
  Moment created;
  std::optional<Moment> activated;
  std::optional<Moment> valid_from;  // of its lease or certificate
  std::optional<Moment> valid_until;
  bool fixed = false;  // its lease is not renewed any more

  bool operator==(const VersionRecord&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("number", &VersionRecord::number, {.required = true}),
        Field("state", &VersionRecord::state, {.required = true}),
        Field("base", &VersionRecord::base),
        Field("sourceVersion", &VersionRecord::source_version),
        Field("sourceId", &VersionRecord::source_id),
        Field("sourceDigest", &VersionRecord::source_digest),
        Field("created", &VersionRecord::created, {.required = true}),
        Field("activated", &VersionRecord::activated),
        Field("validFrom", &VersionRecord::valid_from),
        Field("validUntil", &VersionRecord::valid_until),
        Field("fixed", &VersionRecord::fixed),
    };
  }
};

/// What fails now, since when and how often.
struct FailureRecord {
  std::string label;
  Moment since;
  std::int64_t count = 0;

  bool operator==(const FailureRecord&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("label", &FailureRecord::label, {.required = true}),
        Field("since", &FailureRecord::since, {.required = true}),
        Field("count", &FailureRecord::count, {.required = true}),
    };
  }
};

struct RotationJournal {
  static constexpr std::int64_t kFormat = 1;
  static constexpr std::size_t kMostBytes = 131072;
  static constexpr std::size_t kMostText = 512;  // of a name, a digest, a label
  static constexpr std::size_t kMostAuditLine = 4096;
  static constexpr std::size_t kMostRequests = 16;
  static constexpr std::size_t kMostUnsent = 8;

  std::int64_t format = kFormat;
  std::string object;  // "shop/checkout"
  std::string uid;
  std::string credential;
  std::int64_t sequence = 0;
  std::int64_t epoch = 0;
  std::string rotation;  // of this epoch
  RotationCause cause = RotationCause::kAdopted;
  RotationPhase phase = RotationPhase::kIdle;
  Moment phase_began;
  Moment begun;  // this rotation, or the last: the next is due a period after it

  std::optional<VersionRecord> previous;
  std::optional<VersionRecord> current;
  std::optional<VersionRecord> next;
  std::optional<VersionRecord> retiring;  // withdrawn from consumers, not yet revoked

  std::optional<Moment> drained;  // since when no consumer uses the previous version
  std::optional<Moment> retire_not_before;
  std::int64_t consumers = 0;
  std::int64_t stale_consumers = 0;

  std::string source_digest;     // the source that this rotation takes from
  std::string target_digest;     // how the target Secret shall look
  std::string published_digest;  // how it was last written

  std::vector<std::string> requests;  // manual, accepted and not yet served: digests
  std::vector<std::string> accepted;  // the last that were accepted, in their order

  std::optional<Moment> last_success;
  std::optional<FailureRecord> failure;

  AuditHead audit;
  std::vector<std::string> unsent;  // audit lines that are not known to have been written

  bool operator==(const RotationJournal&) const = default;

  [[nodiscard]] std::string ToJson() const;
  static Result<RotationJournal> FromJson(std::string_view text);

  static consteval auto Fields() {
    using codec::Field;
    using Self = RotationJournal;
    return std::tuple{
        Field("format", &Self::format, {.required = true}),
        Field("object", &Self::object, {.required = true}),
        Field("uid", &Self::uid, {.required = true}),
        Field("credential", &Self::credential, {.required = true}),
        Field("sequence", &Self::sequence, {.required = true}),
        Field("epoch", &Self::epoch, {.required = true}),
        Field("rotation", &Self::rotation),
        Field("cause", &Self::cause, {.required = true}),
        Field("phase", &Self::phase, {.required = true}),
        Field("phaseBegan", &Self::phase_began, {.required = true}),
        Field("begun", &Self::begun, {.required = true}),
        Field("previous", &Self::previous),
        Field("current", &Self::current),
        Field("next", &Self::next),
        Field("retiring", &Self::retiring),
        Field("drained", &Self::drained),
        Field("retireNotBefore", &Self::retire_not_before),
        Field("consumers", &Self::consumers),
        Field("staleConsumers", &Self::stale_consumers),
        Field("sourceDigest", &Self::source_digest),
        Field("targetDigest", &Self::target_digest),
        Field("publishedDigest", &Self::published_digest),
        Field("requests", &Self::requests),
        Field("accepted", &Self::accepted),
        Field("lastSuccess", &Self::last_success),
        Field("failure", &Self::failure),
        Field("audit", &Self::audit, {.required = true}),
        Field("unsent", &Self::unsent),
    };
  }
};

/// "r-" and 16 hexadecimal digits: the same for every leader that works on this epoch.
[[nodiscard]] std::string RotationId(std::string_view uid, std::string_view credential,
                                     std::int64_t epoch);

/// Text from outside, as a journal, a record or a status takes it: printable ASCII, not long.
[[nodiscard]] std::string CleanText(std::string_view text);

}  // namespace tracekeeper::domain
