// DEPENDS: tracekeeper::continuity tracekeeper::otlp
//
// Any file: what is read of it is judged, what was seen is what was judged, and the same telemetry
// in another order, some of it twice, comes to the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/continuity/batch_analysis.h"
#include "src/continuity/report.h"
#include "src/otlp/telemetry_import.h"

namespace continuity = tracekeeper::continuity;
namespace otlp = tracekeeper::otlp;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

class Sink final : public otlp::TelemetrySink {
 public:
  continuity::Recording recording;

  tracekeeper::Status OnTraces(std::string_view request) override {
    return recording.AddTraces(request);
  }
  tracekeeper::Status OnLogs(std::string_view request) override {
    return recording.AddLogs(request);
  }
};

continuity::Report Judge(continuity::Recording& recording) {
  const continuity::Rules rules{.entrypoints = continuity::NameList({"gate*"}),
                                .excluded_services = {},
                                .excluded_scopes = continuity::NameList({"dropped"}),
                                .excluded_span_names = {}};
  continuity::ReportBuilder builder(recording, continuity::WhichTraces::kAll);
  continuity::BatchAnalysis(recording, rules, {}).Run(builder);
  continuity::Report report = builder.Finish();
  for (const continuity::Ratio& ratio : report.families) Require(ratio.adds_up());
  return report;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Sink sink;
  const auto imported = otlp::ImportTelemetry(text, {}, sink);
  if (imported) {
    for (const otlp::RejectedRecord& rejected : imported->rejected) {
      Require(rejected.offset <= size && !rejected.reason.empty());
    }
  }
  std::vector<continuity::SpanRow> rows = sink.recording.Rows();
  continuity::CountStructure(rows);
  const continuity::Report report = Judge(sink.recording);
  sink.recording.Apply({.shuffle_seed = size, .redeliveries = 1, .batch_nanoseconds = 0});
  const continuity::Report again = Judge(sink.recording);
  for (std::size_t i = 0; i < continuity::kFamilies; ++i) {
    Require(report.families[i].results == again.families[i].results);
  }
  return 0;
}
