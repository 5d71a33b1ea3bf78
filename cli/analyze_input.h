#pragma once
// What `tracekeeper analyze` reads: whole files, compressed or not, into a Recording.
//
// Threads:  the main thread.
// Failure:  kInvalid or kDecode, beginning with the file's name, for a file that cannot be used at
//           all. Single records that cannot be read are in the answer.

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "cli/analysis.h"
#include "src/base/result.h"
#include "src/continuity/recording.h"

namespace tracekeeper::cli {

struct AnalyzeSource {
  std::string file;  // "-" is standard input
  std::optional<otlp::TelemetryFormat> format;
  bool holds_logs = false;
};

/// Called now and then with how much of the file was read.
using OnRead = std::function<void(const std::string& file, std::size_t bytes, std::size_t of)>;

Result<AnalyzedInput> ReadTelemetry(const AnalyzeSource& source, std::istream& standard_input,
                                    const OnRead& on_read, continuity::Recording& recording);

}  // namespace tracekeeper::cli
