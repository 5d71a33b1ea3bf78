#pragma once
// Propagation: which trace context formats a pod accepts and sends, and how its HTTP traffic passes
// the sidecar.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class Propagator { kTraceContext, kBaggage, kB3, kB3Multi, kJaeger, kXray, kDatadog };
enum class EgressMode { kNone, kForwardProxy, kRedirect };
enum class IngressMode { kNone, kReverseProxy, kRedirect };
enum class Heal { kOff, kUnambiguous };

consteval auto ValuesOf(Propagator) {
  using codec::EnumValue;
  return std::array{
      EnumValue{Propagator::kTraceContext, "tracecontext", "W3C traceparent and tracestate"},
      EnumValue{Propagator::kBaggage, "baggage", "W3C baggage"},
      EnumValue{Propagator::kB3, "b3", "Zipkin B3, one header"},
      EnumValue{Propagator::kB3Multi, "b3multi", "Zipkin B3, several headers"},
      EnumValue{Propagator::kJaeger, "jaeger", "uber-trace-id"},
      EnumValue{Propagator::kXray, "xray", "X-Amzn-Trace-Id"},
      EnumValue{Propagator::kDatadog, "datadog", "x-datadog-trace-id and its companions"},
  };
}

consteval auto ValuesOf(EgressMode) {
  using codec::EnumValue;
  return std::array{
      EnumValue{EgressMode::kNone, "None", "outgoing requests do not pass the sidecar"},
      EnumValue{EgressMode::kForwardProxy, "ForwardProxy",
                "HTTP_PROXY points the application at the sidecar"},
      EnumValue{EgressMode::kRedirect, "Redirect",
                "connections to `ports` are redirected in the pod's network; this needs NET_ADMIN, "
                "which namespaces at Pod Security baseline or restricted refuse"},
  };
}

consteval auto ValuesOf(IngressMode) {
  using codec::EnumValue;
  return std::array{
      EnumValue{IngressMode::kNone, "None", "incoming requests do not pass the sidecar"},
      EnumValue{IngressMode::kReverseProxy, "ReverseProxy",
                "the sidecar listens on `port` and passes requests on to `targetPort`"},
      EnumValue{IngressMode::kRedirect, "Redirect",
                "connections to `port` are redirected in the pod's network; this needs NET_ADMIN, "
                "which namespaces at Pod Security baseline or restricted refuse"},
  };
}

consteval auto ValuesOf(Heal) {
  using codec::EnumValue;
  return std::array{
      EnumValue{Heal::kOff, "Off", "requests keep the parent that the application gave them"},
      EnumValue{Heal::kUnambiguous, "Unambiguous",
                "an outgoing request without a usable parent becomes a child of the incoming one, "
                "when exactly one is open"},
  };
}

struct Egress {
  EgressMode mode = EgressMode::kNone;
  std::vector<std::int64_t> ports;  // Redirect: the destination ports that are redirected

  bool operator==(const Egress&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mode", &Egress::mode, {.doc = "How outgoing requests pass the sidecar."}),
        Field("ports", &Egress::ports,
              {.doc = "With Redirect: the destination ports whose connections are redirected.",
               .max_items = 64,
               .item_minimum = 1,
               .item_maximum = 65535,
               .list_type = codec::ListType::kSet,
               .example = "[80, 8080]"}),
    };
  }
};

struct IngressPort {
  std::int64_t port = 0;
  std::optional<std::int64_t> target_port;

  bool operator==(const IngressPort&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("port", &IngressPort::port,
              {.doc = "The port that clients connect to. With ReverseProxy the sidecar listens "
                      "here, with Redirect the application does.",
               .required = true,
               .minimum = 1,
               .maximum = 65535}),
        Field("targetPort", &IngressPort::target_port,
              {.doc = "With ReverseProxy: the port that the application listens on.",
               .minimum = 1,
               .maximum = 65535}),
    };
  }
};

struct Ingress {
  IngressMode mode = IngressMode::kNone;
  std::vector<IngressPort> ports;

  bool operator==(const Ingress&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mode", &Ingress::mode, {.doc = "How incoming requests pass the sidecar."}),
        Field("ports", &Ingress::ports,
              {.doc = "The ports whose requests pass the sidecar.",
               .max_items = 32,
               .list_type = codec::ListType::kMap,
               .list_key = "port"}),
    };
  }
};

struct Propagation {
  std::vector<Propagator> propagators = {Propagator::kTraceContext, Propagator::kBaggage};
  std::vector<Propagator> emit = {Propagator::kTraceContext};
  Egress egress;
  Ingress ingress;
  Heal heal = Heal::kOff;

  bool operator==(const Propagation&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("propagators", &Propagation::propagators,
              {.doc = "Formats that are accepted, the first that is present wins.",
               .min_items = 1,
               .max_items = 7,
               .example = "[tracecontext, baggage, b3]"}),
        Field("emit", &Propagation::emit,
              {.doc = "Formats that are written on outgoing requests. Each must be one of "
                      "`propagators`, or the next hop could not be read back.",
               .min_items = 1,
               .max_items = 7,
               .example = "[tracecontext]"}),
        Field("egress", &Propagation::egress, {.doc = "Outgoing requests."}),
        Field("ingress", &Propagation::ingress, {.doc = "Incoming requests."}),
        Field("heal", &Propagation::heal,
              {.doc = "Whether the sidecar repairs the parent of an outgoing request."}),
    };
  }
};

}  // namespace tracekeeper::api
