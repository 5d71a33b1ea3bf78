#pragma once
// ImportTelemetry reads a file of spans or logs in any format that tracing systems write, and hands
// it on as OTLP requests.
//
// Recognised: OTLP in JSON (documents one behind the other, or one a line, as the Collector's file
// exporter writes them), OTLP in protobuf (one request, or many with their length in four bytes
// before each), Jaeger's JSON, Zipkin's versions 1 and 2, the answers of Tempo's API.
//
// Threads:  pure; calls the sink.
// Failure:  kDecode where the text is in no known format. A record that cannot be read is rejected,
//           with its offset and the reason, and the rest is read.
// Cost:     linear; a request of OTLP JSON is copied once.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::otlp {

enum class TelemetryFormat : std::uint8_t { kOtlpJson, kOtlpProtobuf, kJaeger, kZipkin, kTempo };

/// "otlp-json"
std::string_view NameOf(TelemetryFormat format);
std::optional<TelemetryFormat> TelemetryFormatNamed(std::string_view name);

struct RejectedRecord {
  std::size_t offset = 0;  // in the text
  std::string reason;
};

class TelemetrySink {
 public:
  virtual ~TelemetrySink() = default;

  /// Export...ServiceRequests in protobuf. An error rejects what the request was made from.
  virtual Status OnTraces(std::string_view request) = 0;
  virtual Status OnLogs(std::string_view request) = 0;
};

struct ImportedTelemetry {
  TelemetryFormat format = TelemetryFormat::kOtlpJson;
  std::vector<RejectedRecord> rejected;
};

struct ImportOptions {
  std::optional<TelemetryFormat> format;  // nothing: recognise it
  bool protobuf_is_logs = false;          // protobuf does not say which of the two it is
  std::function<void(std::size_t read)> on_progress;  // bytes of the text
};

Result<ImportedTelemetry> ImportTelemetry(std::string_view text, const ImportOptions& options,
                                          TelemetrySink& sink);

}  // namespace tracekeeper::otlp
