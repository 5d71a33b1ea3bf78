#pragma once
// The audit of rotations: one record a step, one line of JSON a record, each holding the hash of
// the one before it. A record that is changed, removed or moved breaks the chain at its line; one
// that is cut from the end is found by the head that the rotation's journal holds.
//
//   {"v":1,"number":7,"object":"shop/checkout","uid":"...","credential":"otlp","rotation":"r-...",
//    "step":"Published","cause":"Due","from":3,"to":4,"requestId":"...","actor":"...",
//    "outcome":"ok","time":"2026-01-02T03:04:05.000000Z","previous":"<64 hex>","hash":"<64 hex>"}
//
// hash is the SHA-256 of the record written with an empty hash. Each credential of each object has
// a chain of its own; chains may lie mixed in one file. A line that repeats one already read byte
// for byte is passed over: a record is written again when it is not known to have arrived. A chain
// has no key: it shows tampering to whoever holds its head, which lies in another place.
//
// Threads:  pure functions of values.
// Failure:  a line that cannot be read is a fault like any other, with its number.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "operator/domain/moment.h"
#include "src/codec/fields.h"

namespace tracekeeper::domain {

struct AuditRecord {
  std::int64_t format = 1;
  std::int64_t number = 0;  // in its chain, from 1
  std::string object;       // "shop/checkout"
  std::string uid;
  std::string credential;
  std::string rotation;
  std::string step;
  std::string cause;
  std::int64_t from = 0;  // version, 0: none
  std::int64_t to = 0;
  std::string request_id;  // of Vault: the same as in its own audit
  std::string actor;
  std::string outcome;
  Moment time;
  std::string previous;
  std::string hash;

  bool operator==(const AuditRecord&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("v", &AuditRecord::format, {.required = true}),
        Field("number", &AuditRecord::number, {.required = true}),
        Field("object", &AuditRecord::object, {.required = true}),
        Field("uid", &AuditRecord::uid, {.required = true}),
        Field("credential", &AuditRecord::credential, {.required = true}),
        Field("rotation", &AuditRecord::rotation, {.required = true}),
        Field("step", &AuditRecord::step, {.required = true}),
        Field("cause", &AuditRecord::cause, {.required = true}),
        Field("from", &AuditRecord::from, {.required = true}),
        Field("to", &AuditRecord::to, {.required = true}),
        Field("requestId", &AuditRecord::request_id, {.required = true}),
        Field("actor", &AuditRecord::actor, {.required = true}),
        Field("outcome", &AuditRecord::outcome, {.required = true}),
        Field("time", &AuditRecord::time, {.required = true}),
        Field("previous", &AuditRecord::previous, {.required = true}),
        Field("hash", &AuditRecord::hash, {.required = true}),
    };
  }
};

/// How far a chain goes: the number and the hash of its last record.
struct AuditHead {
  std::int64_t count = 0;
  std::string hash;

  bool operator==(const AuditHead&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("count", &AuditHead::count, {.required = true}),
        Field("hash", &AuditHead::hash, {.required = true}),
    };
  }
};

/// The line of `record`, without newline, as the next after `head`, and the head it makes. Number
/// and hashes of `record` are filled in.
struct AuditLine {
  std::string text;
  AuditHead head;
};
[[nodiscard]] AuditLine NextAuditLine(AuditRecord record, const AuditHead& head);

/// A head that somebody else kept, to find what was cut from the end.
struct KnownAuditHead {
  std::string object;
  std::string uid;
  std::string credential;
  AuditHead head;
};

struct AuditFault {
  std::size_t line = 0;  // from 1; 0: no line of the file
  std::string sentence;
};

struct AuditChainSummary {
  std::string object;
  std::string uid;
  std::string credential;
  AuditHead head;
};

struct AuditVerdict {
  std::vector<AuditChainSummary> chains;  // as far as they are whole, in order of appearance
  std::size_t records = 0;
  std::size_t repeats = 0;
  std::optional<AuditFault> fault;  // the first
};

/// Reads `text`, one record a line. Empty lines are faults: a record may have stood there.
[[nodiscard]] AuditVerdict VerifyAudit(std::string_view text,
                                       std::span<const KnownAuditHead> heads = {});

}  // namespace tracekeeper::domain
