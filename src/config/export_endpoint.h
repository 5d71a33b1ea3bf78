#pragma once
// ExportEndpoint is export.endpoint taken apart: where the sidecar connects, and with or without
// TLS. "https://collector.shop:4317", "http://[fd00::1]:4318/otlp", "collector.shop:4317".
//
// Threads:  a value and pure functions.
// Failure:  kInvalid with a sentence that says what to write.

#include <string>

#include "src/base/result.h"
#include "src/config/sidecar_config.h"

namespace tracekeeper::config {

struct ExportEndpoint {
  bool is_tls = false;
  std::string authority;  // "collector.shop:4317": host and port, as in a URL
  std::string path;       // "/otlp", without a slash at its end; empty for most

  /// "https://collector.shop:4317"
  [[nodiscard]] std::string Origin() const;
  /// "https://collector.shop:4317/otlp", for people.
  [[nodiscard]] std::string Text() const { return Origin() + path; }

  bool operator==(const ExportEndpoint&) const = default;
};

/// Without a scheme, tls.insecure decides; gRPC without a port means 4317.
Result<ExportEndpoint> ParseExportEndpoint(const Export& target);

}  // namespace tracekeeper::config
