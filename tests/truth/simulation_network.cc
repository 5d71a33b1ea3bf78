#include "tests/truth/simulation_network.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tracekeeper::truth {
namespace {

constexpr double kSlowQuery = 0.001;

Moment Latency(Random& random) { return random.Skewed(150 * kMicrosecond, 2 * kMillisecond); }

/// Those of a root whose trace id is a correlation id.
SpanContext IdsOf(std::string_view correlation, Random& random) {
  Headers headers;
  headers["traceparent"] = "00-" + std::string(correlation) + "-0000000000000001-01";
  SpanContext ids = ExtractW3c(headers);
  ids.span = random.Next() | 1U;
  ids.flags = 0;
  return ids;
}

}  // namespace

SpanSpec Network::ClientSpan(const Thread& caller, const CallSpec& spec) const {
  const Service& service = runtime_.ServiceOf(caller);
  const Service& callee = runtime_.topology().Of(spec.callee);
  const bool old_names = service.convention == Convention::kOld;
  SpanSpec span{.name = spec.method, .kind = kClient, .scope = service.client_scope};
  if (!spec.grpc_service.empty()) {
    span.name = spec.grpc_service + "/" + spec.method;
    span.attributes = {
        {"rpc.system", "grpc"}, {"rpc.service", spec.grpc_service}, {"rpc.method", spec.method}};
  } else if (old_names) {
    span.attributes = {{"http.method", spec.method},
                       {"http.url", "http://" + callee.address + ":8080" + spec.route}};
  } else {
    span.attributes = {{"http.request.method", spec.method},
                       {"url.full", "http://" + callee.address + ":8080" + spec.route},
                       {"server.port", "8080"}};
  }
  span.attributes.emplace_back(old_names ? "net.peer.name" : "server.address", callee.address);
  if (spec.names_peer) {
    span.attributes.emplace_back("peer.service", callee.name);
  }
  return span;
}

SpanSpec Network::ServerSpan(const Thread& server, const CallSpec& spec,
                             std::string_view user_agent) const {
  const Service& service = runtime_.ServiceOf(server);
  SpanSpec span{.name = spec.method + " " + spec.route,
                .kind = kServer,
                .scope = service.server_scope,
                .entry = true};
  if (!spec.grpc_service.empty()) {
    span.name = spec.grpc_service + "/" + spec.method;
    span.attributes = {
        {"rpc.system", "grpc"}, {"rpc.service", spec.grpc_service}, {"rpc.method", spec.method}};
    return span;
  }
  if (service.convention == Convention::kOld) {
    span.attributes = {{"http.method", spec.method},
                       {"http.route", spec.route},
                       {"http.target", spec.route},
                       {"http.user_agent", std::string(user_agent)}};
    return span;
  }
  span.attributes = {{"http.request.method", spec.method},
                     {"http.route", spec.route},
                     {"url.path", spec.route},
                     {"user_agent.original", std::string(user_agent)}};
  return span;
}

Wire Network::Send(const Thread& caller, const Context& client, const CallSpec& spec) {
  Wire wire;
  wire.sender = client.record;
  wire.journey = client.journey;
  wire.deadline = client.deadline == kNever ? kNever : client.deadline + kMillisecond;
  if (runtime_.Strikes(Fault::kHeaderNotInjected, client)) {
    wire.context_lost = true;
    return wire;
  }
  const bool to_inventory = spec.callee == ServiceName::kInventory;
  if (to_inventory && runtime_.Strikes(Fault::kTruncatedId, client)) {
    InjectB3(client.span, B3Width::k64, wire.headers);
    return wire;
  }
  if (to_inventory && runtime_.options().shared_span_ids) {
    InjectB3(client.span, B3Width::k128, wire.headers);
    return wire;
  }
  InjectW3c(client.span, wire.headers);
  if (runtime_.Strikes(Fault::kHeaderStripped, client)) {
    wire.headers.clear();
    wire.context_lost = true;
  } else if (!client.span.tracestate.empty() &&
             runtime_.Strikes(Fault::kTracestateDropped, client)) {
    wire.headers.erase("tracestate");
  }
  const Service& service = runtime_.ServiceOf(caller);
  if (service.name == "checkout" && runtime_.Strikes(Fault::kLeakedClient, client)) {
    runtime_.Leak(client, Loss::kNotEnded);
  }
  return wire;
}

