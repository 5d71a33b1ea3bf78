#pragma once
// ExportTarget makes the exporter that the configuration's `export` describes, with its credential
// and TLS files, and keeps what /status shows of them.
//
// Threads:  MakeExportTarget from any thread; the result as its parts say.
// Failure:  kInvalid with a sentence when there can be no such exporter. Files that are missing or
//           broken are no failure here: they may appear, and each attempt says so until then.

#include <memory>

#include "sidecar/credential_file.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/config/sidecar_config.h"
#include "src/otlp/exporter.h"

namespace tracekeeper::sidecar {

struct ExportTarget {
  std::shared_ptr<otlp::Exporter> exporter;
  std::shared_ptr<CredentialFile> credential;  // null: none is configured
};

Result<ExportTarget> MakeExportTarget(const config::Export& target, const Clock& clock,
                                      const Logger& log);

}  // namespace tracekeeper::sidecar
