#pragma once
// Http2Client is the port for many calls at once to one server over one HTTP/2 connection: h2 over
// TLS (ALPN) for an https origin, h2c with prior knowledge for http. Made for gRPC's unary calls
// (grpc.h), but it knows nothing of them: a Request in, a Response with trailers out.
//
//   call --> waiting --> stream of the connection --> done, exactly once
//               ^               |
//               +---------------+  the server certainly did not act on it (GOAWAY, REFUSED_STREAM,
//                                  never sent): sent again here, while its deadline allows
//
// Connecting: with the first call, and with the next one after the connection ended, was renewed
// or grew older than connection_age; calls under way finish on the old one. There is no waiting
// between attempts: a failed one fails the calls that wait for it, and their owner backs off.
//
// TLS: authorities and certificate are asked for at every new connection. Renew() after a swap
// makes the next call use them; nothing under way is cut.
//
// Threads:  all methods are safe from any thread. Done functions run on the client's own thread,
//           which the first call starts: they must not block, and may call Start and Cancel.
// Owner:    the exporter's wiring. Destroying it fails what is under way with kCancelled first.
// Failure:  a response of any status is a success here; see Http2Failure for the rest.

#include <cstdint>
#include <functional>
#include <memory>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/http.h"
#include "src/net/transports.h"

namespace tracekeeper::net {

/// Whether a failed call may have had its effect: what decides if sending it again can double it.
enum class Delivery {
  kNotProcessed,  // the server cannot have seen it as a whole, or said that it did not act
  kUnknown,
};

/// kinds: kTimeout, kCancelled, kUnavailable (name, connection, TLS, reset), kDecode (not HTTP/2,
/// or over a limit), kInvalid (the request itself cannot be sent).
struct Http2Failure {
  Error error;
  Delivery delivery = Delivery::kUnknown;
};

using Http2Result = tl::expected<Response, Http2Failure>;

struct Http2CallOptions {
  /// For the whole call, waiting and connecting included.
  Duration deadline = std::chrono::seconds(10);
  /// A longer body is kDecode.
  std::size_t body_limit = 4U << 20U;
};

struct Http2ClientOptions {
  /// Whom to call and whom to trust. idle_connections has no meaning here.
  TransportOptions transport;
  /// With calls under way and nothing heard for so long, the server is asked for a sign of life
  /// (and again after twice as long, while it gives signs but no answers)...
  Duration keepalive_after = std::chrono::seconds(10);
  /// ...and the connection is given up when none comes.
  Duration keepalive_timeout = std::chrono::seconds(10);
  /// Calls waiting or under way; more are kUnavailable, kNotProcessed at once.
  std::size_t calls = 1000;
  /// Caps on what a server may send as header fields of one response, trailers included.
  std::size_t header_bytes = 32U << 10U;
};

class Http2Client {
 public:
  using CallId = std::uint64_t;
  using Done = std::function<void(Http2Result)>;

  virtual ~Http2Client() = default;

  /// `request` is shared, so that a caller who may send it again need not copy it. Header names are
  /// sent in lower case; Host, Connection and their like are left out; :authority is the origin's.
  virtual CallId Start(std::shared_ptr<const Request> request, const Http2CallOptions& options,
                       Done done) = 0;
  /// Ends a call with kCancelled, unless it is done already.
  virtual void Cancel(CallId call) = 0;
  /// The next call opens a new connection.
  virtual void Renew() = 0;

  /// Start, and wait for the end. Not from a Done function.
  Http2Result Send(const Request& request, const Http2CallOptions& options, const StopToken& stop);
};

/// Fails with kInvalid when the base URL cannot be used.
Result<std::unique_ptr<Http2Client>> MakeHttp2Client(Http2ClientOptions options);

}  // namespace tracekeeper::net
