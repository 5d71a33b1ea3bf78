#pragma once
// What the continuity engine reads of a span, a log record and the resource they come from, as
// views into the request: ids as they were sent, of whatever length, because a wrong id is a
// finding and no reason to look away.
//
// Threads:  values; views live as long as the request's bytes.
// Source:   opentelemetry-proto 1.x; attribute names of the semantic conventions, the old ones too.

#include <cstdint>
#include <span>
#include <string_view>

namespace tracekeeper::otlp {

enum class SpanKind : std::uint8_t {
  kUnspecified = 0,
  kInternal = 1,
  kServer = 2,
  kClient = 3,
  kProducer = 4,
  kConsumer = 5,
};

enum class SpanStatus : std::uint8_t { kUnset = 0, kOk = 1, kError = 2 };

/// Who sent it. Empty: not said.
struct ResourceFields {
  std::string_view service;        // service.name
  std::string_view instance;       // service.instance.id
  std::string_view pod_uid;        // k8s.pod.uid
  std::string_view pod_name;       // k8s.pod.name
  std::string_view pod_namespace;  // k8s.namespace.name
  std::string_view host;           // host.id, else host.name, else k8s.node.name
  std::string_view policy;         // tracekeeper.policy: "namespace/name"
  bool is_job = false;             // k8s.cronjob.name, k8s.job.name or faas.name is set
};

struct LinkFields {
  std::string_view trace_id;
  std::string_view span_id;
};

/// Whom a span talked to, and how, as far as its attributes say.
struct PeerFields {
  std::string_view service;      // peer.service
  std::string_view address;      // server.address, net.peer.name
  std::string_view http_method;  // http.request.method, http.method
  std::string_view rpc_service;  // rpc.service
  std::string_view rpc_method;   // rpc.method
  std::string_view
      messaging_operation;    // messaging.operation.type, else .name, else without either
  bool is_database = false;   // any of db.*, sql.query, cassandra.*
  bool is_messaging = false;  // any messaging.* attribute
  bool is_rpc = false;        // any rpc.* attribute
};

struct SpanFields {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_span_id;
  std::string_view tracestate;
  std::string_view name;
  std::uint32_t flags = 0;
  SpanKind kind = SpanKind::kUnspecified;
  SpanStatus status = SpanStatus::kUnset;
  std::uint64_t start_nanoseconds = 0;  // since 1970
  std::uint64_t end_nanoseconds = 0;
  PeerFields peer;
  std::string_view status_message;
  std::string_view error_type;         // error.type
  std::string_view exception_message;  // of its last exception event
  std::string_view user_agent;         // user_agent.original, http.user_agent
  std::span<const LinkFields> links;   // valid until the next span is scanned
};

struct LogFields {
  std::string_view trace_id;
  std::string_view span_id;
  std::uint32_t flags = 0;             // the 8 bits of W3C
  std::uint64_t time_nanoseconds = 0;  // observed time where it has none of its own
};

}  // namespace tracekeeper::otlp
