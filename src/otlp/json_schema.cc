#include "src/otlp/json_schema.h"

#include <algorithm>
#include <array>

namespace tracekeeper::otlp {
namespace {

using enum FieldType;

constexpr FieldSchema Many(FieldSchema field) {
  field.repeated = true;
  return field;
}
constexpr FieldSchema Message(std::string_view name, std::uint32_t number,
                              const MessageSchema& message) {
  return {name, number, kMessage, false, &message, {}};
}
constexpr FieldSchema Messages(std::string_view name, std::uint32_t number,
                               const MessageSchema& message) {
  return Many(Message(name, number, message));
}
constexpr FieldSchema Enum(std::string_view name, std::uint32_t number,
                           std::span<const EnumName> names) {
  return {name, number, kEnum, false, nullptr, names};
}

// --- common ---------------------------------------------------------------------------------

extern const MessageSchema kAnyValue;  // nests in itself

constexpr FieldSchema kKeyValueFields[] = {{"key", 1, kString}, Message("value", 2, kAnyValue)};
constexpr MessageSchema kKeyValue{kKeyValueFields};
constexpr FieldSchema kArrayValueFields[] = {Messages("values", 1, kAnyValue)};
constexpr MessageSchema kArrayValue{kArrayValueFields};
constexpr FieldSchema kKeyValueListFields[] = {Messages("values", 1, kKeyValue)};
constexpr MessageSchema kKeyValueList{kKeyValueListFields};
constexpr FieldSchema kAnyValueFields[] = {{"stringValue", 1, kString},
                                           {"boolValue", 2, kBool},
                                           {"intValue", 3, kInt64},
                                           {"doubleValue", 4, kDouble},
                                           Message("arrayValue", 5, kArrayValue),
                                           Message("kvlistValue", 6, kKeyValueList),
                                           {"bytesValue", 7, kBase64}};
constexpr MessageSchema kAnyValue{kAnyValueFields};

constexpr FieldSchema kEntityRefFields[] = {{"schemaUrl", 1, kString},
                                            {"type", 2, kString},
                                            Many({"idKeys", 3, kString}),
                                            Many({"descriptionKeys", 4, kString})};
constexpr MessageSchema kEntityRef{kEntityRefFields};
constexpr FieldSchema kResourceFields[] = {Messages("attributes", 1, kKeyValue),
                                           {"droppedAttributesCount", 2, kUint32},
                                           Messages("entityRefs", 3, kEntityRef)};
constexpr MessageSchema kResource{kResourceFields};
constexpr FieldSchema kScopeFields[] = {{"name", 1, kString},
                                        {"version", 2, kString},
                                        Messages("attributes", 3, kKeyValue),
                                        {"droppedAttributesCount", 4, kUint32}};
constexpr MessageSchema kScope{kScopeFields};

// --- traces ---------------------------------------------------------------------------------

constexpr EnumName kSpanKinds[] = {{"SPAN_KIND_UNSPECIFIED", 0}, {"SPAN_KIND_INTERNAL", 1},
                                   {"SPAN_KIND_SERVER", 2},      {"SPAN_KIND_CLIENT", 3},
                                   {"SPAN_KIND_PRODUCER", 4},    {"SPAN_KIND_CONSUMER", 5}};
constexpr EnumName kStatusCodes[] = {
    {"STATUS_CODE_UNSET", 0}, {"STATUS_CODE_OK", 1}, {"STATUS_CODE_ERROR", 2}};

constexpr FieldSchema kEventFields[] = {{"timeUnixNano", 1, kFixed64},
                                        {"name", 2, kString},
                                        Messages("attributes", 3, kKeyValue),
                                        {"droppedAttributesCount", 4, kUint32}};
constexpr MessageSchema kEvent{kEventFields};
constexpr FieldSchema kLinkFields[] = {{"traceId", 1, kHex},
                                       {"spanId", 2, kHex},
                                       {"traceState", 3, kString},
                                       Messages("attributes", 4, kKeyValue),
                                       {"droppedAttributesCount", 5, kUint32},
                                       {"flags", 6, kFixed32}};
constexpr MessageSchema kLink{kLinkFields};
constexpr FieldSchema kStatusFields[] = {{"message", 2, kString}, Enum("code", 3, kStatusCodes)};
constexpr MessageSchema kStatus{kStatusFields};
constexpr FieldSchema kSpanFields[] = {{"traceId", 1, kHex},
                                       {"spanId", 2, kHex},
                                       {"traceState", 3, kString},
                                       {"parentSpanId", 4, kHex},
                                       {"name", 5, kString},
                                       Enum("kind", 6, kSpanKinds),
                                       {"startTimeUnixNano", 7, kFixed64},
                                       {"endTimeUnixNano", 8, kFixed64},
                                       Messages("attributes", 9, kKeyValue),
                                       {"droppedAttributesCount", 10, kUint32},
                                       Messages("events", 11, kEvent),
                                       {"droppedEventsCount", 12, kUint32},
                                       Messages("links", 13, kLink),
                                       {"droppedLinksCount", 14, kUint32},
                                       Message("status", 15, kStatus),
                                       {"flags", 16, kFixed32}};
constexpr MessageSchema kSpan{kSpanFields};
constexpr FieldSchema kScopeSpansFields[] = {
    Message("scope", 1, kScope),
    Message("instrumentationLibrary", 1, kScope),  // before 0.16
    Messages("spans", 2, kSpan),
    {"schemaUrl", 3, kString}};
constexpr MessageSchema kScopeSpans{kScopeSpansFields};
constexpr FieldSchema kResourceSpansFields[] = {
    Message("resource", 1, kResource),
    Messages("scopeSpans", 2, kScopeSpans),
    // before 0.16, and in what Tempo answers
    Messages("instrumentationLibrarySpans", 2, kScopeSpans),
    {"schemaUrl", 3, kString}};
constexpr MessageSchema kResourceSpans{kResourceSpansFields};
constexpr FieldSchema kTracesFields[] = {Messages("resourceSpans", 1, kResourceSpans),
                                         Messages("batches", 1, kResourceSpans)};  // Tempo
constexpr MessageSchema kTraces{kTracesFields};

// --- metrics --------------------------------------------------------------------------------

constexpr EnumName kTemporalities[] = {{"AGGREGATION_TEMPORALITY_UNSPECIFIED", 0},
                                       {"AGGREGATION_TEMPORALITY_DELTA", 1},
                                       {"AGGREGATION_TEMPORALITY_CUMULATIVE", 2}};

constexpr FieldSchema kExemplarFields[] = {
    {"timeUnixNano", 2, kFixed64}, {"asDouble", 3, kDouble},
    {"spanId", 4, kHex},           {"traceId", 5, kHex},
    {"asInt", 6, kSFixed64},       Messages("filteredAttributes", 7, kKeyValue)};
constexpr MessageSchema kExemplar{kExemplarFields};
constexpr FieldSchema kNumberPointFields[] = {{"startTimeUnixNano", 2, kFixed64},
                                              {"timeUnixNano", 3, kFixed64},
                                              {"asDouble", 4, kDouble},
                                              Messages("exemplars", 5, kExemplar),
                                              {"asInt", 6, kSFixed64},
                                              Messages("attributes", 7, kKeyValue),
                                              {"flags", 8, kUint32}};
constexpr MessageSchema kNumberPoint{kNumberPointFields};
constexpr FieldSchema kHistogramPointFields[] = {{"startTimeUnixNano", 2, kFixed64},
                                                 {"timeUnixNano", 3, kFixed64},
                                                 {"count", 4, kFixed64},
                                                 {"sum", 5, kDouble},
                                                 Many({"bucketCounts", 6, kFixed64}),
                                                 Many({"explicitBounds", 7, kDouble}),
                                                 Messages("exemplars", 8, kExemplar),
                                                 Messages("attributes", 9, kKeyValue),
                                                 {"flags", 10, kUint32},
                                                 {"min", 11, kDouble},
                                                 {"max", 12, kDouble}};
constexpr MessageSchema kHistogramPoint{kHistogramPointFields};
constexpr FieldSchema kBucketsFields[] = {{"offset", 1, kSint32},
                                          Many({"bucketCounts", 2, kUint64})};
constexpr MessageSchema kBuckets{kBucketsFields};
constexpr FieldSchema kExponentialPointFields[] = {Messages("attributes", 1, kKeyValue),
                                                   {"startTimeUnixNano", 2, kFixed64},
                                                   {"timeUnixNano", 3, kFixed64},
                                                   {"count", 4, kFixed64},
                                                   {"sum", 5, kDouble},
                                                   {"scale", 6, kSint32},
                                                   {"zeroCount", 7, kFixed64},
                                                   Message("positive", 8, kBuckets),
                                                   Message("negative", 9, kBuckets),
                                                   {"flags", 10, kUint32},
                                                   Messages("exemplars", 11, kExemplar),
                                                   {"min", 12, kDouble},
                                                   {"max", 13, kDouble},
                                                   {"zeroThreshold", 14, kDouble}};
constexpr MessageSchema kExponentialPoint{kExponentialPointFields};
constexpr FieldSchema kQuantileFields[] = {{"quantile", 1, kDouble}, {"value", 2, kDouble}};
constexpr MessageSchema kQuantile{kQuantileFields};
constexpr FieldSchema kSummaryPointFields[] = {{"startTimeUnixNano", 2, kFixed64},
                                               {"timeUnixNano", 3, kFixed64},
                                               {"count", 4, kFixed64},
                                               {"sum", 5, kDouble},
                                               Messages("quantileValues", 6, kQuantile),
                                               Messages("attributes", 7, kKeyValue),
                                               {"flags", 8, kUint32}};
constexpr MessageSchema kSummaryPoint{kSummaryPointFields};

constexpr FieldSchema kGaugeFields[] = {Messages("dataPoints", 1, kNumberPoint)};
constexpr MessageSchema kGauge{kGaugeFields};
constexpr FieldSchema kSumFields[] = {Messages("dataPoints", 1, kNumberPoint),
                                      Enum("aggregationTemporality", 2, kTemporalities),
                                      {"isMonotonic", 3, kBool}};
constexpr MessageSchema kSum{kSumFields};
constexpr FieldSchema kHistogramFields[] = {Messages("dataPoints", 1, kHistogramPoint),
                                            Enum("aggregationTemporality", 2, kTemporalities)};
constexpr MessageSchema kHistogram{kHistogramFields};
constexpr FieldSchema kExponentialFields[] = {Messages("dataPoints", 1, kExponentialPoint),
                                              Enum("aggregationTemporality", 2, kTemporalities)};
constexpr MessageSchema kExponential{kExponentialFields};
constexpr FieldSchema kSummaryFields[] = {Messages("dataPoints", 1, kSummaryPoint)};
constexpr MessageSchema kSummary{kSummaryFields};
constexpr FieldSchema kMetricFields[] = {{"name", 1, kString},
                                         {"description", 2, kString},
                                         {"unit", 3, kString},
                                         Message("gauge", 5, kGauge),
                                         Message("sum", 7, kSum),
                                         Message("histogram", 9, kHistogram),
                                         Message("exponentialHistogram", 10, kExponential),
                                         Message("summary", 11, kSummary),
                                         Messages("metadata", 12, kKeyValue)};
constexpr MessageSchema kMetric{kMetricFields};
constexpr FieldSchema kScopeMetricsFields[] = {
    Message("scope", 1, kScope), Messages("metrics", 2, kMetric), {"schemaUrl", 3, kString}};
constexpr MessageSchema kScopeMetrics{kScopeMetricsFields};
constexpr FieldSchema kResourceMetricsFields[] = {Message("resource", 1, kResource),
                                                  Messages("scopeMetrics", 2, kScopeMetrics),
                                                  {"schemaUrl", 3, kString}};
constexpr MessageSchema kResourceMetrics{kResourceMetricsFields};
constexpr FieldSchema kMetricsFields[] = {Messages("resourceMetrics", 1, kResourceMetrics)};
constexpr MessageSchema kMetrics{kMetricsFields};

// --- logs -----------------------------------------------------------------------------------

constexpr EnumName kSeverities[] = {
    {"SEVERITY_NUMBER_UNSPECIFIED", 0}, {"SEVERITY_NUMBER_TRACE", 1},
    {"SEVERITY_NUMBER_TRACE2", 2},      {"SEVERITY_NUMBER_TRACE3", 3},
    {"SEVERITY_NUMBER_TRACE4", 4},      {"SEVERITY_NUMBER_DEBUG", 5},
    {"SEVERITY_NUMBER_DEBUG2", 6},      {"SEVERITY_NUMBER_DEBUG3", 7},
    {"SEVERITY_NUMBER_DEBUG4", 8},      {"SEVERITY_NUMBER_INFO", 9},
    {"SEVERITY_NUMBER_INFO2", 10},      {"SEVERITY_NUMBER_INFO3", 11},
    {"SEVERITY_NUMBER_INFO4", 12},      {"SEVERITY_NUMBER_WARN", 13},
    {"SEVERITY_NUMBER_WARN2", 14},      {"SEVERITY_NUMBER_WARN3", 15},
    {"SEVERITY_NUMBER_WARN4", 16},      {"SEVERITY_NUMBER_ERROR", 17},
    {"SEVERITY_NUMBER_ERROR2", 18},     {"SEVERITY_NUMBER_ERROR3", 19},
    {"SEVERITY_NUMBER_ERROR4", 20},     {"SEVERITY_NUMBER_FATAL", 21},
    {"SEVERITY_NUMBER_FATAL2", 22},     {"SEVERITY_NUMBER_FATAL3", 23},
    {"SEVERITY_NUMBER_FATAL4", 24}};
constexpr FieldSchema kLogRecordFields[] = {{"timeUnixNano", 1, kFixed64},
                                            Enum("severityNumber", 2, kSeverities),
                                            {"severityText", 3, kString},
                                            Message("body", 5, kAnyValue),
                                            Messages("attributes", 6, kKeyValue),
                                            {"droppedAttributesCount", 7, kUint32},
                                            {"flags", 8, kFixed32},
                                            {"traceId", 9, kHex},
                                            {"spanId", 10, kHex},
                                            {"observedTimeUnixNano", 11, kFixed64},
                                            {"eventName", 12, kString}};
constexpr MessageSchema kLogRecord{kLogRecordFields};
constexpr FieldSchema kScopeLogsFields[] = {
    Message("scope", 1, kScope), Messages("logRecords", 2, kLogRecord), {"schemaUrl", 3, kString}};
constexpr MessageSchema kScopeLogs{kScopeLogsFields};
constexpr FieldSchema kResourceLogsFields[] = {Message("resource", 1, kResource),
                                               Messages("scopeLogs", 2, kScopeLogs),
                                               {"schemaUrl", 3, kString}};
constexpr MessageSchema kResourceLogs{kResourceLogsFields};
constexpr FieldSchema kLogsFields[] = {Messages("resourceLogs", 1, kResourceLogs)};
constexpr MessageSchema kLogs{kLogsFields};

}  // namespace

const MessageSchema& RequestSchema(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return kTraces;
    case Signal::kMetrics:
      return kMetrics;
    case Signal::kLogs:
      return kLogs;
  }
  return kTraces;
}

const FieldSchema* FindField(const MessageSchema& message, std::string_view name) {
  const auto found = std::find_if(message.fields.begin(), message.fields.end(),
                                  [&](const FieldSchema& field) { return field.name == name; });
  return found == message.fields.end() ? nullptr : &*found;
}

}  // namespace tracekeeper::otlp
