#pragma once
// How the simulated services reach each other: requests over HTTP and gRPC with their client and
// server libraries and the proxies between them, databases and others that record nothing.
//
// Threads:  one thread.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tests/truth/simulation_runtime.h"

namespace tracekeeper::truth {

/// What goes over the wire. The headers are all that programs see; the rest is what the simulation
/// knows of whose they are.
struct Wire {
  Headers headers;
  SpanIndex sender = kNoSpan;
  Journey* journey = nullptr;
  Moment deadline = kNever;
  bool context_lost = false;
  /// A scope that the serving thread never closed: it wins over the headers.
  std::optional<Context> open_scope = std::nullopt;
};

/// Where the gateway's source of ids takes a new trace id from, if it is there: 32 digits.
inline constexpr std::string_view kCorrelationHeader = "x-correlation-id";

struct CallSpec {
  ServiceName callee = ServiceName::kFrontend;
  std::string method = "GET";  // of HTTP, or of the gRPC service
  std::string route;           // of HTTP
  std::string grpc_service;    // empty: HTTP
  bool names_peer = false;     // the client has peer.service configured
  Moment timeout = 3 * kSecond;
};

enum class Outcome { kDone, kFailed };

/// What the callee does for a request, in its own time.
using Handler = std::function<void(Thread&, const Context&)>;

class Network {
 public:
  explicit Network(Runtime& runtime) : runtime_(runtime) {}

  /// Calls, and once again where that failed.
  Outcome Call(Thread& caller, const Context& context, const CallSpec& spec,
               const Handler& handler);
  Outcome CallOnce(Thread& caller, const Context& context, const CallSpec& spec,
                   const Handler& handler);

  /// A request comes in at `server`: its SERVER span from start to end. Ends with its outcome.
  struct Served {
    Context span;
    Outcome outcome = Outcome::kDone;
  };
  Served Serve(Thread& server, const Wire& wire, const CallSpec& spec, std::string_view user_agent,
               const Handler& handler);

  /// The instance that a request goes to.
  std::size_t Route(ServiceName callee, const Context& context);

  /// What a server library makes of headers: the context that holds the remote span.
  Context Extract(const Thread& server, const Wire& wire) const;

  void Query(Thread& thread, const Context& context, std::string_view statement);
  void Cache(Thread& thread, const Context& context, std::string_view command);
  /// A third party's API, by a client library that wraps the HTTP client: two CLIENT spans.
  void ThirdParty(Thread& thread, const Context& context, std::string_view operation);

 private:
  Wire Send(const Thread& caller, const Context& client, const CallSpec& spec);
  Loss Refusal(const Thread& server, const Context& context);
  SpanSpec ClientSpan(const Thread& caller, const CallSpec& spec) const;
  SpanSpec ServerSpan(const Thread& server, const CallSpec& spec,
                      std::string_view user_agent) const;

  Runtime& runtime_;
};

}  // namespace tracekeeper::truth
