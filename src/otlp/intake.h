#pragma once
// Intake is what stands behind the receivers: they read OTLP from the network, it takes the
// requests. The relay is one, whatever analyzes spans another.
//
// Threads:  called from the receivers' own threads, several at once. It must not block for long:
// the
//           thread has other peers to serve.
// Owner:    the program's wiring; outlives its receivers.
// Failure:  a Refusal says why a request was not taken, in a sentence that its sender gets to read.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/grpc.h"
#include "src/otlp/export_response.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

/// How telemetry came in; NameOf is the metric label.
enum class Ingress : std::uint8_t { kGrpc, kHttpProtobuf, kHttpJson };
inline constexpr std::array kIngresses = {Ingress::kGrpc, Ingress::kHttpProtobuf,
                                          Ingress::kHttpJson};
std::string_view NameOf(Ingress ingress);

/// Why a request was answered with an error, so that nothing of it was accepted.
enum class RefuseReason : std::uint8_t {
  kMalformed,    // not what its Content-Type says, or no OTLP
  kUnsupported,  // another encoding, type or path
  kTooLarge,     // over the limits of one request
  kQueueFull,    // no room now
  kDraining,     // the program is ending
};
inline constexpr std::array kRefuseReasons = {RefuseReason::kMalformed, RefuseReason::kUnsupported,
                                              RefuseReason::kTooLarge, RefuseReason::kQueueFull,
                                              RefuseReason::kDraining};
std::string_view NameOf(RefuseReason reason);

/// What the two protocols answer for it.
net::GrpcCode GrpcCodeOf(RefuseReason reason);
int HttpStatusOf(RefuseReason reason);

/// Why a request was not taken. Nothing of it was.
struct Refusal {
  RefuseReason reason;
  std::string sentence;
  /// For those that may come again.
  std::optional<Duration> retry_after;
};

/// A request that was taken: as a whole, or but for what its PartialSuccess counts.
using Accepted = tl::expected<PartialSuccess, Refusal>;

class Intake {
 public:
  virtual ~Intake() = default;

  /// `request` is one Export...ServiceRequest in protobuf, unchecked; it lives until the return.
  /// Counts what it refuses.
  virtual Accepted Accept(Signal signal, Ingress ingress, std::string_view request) = 0;
  /// For what is refused before it is a request.
  virtual void CountRefused(RefuseReason reason) = 0;
};

}  // namespace tracekeeper::otlp
