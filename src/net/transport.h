#pragma once
// Transport is the port for HTTP calls to one server. Two adapters: CpprestTransport for unary
// calls, BeastTransport for calls that carry secret bytes and for long streams; ScriptedTransport
// in the tests. Wiring decides which one a client gets.
//
// Threads:  all methods are safe from any thread and block their caller until the call is over.
// Owner:    the client's wiring; destroyed after the last call has returned.
// Failure:  a response of any status is a success here; errors are kTimeout, kCancelled (stop was
//           asked for), kUnavailable (connection, name, TLS), kDecode (not HTTP, or over a cap).
//           After kTimeout or kUnavailable the server may still have acted.
//           Redirects are never followed, proxies in the environment never used.

#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/http.h"

namespace tracekeeper::net {

/// Error::reason of a kUnavailable: the server's certificate was the reason, so asking again
/// without another list of authorities is of no use.
inline constexpr std::string_view kCertificateRefused = "certificate_refused";

struct CallOptions {
  /// For the whole call from connecting to the last byte; for streams, for the head only.
  Duration deadline = std::chrono::seconds(30);
  /// Streams: longest silence between two reads before the path counts as dead.
  Duration idle = std::chrono::seconds(330);
  /// Unary calls: a longer body is kDecode.
  std::size_t body_limit = 64U << 20U;
};

/// Takes a response as it arrives. Called on the thread that called Stream().
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  /// Once, before the first byte. An error ends the stream with that error.
  virtual Status OnHead(int status, const Headers& headers) = 0;
  /// The next bytes of the body, in whatever cuts the network made. Blocking here stops the
  /// reading (back-pressure); an error ends the stream with that error.
  virtual Status OnBytes(std::string_view bytes) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual Result<Response> Send(const Request& request, const CallOptions& options,
                                const StopToken& stop) = 0;

  /// Streams a response into `sink`. Returns when the server ended the body cleanly.
  virtual Status Stream(const Request& request, StreamSink& sink, const CallOptions& options,
                        const StopToken& stop) = 0;
};

}  // namespace tracekeeper::net
