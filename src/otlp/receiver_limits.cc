#include "src/otlp/receiver_limits.h"

namespace tracekeeper::otlp {

net::ServerLimits BulkServerLimits() {
  net::ServerLimits limits;
  limits.body_bytes = kBulkLimits.request_bytes;
  limits.body_deadline = std::chrono::seconds(30);  // 64 MiB through 18 Mbit/s
  // Exporters of metrics come once a minute; a connection closed at that moment costs them an
  // error.
  limits.idle_deadline = std::chrono::minutes(10);
  limits.connections = 4096;
  limits.arriving_bytes = 4 * kBulkLimits.request_bytes;
  limits.kept_body_bytes = 16U << 20U;
  return limits;
}

}  // namespace tracekeeper::otlp
