#pragma once
// Exporter is the port through which a relay delivers: one destination, one protocol, one set of
// TLS settings and headers, immutable once made. Another configuration is another Exporter.
//
// Threads:  all methods are safe from any thread; Export blocks its caller until the answer.
// Owner:    shared by the relay and by each attempt under way, so replacing one cuts none.
// Failure:  an Answer, whatever happened; the retry policy judges it.

#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/compression.h"
#include "src/net/http.h"
#include "src/otlp/answer.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

/// What authenticates a request. Asked before every attempt, so a renewed credential is used at
/// the next one.
class RequestCredential {
 public:
  virtual ~RequestCredential() = default;
  /// Adds its header. An error means that there is no credential to send.
  virtual Status AddTo(net::Headers& headers) = 0;
};

class Exporter {
 public:
  virtual ~Exporter() = default;

  /// One attempt. `body` is compressed as compression() says; it is the caller's again afterwards,
  /// unchanged.
  virtual Answer Export(Signal signal, std::string& body, const StopToken& stop) = 0;

  [[nodiscard]] virtual codec::Compression compression() const = 0;
  /// For logs and /status: "grpc https://collector:4317", without user information.
  [[nodiscard]] virtual const std::string& destination() const = 0;
};

}  // namespace tracekeeper::otlp