Context Network::Extract(const Thread& server, const Wire& wire) const {
  Context context = wire.open_scope.value_or(Context{});
  context.journey = wire.journey;
  context.deadline = wire.deadline;
  if (wire.open_scope) {
    return context;
  }
  const bool b3 = runtime_.ServiceOf(server).name == "inventory" && wire.headers.contains("b3");
  context.span = b3 ? ExtractB3(wire.headers) : ExtractW3c(wire.headers);
  context.remote = context.span.valid();
  context.record = context.remote ? wire.sender : kNoSpan;
  return context;
}

Loss Network::Refusal(const Thread& server, const Context& context) {
  constexpr std::array<std::string_view, 3> kSamplers = {"payment", "inventory", "recommendation"};
  const std::string& service = runtime_.ServiceOf(server).name;
  if (std::find(kSamplers.begin(), kSamplers.end(), service) != kSamplers.end() &&
      runtime_.Strikes(Fault::kCalleeSamples, context)) {
    return Loss::kCalleeSampler;
  }
  if (service == "checkout" && ThresholdOf(context.span.tracestate) >= 0 &&
      runtime_.Strikes(Fault::kOwnSampler, context)) {
    return Loss::kOwnSampler;
  }
  return Loss::kNone;
}

Network::Served Network::Serve(Thread& server, const Wire& wire, const CallSpec& spec,
                               std::string_view user_agent, const Handler& handler) {
  const Context incoming = Extract(server, wire);
  SpanSpec span = ServerSpan(server, spec, user_agent);
  if (incoming.remote) {
    span.refused = Refusal(server, incoming);
  }
  const bool b3 = wire.headers.contains("b3");
  const bool shared = b3 && incoming.span.trace_high != 0;
  if (shared) {
    span.ids = incoming.span;
  }
  if (const auto correlation = wire.headers.find(std::string(kCorrelationHeader));
      correlation != wire.headers.end() && !incoming.span.valid()) {
    span.ids = IdsOf(correlation->second, runtime_.random());
  }
  Served served{runtime_.Start(server, incoming, std::move(span))};
  if (served.span.record != kNoSpan) {
    runtime_.RecordOf(served.span.record).shared = shared;
  }
  if (b3 && !shared) {
    runtime_.Plant("truncated_id", served.span);
  }
  runtime_.Work(server, served.span, 100 * kMicrosecond, kMillisecond);
  if (runtime_.random().Chance(runtime_.options().failure_share)) {
    runtime_.Set(served.span, "http.response.status_code", "503");
    runtime_.Fail(served.span, "", "503");
    served.outcome = Outcome::kFailed;
  } else {
    handler(server, served.span);
  }
  runtime_.End(server, served.span);
  return served;
}

std::size_t Network::Route(ServiceName callee, const Context& context) {
  const std::size_t canary = runtime_.topology().canaries[static_cast<std::size_t>(callee)];
  if (canary != Topology::kNone && runtime_.Strikes(Fault::kCallerNotExporting, context)) {
    return canary;
  }
  return runtime_.PickInstance(callee);
}

