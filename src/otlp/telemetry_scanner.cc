#include "src/otlp/telemetry_scanner.h"

#include "src/otlp/attribute_scan.h"
#include "src/otlp/wire_scan.h"

namespace tracekeeper::otlp {
namespace {

using wire::ForEachField;
using wire::kBytes;
using wire::kFixed32;
using wire::kFixed64;
using wire::ReadBytes;
using wire::ReadFixed;
using wire::SkipField;
using wire::Tag;

constexpr int kResourceAttribute = 3;  // how deep it lies below its request

/// `host_name`: what counts only where there is no id.
void NoteResource(const Attribute& attribute, ResourceFields& resource,
                  std::string_view& host_name) {
  const std::string_view key = attribute.key;
  if (key == "service.name") {
    resource.service = attribute.text;
  } else if (key == "service.instance.id") {
    resource.instance = attribute.text;
  } else if (key == "k8s.pod.uid") {
    resource.pod_uid = attribute.text;
  } else if (key == "k8s.pod.name") {
    resource.pod_name = attribute.text;
  } else if (key == "k8s.namespace.name") {
    resource.pod_namespace = attribute.text;
  } else if (key == "tracekeeper.policy") {
    resource.policy = attribute.text;
  } else if (key == "host.id") {
    resource.host = attribute.text;
  } else if (key == "host.name" || key == "k8s.node.name") {
    if (host_name.empty()) host_name = attribute.text;
  } else if (key == "k8s.cronjob.name" || key == "k8s.job.name" || key == "faas.name") {
    resource.is_job = true;
  }
}

/// A submessage at `at`, given to `read`.
template <typename Read>
const char* ReadMessage(const char* at, const char* end, Read read) {
  std::string_view body;
  at = ReadBytes(at, end, body);
  return at != nullptr && read(body) ? at : nullptr;
}

}  // namespace

bool TelemetryScanner::ReadResource(std::string_view body, const char* readable_end,
                                    ResourceFields& resource) {
  std::string_view host_name;
  const auto read = [&](std::string_view key_value) {
    Attribute attribute;
    if (!ReadAttribute(key_value, kResourceAttribute, attribute)) return false;
    NoteResource(attribute, resource, host_name);
    return true;
  };
  const char* at = body.data();
  const char* const end = at + body.size();
  const char* const plain_end = PlainEnd(body, readable_end);
  while (at != end) {
    Attribute attribute;
    const char* next = nullptr;
    if (at < plain_end) next = ReadPlainAttribute<Tag(1, kBytes)>(at, plain_end, attribute);
    if (next != nullptr) {
      NoteResource(attribute, resource, host_name);
    } else {
      std::uint32_t tag = 0;
      next = wire::ReadTag(at, end, tag);
      if (next == nullptr) return false;
      next = tag == Tag(1, kBytes) ? ReadMessage(next, end, read) : SkipField(next, end, tag);
      if (next == nullptr) return false;
    }
    at = next;
  }
  if (resource.host.empty()) resource.host = host_name;
  return true;
}

bool TelemetryScanner::ReadScope(std::string_view body, std::string_view& name) {
  return ForEachField(body, [&name](std::uint32_t tag, const char* at, const char* end) {
    return tag == Tag(1, kBytes) ? ReadBytes(at, end, name) : SkipField(at, end, tag);
  });
}

bool TelemetryScanner::ReadLog(std::string_view body, LogFields& log) {
  std::uint64_t observed = 0;
  const bool is_whole = ForEachField(body, [&](std::uint32_t tag, const char* at, const char* end) {
    switch (tag) {
      case Tag(1, kFixed64):
        return ReadFixed(at, end, log.time_nanoseconds);
      case Tag(8, kFixed32):
        return ReadFixed(at, end, log.flags);
      case Tag(9, kBytes):
        return ReadBytes(at, end, log.trace_id);
      case Tag(10, kBytes):
        return ReadBytes(at, end, log.span_id);
      case Tag(11, kFixed64):
        return ReadFixed(at, end, observed);
      default:
        return SkipField(at, end, tag);
    }
  });
  if (log.time_nanoseconds == 0) log.time_nanoseconds = observed;
  return is_whole;
}

}  // namespace tracekeeper::otlp
