#pragma once
// Made-up rotation journals and audit records for tests.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "operator/domain/rotation_journal.h"

namespace tracekeeper::domain {

/// Any journal that may be written: every member set or not, texts of any printable kind.
RotationJournal RandomJournal(std::mt19937_64& random);

/// `count` lines of one chain, each without newline.
std::vector<std::string> AuditLines(std::size_t count, const std::string& credential = "otlp");

/// Lines as they stand in a file.
std::string Joined(const std::vector<std::string>& lines);

}  // namespace tracekeeper::domain
