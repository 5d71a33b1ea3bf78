#include "tests/src/otlp/protobuf_oracle.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <list>
#include <memory>
#include <vector>

#include "src/otlp/telemetry_scanner.h"

namespace tracekeeper::otlp {
namespace {

namespace pb = google::protobuf;

// opentelemetry-proto v1.9.0 as far as the scanner reads it. Texts are bytes here: that a text must
// be UTF-8 is the backend's to judge.
constexpr std::string_view kProto = R"(
syntax = "proto3";
message AnyValue {
  oneof value {
    bytes string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { bytes key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { bytes name = 1; bytes version = 2; }
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Event { fixed64 time = 1; bytes name = 2; repeated KeyValue attributes = 3; }
message SpanStatus { bytes message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes trace_state = 3; bytes parent_span_id = 4;
  bytes name = 5; int32 kind = 6; fixed64 start = 7; fixed64 end = 8;
  repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13;
  SpanStatus status = 15; fixed32 flags = 16;
}
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopes = 2; }
message Traces { repeated ResourceSpans resources = 1; }
message LogRecord {
  fixed64 time = 1; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed = 11;
}
message ScopeLogs { Scope scope = 1; repeated LogRecord records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopes = 2; }
message Logs { repeated ResourceLogs resources = 1; }
)";

class Schema {
 public:
  Schema() {
    pb::io::ArrayInputStream text(kProto.data(), static_cast<int>(kProto.size()));
    pb::io::Tokenizer tokens(&text, nullptr);
    pb::compiler::Parser parser;
    pb::FileDescriptorProto file;
    file.set_name("otlp.proto");
    if (!parser.Parse(&tokens, &file) || pool_.BuildFile(file) == nullptr) std::abort();
  }
  std::unique_ptr<pb::Message> Make(const char* name) {
    return std::unique_ptr<pb::Message>(
        factory_.GetPrototype(pool_.FindMessageTypeByName(name))->New());
  }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
};

/// One message by the names of its fields.
class View {
 public:
  explicit View(const pb::Message& message) : message_(&message) {}

  [[nodiscard]] std::string_view Bytes(const char* name) const {
    return message_->GetReflection()->GetStringReference(*message_, Field(name), &scratch_);
  }
  [[nodiscard]] std::uint64_t Fixed64(const char* name) const {
    return message_->GetReflection()->GetUInt64(*message_, Field(name));
  }
  [[nodiscard]] std::uint32_t Fixed32(const char* name) const {
    return message_->GetReflection()->GetUInt32(*message_, Field(name));
  }
  [[nodiscard]] std::int32_t Int32(const char* name) const {
    return message_->GetReflection()->GetInt32(*message_, Field(name));
  }
  [[nodiscard]] View One(const char* name) const {
    return View(message_->GetReflection()->GetMessage(*message_, Field(name)));
  }
  [[nodiscard]] std::vector<View> All(const char* name) const {
    std::vector<View> result;
    const pb::Reflection& reflection = *message_->GetReflection();
    const int count = reflection.FieldSize(*message_, Field(name));
    result.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      result.emplace_back(reflection.GetRepeatedMessage(*message_, Field(name), i));
    }
    return result;
  }

 private:
  [[nodiscard]] const pb::FieldDescriptor* Field(const char* name) const {
    return message_->GetDescriptor()->FindFieldByName(name);
  }
  const pb::Message* message_;
  mutable std::string scratch_;
};

/// The text of the last attribute of one of `keys`; with kFirst, of the first that is not empty.
enum class Which { kFirst, kLast };
std::string_view Find(const View& owner, std::initializer_list<std::string_view> keys,
                      Which which = Which::kLast) {
  std::string_view found;
  for (const View& attribute : owner.All("attributes")) {
    if (std::find(keys.begin(), keys.end(), attribute.Bytes("key")) == keys.end()) continue;
    if (which == Which::kFirst && !found.empty()) continue;
    found = attribute.One("value").Bytes("string_value");
  }
  return found;
}

bool HasPrefix(const View& owner, std::initializer_list<std::string_view> prefixes) {
  for (const View& attribute : owner.All("attributes")) {
    for (const std::string_view prefix : prefixes) {
      if (attribute.Bytes("key").starts_with(prefix)) return true;
    }
  }
  return false;
}
bool Has(const View& owner, std::initializer_list<std::string_view> keys) {
  for (const View& attribute : owner.All("attributes")) {
    for (const std::string_view key : keys) {
      if (attribute.Bytes("key") == key) return true;
    }
  }
  return false;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
  }
  return hex;
}

std::string Describe(const ResourceFields& resource) {
  return fmt::format("resource {} {} {} {} {} {} {} {}\n", Hex(resource.service),
                     Hex(resource.instance), Hex(resource.pod_uid), Hex(resource.pod_name),
                     Hex(resource.pod_namespace), Hex(resource.host), Hex(resource.policy),
                     resource.is_job);
}

std::string Describe(const SpanFields& span) {
  std::string text = fmt::format(
      "span {} {} {} {} {} {} {} {} {} {} {} {} {} {} peer {} {} {} {} {} {} {} {} {}",
      Hex(span.trace_id), Hex(span.span_id), Hex(span.parent_span_id), Hex(span.tracestate),
      Hex(span.name), span.flags, static_cast<int>(span.kind), static_cast<int>(span.status),
      span.start_nanoseconds, span.end_nanoseconds, Hex(span.status_message), Hex(span.error_type),
      Hex(span.exception_message), Hex(span.user_agent), Hex(span.peer.service),
      Hex(span.peer.address), Hex(span.peer.http_method), Hex(span.peer.rpc_service),
      Hex(span.peer.rpc_method), Hex(span.peer.messaging_operation), span.peer.is_database,
      span.peer.is_messaging, span.peer.is_rpc);
  for (const LinkFields& link : span.links) {
    text += fmt::format(" link {} {}", Hex(link.trace_id), Hex(link.span_id));
  }
  return text + "\n";
}

std::string Describe(const LogFields& log) {
  return fmt::format("log {} {} {} {}\n", Hex(log.trace_id), Hex(log.span_id), log.flags,
                     log.time_nanoseconds);
}

ResourceFields ResourceOf(const View& resource) {
  ResourceFields fields{.service = Find(resource, {"service.name"}),
                        .instance = Find(resource, {"service.instance.id"}),
                        .pod_uid = Find(resource, {"k8s.pod.uid"}),
                        .pod_name = Find(resource, {"k8s.pod.name"}),
                        .pod_namespace = Find(resource, {"k8s.namespace.name"}),
                        .host = Find(resource, {"host.id"}),
                        .policy = Find(resource, {"tracekeeper.policy"}),
                        .is_job = Has(resource, {"k8s.cronjob.name", "k8s.job.name", "faas.name"})};
  if (fields.host.empty()) {
    fields.host = Find(resource, {"host.name", "k8s.node.name"}, Which::kFirst);
  }
  return fields;
}

SpanFields SpanOf(const View& span, std::vector<LinkFields>& links) {
  SpanFields fields{.trace_id = span.Bytes("trace_id"),
                    .span_id = span.Bytes("span_id"),
                    .parent_span_id = span.Bytes("parent_span_id"),
                    .tracestate = span.Bytes("trace_state"),
                    .name = span.Bytes("name"),
                    .flags = span.Fixed32("flags"),
                    .start_nanoseconds = span.Fixed64("start"),
                    .end_nanoseconds = span.Fixed64("end")};
  if (const int kind = span.Int32("kind"); kind >= 0 && kind <= 5) {
    fields.kind = static_cast<SpanKind>(kind);
  }
  if (const int code = span.One("status").Int32("code"); code >= 0 && code <= 2) {
    fields.status = static_cast<SpanStatus>(code);
  }
  fields.status_message = span.One("status").Bytes("message");
  fields.error_type = Find(span, {"error.type"});
  fields.user_agent = Find(span, {"user_agent.original", "http.user_agent"});
  for (const View& event : span.All("events")) {
    if (Has(event, {"exception.message"})) {
      fields.exception_message = Find(event, {"exception.message"});
    }
  }
  fields.peer.service = Find(span, {"peer.service"});
  fields.peer.address = Find(span, {"server.address"});
  if (fields.peer.address.empty()) {
    fields.peer.address = Find(span, {"net.peer.name"}, Which::kFirst);
  }
  fields.peer.http_method = Find(span, {"http.request.method", "http.method"});
  fields.peer.rpc_service = Find(span, {"rpc.service"});
  fields.peer.rpc_method = Find(span, {"rpc.method"});
  for (const char* name :
       {"messaging.operation.type", "messaging.operation.name", "messaging.operation"}) {
    std::string_view& operation = fields.peer.messaging_operation;
    if (operation.empty()) operation = Find(span, {name});
  }
  fields.peer.is_database = HasPrefix(span, {"db.", "cassandra."}) || Has(span, {"sql.query"});
  fields.peer.is_messaging = HasPrefix(span, {"messaging."});
  fields.peer.is_rpc = HasPrefix(span, {"rpc."});
  links.clear();
  for (const View& link : span.All("links")) {
    links.push_back({link.Bytes("trace_id"), link.Bytes("span_id")});
  }
  fields.links = links;
  return fields;
}

struct Writer {
  std::string text;
  void OnResource(const ResourceFields& resource) { text += Describe(resource); }
  void OnScope(std::string_view name) { text += fmt::format("scope {}\n", Hex(name)); }
  void OnSpan(const SpanFields& span) { text += Describe(span); }
  void OnLog(const LogFields& log) { text += Describe(log); }
};

}  // namespace

