// `tracekeeper analyze -o json`: what scripts read.

#include <utility>

#include "cli/analysis.h"
#include "src/base/version.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::cli {
namespace {

using codec::JsonWriter;
using continuity::Family;
using continuity::Outcome;
using continuity::Ratio;

void WriteInputs(const std::vector<AnalyzedInput>& inputs, JsonWriter& json) {
  json.Key("inputs").BeginArray();
  for (const AnalyzedInput& input : inputs) {
    json.BeginObject().Member("file", input.file).Member("format", NameOf(input.format));
    json.Key("rows").Unsigned(input.rows).Key("rejected").BeginArray();
    for (const otlp::RejectedRecord& rejected : input.rejected) {
      json.BeginObject().Key("offset").Unsigned(rejected.offset);
      json.Member("reason", rejected.reason).EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray();
}

void WriteKinds(std::string_view key, const continuity::CountByKind& kinds, JsonWriter& json) {
  json.Key(key).BeginObject();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == 0) continue;
    json.Key(continuity::NameOf(static_cast<otlp::SpanKind>(i))).Unsigned(kinds[i]);
  }
  json.EndObject();
}

void WriteStructure(const continuity::Structure& structure, JsonWriter& json) {
  const std::pair<std::string_view, std::uint64_t> numbers[] = {
      {"rows", structure.rows},
      {"repeats", structure.repeats},
      {"spans", structure.spans},
      {"traces", structure.traces},
      {"roots", structure.roots},
      {"orphans", structure.orphans},
      {"missing_parents", structure.missing_parents},
      {"missing_root_ids", structure.missing_root_ids},
      {"fragments", structure.fragments},
      {"complete", structure.complete},
      {"rootless", structure.rootless},
      {"multiroot", structure.multiroot},
      {"single_span", structure.single_span},
      {"id_shared_rpc", structure.id_shared_rpc},
      {"id_collision", structure.id_collision},
      {"ids_64bit", structure.ids_64bit},
      {"edges_cross_service", structure.edges_cross_service},
      {"out_spans", structure.out_spans},
      {"out_leaf", structure.out_leaf},
      {"t_before", structure.t_before},
      {"t_after", structure.t_after},
      {"t_over", structure.t_over}};
  json.Key("structure").BeginObject();
  for (const auto& [key, number] : numbers) json.Key(key).Unsigned(number);
  WriteKinds("root_kinds", structure.root_kinds, json);
  WriteKinds("orphan_kinds", structure.orphan_kinds, json);
  json.EndObject();
}

void WriteResults(const Ratio& ratio, JsonWriter& json) {
  for (std::size_t i = 0; i < continuity::kOutcomes; ++i) {
    json.Key(NameOf(static_cast<Outcome>(i))).Unsigned(ratio.results[i]);
  }
}

void WriteRatios(const continuity::Report& report, JsonWriter& json) {
  json.Key("sli").BeginObject();
  for (std::size_t i = 0; i < continuity::kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    const Ratio& ratio = report.of(family);
    json.Key(NameOf(family)).BeginObject().Key("seen").Unsigned(ratio.seen);
    WriteResults(ratio, json);
    const auto value = ratio.ratio();
    json.Key("ratio");
    value ? json.Double(*value) : json.Null();
    json.Key("reasons").BeginObject();
    for (const auto& [key, count] : report.reasons) {
      if (key.first == family) json.Key(NameOf(key.second)).Unsigned(count);
    }
    json.EndObject().EndObject();
  }
  json.EndObject();
}

void WriteEdges(const continuity::Report& report, JsonWriter& json) {
  json.Key("edges").BeginArray();
  for (const continuity::EdgeReport& edge : report.edges) {
    json.BeginObject().Member("client", edge.client).Member("server", edge.server);
    json.Member("protocol", NameOf(edge.protocol));
    WriteResults(edge.hops, json);
    json.Key("causes").BeginObject();
    for (const auto& [cause, count] : edge.causes) json.Key(NameOf(cause)).Unsigned(count);
    json.EndObject().EndObject();
  }
  json.EndArray();
}

void WriteCauses(const continuity::Report& report, JsonWriter& json) {
  json.Key("causes").BeginArray();
  for (const continuity::CauseReport& cause : report.causes) {
    json.BeginObject().Member("class", ClassOf(cause.cause)).Member("name", NameOf(cause.cause));
    json.Key("count").Unsigned(cause.count).Key("top").BeginArray();
    for (const continuity::Offender& offender : cause.top) {
      json.BeginObject().Member("service", offender.service).Member("peer", offender.peer);
      json.Member("span_name", offender.span_name).Key("count").Unsigned(offender.count);
      json.EndObject();
    }
    json.EndArray().Key("examples").BeginArray();
    for (const continuity::Example& example : cause.examples) {
      json.BeginObject().Member("trace_id", example.trace_id).Member("span_id", example.span_id);
      json.Member("detail", example.detail).EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray();
}

void WriteTraces(const continuity::Report& report, JsonWriter& json) {
  json.Key("traces").BeginArray();
  for (const continuity::TraceReport& trace : report.traces) {
    json.BeginObject().Member("trace_id", trace.trace_id);
    json.Member("verdict", NameOf(trace.verdict.outcome)).Key("pieces").Unsigned(trace.pieces);
    json.Key("findings").BeginArray();
    for (const continuity::TraceFinding& finding : trace.findings) {
      json.BeginObject().Member("class", ClassOf(finding.cause));
      json.Member("name", NameOf(finding.cause)).Member("span_id", finding.span_id);
      json.Member("service", finding.service).Member("peer", finding.peer);
      json.Member("detail", finding.detail).EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string JsonOf(const Analysis& analysis) {
  JsonWriter json;
  json.BeginObject().Member("version", kVersion);
  WriteInputs(analysis.inputs, json);
  WriteStructure(analysis.structure, json);
  WriteRatios(analysis.report, json);
  WriteEdges(analysis.report, json);
  WriteCauses(analysis.report, json);
  WriteTraces(analysis.report, json);
  json.EndObject();
  return json.Take() + "\n";
}

}  // namespace tracekeeper::cli
