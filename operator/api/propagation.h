#pragma once
// Propagation: which trace context formats a pod accepts and sends, and how its HTTP traffic passes
// the sidecar.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
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
               .example = "[80, 8080]",
               .item_rules = kOwnPortRules}),
    };
  }

  static constexpr std::array kRules = {
      codec::Rule{
          .expression = "self.mode != 'Redirect' || (has(self.ports) && self.ports.size() > 0)",
          .message = "mode Redirect needs ports: name the destination ports whose connections pass "
                     "the sidecar, such as ports: [80, 8080]",
          .field_path = ".ports",
          .reason = "FieldValueRequired"},
      codec::Rule{
          .expression = "self.mode == 'Redirect' || !has(self.ports) || self.ports.size() == 0",
          .message_expression =
              "'ports are for mode Redirect and do nothing with mode ' + self.mode + ': "
              "remove ports, or write mode: Redirect'",
          .field_path = ".ports",
          .reason = "FieldValueForbidden"},
  };
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
               .maximum = 65535,
               .rules = kOwnPortRules}),
        Field("targetPort", &IngressPort::target_port,
              {.doc = "With ReverseProxy: the port that the application listens on.",
               .minimum = 1,
               .maximum = 65535,
               .rules = kOwnPortRules}),
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

  static constexpr std::array kRules = {
      codec::Rule{
          .expression = "self.mode == 'None' || (has(self.ports) && self.ports.size() > 0)",
          .message_expression =
              "'mode ' + self.mode + ' needs ports: ' + (self.mode == 'Redirect' ? 'name "
              "those that the application listens on, such as ports: [{port: 8080}]' : 'name "
              "each port with its targetPort, such as ports: [{port: 8080, targetPort: "
              "8081}]')",
          .field_path = ".ports",
          .reason = "FieldValueRequired"},
      codec::Rule{
          .expression = "self.mode != 'None' || !has(self.ports) || self.ports.size() == 0",
          .message = "ports do nothing with mode None: remove ports, or write mode: ReverseProxy",
          .field_path = ".ports",
          .reason = "FieldValueForbidden"},
      codec::Rule{
          .expression = "self.mode != 'ReverseProxy' || !has(self.ports) || self.ports.all(p, "
                        "has(p.targetPort))",
          .message = "mode ReverseProxy needs a targetPort for each port: the sidecar listens on "
                     "port and passes requests on to targetPort, where the application listens",
          .field_path = ".ports",
          .reason = "FieldValueRequired"},
      codec::Rule{.expression = "self.mode != 'Redirect' || !has(self.ports) || self.ports.all(p, "
                                "!has(p.targetPort))",
                  .message = "with mode Redirect the application keeps its port: remove targetPort",
                  .field_path = ".ports",
                  .reason = "FieldValueForbidden"},
      codec::Rule{
          .expression = "self.mode != 'ReverseProxy' || !has(self.ports) || !self.ports.exists(p, "
                        "self.ports.exists(q, has(q.targetPort) && p.port == q.targetPort))",
          .message =
              "a port is also a targetPort: sidecar and application cannot both listen on it "
              "in one pod; let the application listen on another",
          .field_path = ".ports"},
  };
};

inline constexpr std::array kFormatsRules = {
    codec::Rule{.expression = "self.all(f, self.exists_one(g, g == f))",
                .message_expression =
                    "'[' + self.join(', ') + '] names a format twice: remove the second'"},
    codec::Rule{.expression = "self.exists(f, f != 'baggage')",
                .message =
                    "at least one format must carry the trace itself, and baggage does not: write "
                    "[tracecontext, baggage]"},
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
               .max_items = 7,
               .item_max_length = 16,
               .example = "[tracecontext, baggage, b3]",
               .rules = kFormatsRules}),
        Field("emit", &Propagation::emit,
              {.doc = "Formats that are written on outgoing requests. Each must be one of "
                      "`propagators`, or the next hop could not be read back.",
               .max_items = 7,
               .item_max_length = 16,
               .example = "[tracecontext]",
               .rules = kFormatsRules}),
        Field("egress", &Propagation::egress, {.doc = "Outgoing requests."}),
        Field("ingress", &Propagation::ingress, {.doc = "Incoming requests."}),
        Field(
            "heal", &Propagation::heal,
            {.doc =
                 "Whether the sidecar repairs the parent of an outgoing request. Write \"Off\" in "
                 "quotes: YAML reads a bare Off as false."}),
    };
  }

  static constexpr std::array kRules = {
      codec::Rule{
          .expression = "self.emit.all(e, e in self.propagators)",
          .message_expression =
              "'emit [' + self.emit.join(', ') + '] must be among propagators [' + "
              "self.propagators.join(', ') + ']: the next pod of this policy could not read "
              "the others; add them to propagators'",
          .field_path = ".emit"},
      codec::Rule{
          .expression = "self.heal == 'Off' || (has(self.egress) && self.egress.mode != 'None' && "
                        "has(self.ingress) && self.ingress.mode != 'None')",
          .message =
              "heal: Unambiguous compares outgoing with incoming requests and must see both: "
              "set egress.mode and ingress.mode, or write heal: \"Off\"",
          .field_path = ".heal"},
  };
};

}  // namespace tracekeeper::api