std::optional<OracleAnswer> AskProtobuf(Signal signal, std::string_view request) {
  static Schema schema;
  const bool is_traces = signal == Signal::kTraces;
  const auto message = schema.Make(is_traces ? "Traces" : "Logs");
  if (!message->ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return std::nullopt;
  }
  Writer writer;
  std::vector<LinkFields> links;
  for (const View& resource : View(*message).All("resources")) {
    writer.OnResource(ResourceOf(resource.One("resource")));
    for (const View& scope : resource.All("scopes")) {
      writer.OnScope(scope.One("scope").Bytes("name"));
      if (is_traces) {
        for (const View& span : scope.All("spans")) writer.OnSpan(SpanOf(span, links));
        continue;
      }
      for (const View& log : scope.All("records")) {
        const std::uint64_t time = log.Fixed64("time");
        writer.OnLog({.trace_id = log.Bytes("trace_id"),
                      .span_id = log.Bytes("span_id"),
                      .flags = log.Fixed32("flags"),
                      .time_nanoseconds = time != 0 ? time : log.Fixed64("observed")});
      }
    }
  }
  message->DiscardUnknownFields();  // groups among them, which the scanner refuses
  return OracleAnswer{std::move(writer.text), message->SerializeAsString()};
}

std::optional<std::string> AskScanner(Signal signal, std::string_view request) {
  TelemetryScanner scanner;
  Writer writer;
  const Status status = signal == Signal::kTraces ? scanner.ScanTraces(request, writer)
                                                  : scanner.ScanLogs(request, writer);
  if (!status) return std::nullopt;
  return std::move(writer.text);
}

}  // namespace tracekeeper::otlp
