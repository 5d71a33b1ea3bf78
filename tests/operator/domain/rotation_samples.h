#pragma once
// Made-up rotation journals and audit records for tests.

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "operator/domain/rotation_machine.h"

namespace tracekeeper::domain {

inline const Instant kNow{std::chrono::hours(24 * 365 * 56)};

/// A policy that replaces a generated value every 72 h, with an overlap of 1 h.
RotationSpec Spec();
RotationSpec With(RotationSource source);
/// The source is there with its version 4, or as said.
RotationFacts Facts(std::int64_t version = 4);
RotationFacts Source(SourceState state, std::int64_t version = 4);
/// So many of three consumers are stale.
RotationFacts Consumers(std::int64_t stale);
VersionRecord Version(std::int64_t number);
RotationJournal New();
/// Version 4 in use since an hour.
RotationJournal Idle();
RotationJournal In(RotationPhase phase, Duration since = {});
RotationJournal WithNext(RotationJournal journal, VersionState state);
/// Version 5 current since `since`, 4 previous.
RotationJournal Draining(Duration since, std::optional<Duration> drained = std::nullopt);

template <typename T, typename Change>
T But(T value, Change change) {
  change(value);
  return value;
}

/// Any journal that may be written: every member set or not, texts of any printable kind.
RotationJournal RandomJournal(std::mt19937_64& random);

/// `count` lines of one chain, each without newline.
std::vector<std::string> AuditLines(std::size_t count, const std::string& credential = "otlp");

/// Lines as they stand in a file.
std::string Joined(const std::vector<std::string>& lines);

}  // namespace tracekeeper::domain
