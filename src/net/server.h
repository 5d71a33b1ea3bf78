#pragma once
// Server is the port for serving HTTP, plain or over TLS. Two adapters, each speaking one protocol
// on its port: MakeBeastServer HTTP/1.1 (webhook, health, metrics, status, OTLP), MakeHttp2Server
// HTTP/2 (gRPC), without TLS by prior knowledge. Limits and deadlines: server_limits.h.
//
// Threads:  Start and Stop from the owner's thread. The handler is called from the server's own
//           worker threads, several at once; it must not block for long.
// Owner:    the program's wiring; the handler outlives the server.
// Failure:  Start fails with a sentence when the address is taken. A peer that breaks a limit is
//           answered 408, 413 or 431 where that is still possible, then cut; it never costs more
//           than its connection. Over HTTP/2 a request costs its stream first, and the connection
//           only when the peer goes on (GOAWAY, ENHANCE_YOUR_CALM).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "src/base/log.h"
#include "src/base/result.h"
#include "src/net/http.h"
#include "src/net/server_limits.h"

namespace tracekeeper::crypto {
class ServerTlsSource;
}  // namespace tracekeeper::crypto

namespace tracekeeper::net {

using Handler = std::function<Response(const Request&)>;

struct ServerOptions {
  std::string name = "server";        // in logs: "webhook"
  std::string address = "127.0.0.1";  // "::" listens on IPv6 and IPv4
  std::uint16_t port = 0;             // 0 takes a free one
  unsigned threads = 1;
  ServerLimits limits;
  /// Null serves plain HTTP. Otherwise every new connection asks it for the current certificate,
  /// so a swap needs no restart and no open connection is cut.
  std::shared_ptr<crypto::ServerTlsSource> tls;
};

class Server {
 public:
  virtual ~Server() = default;  // stops
  virtual Status Start() = 0;
  /// Stops accepting, answers what is in flight (with Connection: close, or after a GOAWAY), then
  /// closes.
  virtual void Stop() = 0;
  /// The port listened on; valid after Start.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual std::size_t open_connections() const = 0;
};

std::unique_ptr<Server> MakeBeastServer(ServerOptions options, Handler handler, const Logger& log);
std::unique_ptr<Server> MakeHttp2Server(ServerOptions options, Handler handler, const Logger& log);

}  // namespace tracekeeper::net