Outcome Network::CallOnce(Thread& caller, const Context& context, const CallSpec& spec,
                          const Handler& handler) {
  if (Runtime::Cancelled(caller, context)) {
    return Outcome::kFailed;
  }
  const Moment begin = caller.now;
  const Context client = runtime_.Start(caller, context, ClientSpan(caller, spec));
  if (runtime_.random().Chance(runtime_.options().failure_share)) {
    runtime_.Work(caller, client, kMillisecond, 5 * kMillisecond);
    runtime_.Fail(client, "connection refused", "ECONNREFUSED");
    runtime_.End(caller, client);
    return Outcome::kFailed;
  }
  const Wire wire = Send(caller, client, spec);
  Thread server{Route(spec.callee, client), caller.now + Latency(runtime_.random())};
  const Served served =
      Serve(server, wire, spec, runtime_.ServiceOf(caller).name + "/1.4", handler);
  runtime_.ledger().calls.push_back({client.record, served.span.record, wire.context_lost});

  caller.now = std::min(server.now + Latency(runtime_.random()), std::max(begin, client.deadline));
  Outcome outcome = served.outcome;
  if (caller.now > begin + spec.timeout) {
    caller.now = begin + spec.timeout;
    runtime_.Fail(client, "Read timed out", "java.net.SocketTimeoutException");
    outcome = Outcome::kFailed;
  } else if (outcome == Outcome::kFailed) {
    runtime_.Fail(client, "", "503");
  }
  runtime_.End(caller, client);
  return outcome;
}

Outcome Network::Call(Thread& caller, const Context& context, const CallSpec& spec,
                      const Handler& handler) {
  if (CallOnce(caller, context, spec, handler) == Outcome::kDone) {
    return Outcome::kDone;
  }
  runtime_.Work(caller, context, 20 * kMillisecond, 100 * kMillisecond);
  return CallOnce(caller, context, spec, handler);
}

void Network::Query(Thread& thread, const Context& context, std::string_view statement) {
  const Service& service = runtime_.ServiceOf(thread);
  SpanSpec span{.name = std::string(statement.substr(0, statement.find(' '))) + " shop",
                .kind = kClient,
                .scope = "database"};
  span.attributes = {{"db.system", "postgresql"},
                     {"db.statement", std::string(statement)},
                     {"server.address", "orders-db.shop.svc.cluster.local"}};
  if (service.names_itself_peer) {
    span.attributes.emplace_back("peer.service", service.name);
  }
  const Context query = runtime_.Start(thread, context, std::move(span));
  const bool slow = runtime_.random().Chance(kSlowQuery);
  runtime_.Work(thread, query, slow ? 4 * kSecond : kMillisecond,
                slow ? 6 * kSecond : 25 * kMillisecond);
  runtime_.End(thread, query);
}

void Network::Cache(Thread& thread, const Context& context, std::string_view command) {
  SpanSpec span{.name = std::string(command), .kind = kClient, .scope = "redis"};
  span.attributes = {{"db.system", "redis"}, {"server.address", "cache"}};
  const Context query = runtime_.Start(thread, context, std::move(span));
  runtime_.Work(thread, query, 200 * kMicrosecond, 2 * kMillisecond);
  runtime_.End(thread, query);
}

void Network::ThirdParty(Thread& thread, const Context& context, std::string_view operation) {
  SpanSpec outer{.name = std::string(operation), .kind = kClient, .scope = "bank-sdk"};
  outer.attributes = {{"rpc.system", "bank"}, {"server.address", "api.bank.example"}};
  const Context wrapper = runtime_.Start(thread, context, std::move(outer));
  SpanSpec inner{.name = "POST", .kind = kClient, .scope = runtime_.ServiceOf(thread).client_scope};
  inner.attributes = {{"http.request.method", "POST"},
                      {"url.full", "https://api.bank.example/v1/charges"},
                      {"server.address", "api.bank.example"}};
  const Context request = runtime_.Start(thread, wrapper, std::move(inner));
  runtime_.Work(thread, request, 30 * kMillisecond, 400 * kMillisecond);
  runtime_.End(thread, request);
  runtime_.Work(thread, wrapper, 50 * kMicrosecond, 300 * kMicrosecond);
  runtime_.End(thread, wrapper);
}

}  // namespace tracekeeper::truth
