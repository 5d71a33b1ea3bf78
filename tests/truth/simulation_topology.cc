#include "tests/truth/simulation_topology.h"

#include <array>
#include <string_view>

namespace tracekeeper::truth {
namespace {

struct Plan {
  std::string_view name;
  std::string_view address;
  std::string_view language;
  FlagStyle flags;
  Convention convention;
  double own_ratio;
  std::size_t instances;
};

// Inventory is old, and known to its callers by a cluster address alone.
constexpr std::array kPlans = {
    Plan{"gateway", "gateway.shop.svc.cluster.local", "go", FlagStyle::kRemoteKnown,
         Convention::kStable, 1, 2},
    Plan{"frontend", "frontend.shop.svc.cluster.local", "nodejs", FlagStyle::kTraceFlags,
         Convention::kStable, 0.8, 3},
    Plan{"checkout", "checkout.shop.svc.cluster.local", "go", FlagStyle::kRemoteKnown,
         Convention::kStable, 0.5, 3},
    Plan{"payment", "payment.shop.svc.cluster.local", "java", FlagStyle::kRemoteKnown,
         Convention::kOld, 0.4, 2},
    Plan{"inventory", "10.96.41.17", "java", FlagStyle::kNone, Convention::kOld, 0.6, 2},
    Plan{"recommendation", "recommendation", "python", FlagStyle::kRemoteKnown, Convention::kStable,
         0.7, 1},
    Plan{"fulfilment", "fulfilment", "go", FlagStyle::kRemoteKnown, Convention::kStable, 0.9, 2},
    Plan{"analytics", "analytics.shop.svc.cluster.local", "java", FlagStyle::kRemoteKnown,
         Convention::kStable, 1, 3},
    Plan{"notification", "notification", "python", FlagStyle::kRemoteKnown, Convention::kStable, 1,
         1},
    Plan{"report-job", "", "python", FlagStyle::kRemoteKnown, Convention::kStable, 1, 1},
    Plan{"load-generator", "", "python", FlagStyle::kRemoteKnown, Convention::kStable, 1, 1},
    Plan{"workflow", "", "java", FlagStyle::kRemoteKnown, Convention::kStable, 1, 1},
};

std::string Hex(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; value >>= 4U) {
    text[i] = "0123456789abcdef"[value & 15U];
  }
  return text;
}

// One random number a statement: the order within an expression is the compiler's.
std::string Uuid(Random& random) {
  const std::string high = Hex(random.Next(), 16);
  const std::string low = Hex(random.Next(), 15);
  return high.substr(0, 8) + "-" + high.substr(8, 4) + "-4" + high.substr(12, 3) + "-a" +
         low.substr(0, 3) + "-" + low.substr(3);
}

struct Library {
  std::string server;
  std::string client;
};

Library LibraryOf(std::string_view language) {
  if (language == "go") {
    const std::string http = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp";
    return {http, http};
  }
  if (language == "java") {
    return {"io.opentelemetry.tomcat-10.0", "io.opentelemetry.java-http-client"};
  }
  if (language == "nodejs") {
    return {"@opentelemetry/instrumentation-http", "@opentelemetry/instrumentation-http"};
  }
  return {"opentelemetry.instrumentation.asgi", "opentelemetry.instrumentation.requests"};
}

Service MakeService(const Plan& plan) {
  Library library = LibraryOf(plan.language);
  Service service;
  service.name = plan.name;
  service.address = plan.address;
  service.scope = "shop/" + service.name;
  service.server_scope = library.server;
  service.client_scope = library.client;
  service.flags = plan.flags;
  service.convention = plan.convention;
  service.own_ratio = plan.own_ratio;
  service.names_itself_peer = service.name == "inventory";
  return service;
}

using ClockSkews = std::array<std::int64_t, 6>;  // of the hosts

ClockSkews MakeClockSkews(const SimulationOptions& options, Random& random) {
  const auto most = static_cast<std::uint64_t>(options.clock_skew.count()) * kMillisecond;
  ClockSkews skews{};
  for (std::int64_t& skew : skews) {
    skew =
        static_cast<std::int64_t>(random.Below((2 * most) + 1)) - static_cast<std::int64_t>(most);
  }
  return skews;
}

Instance MakeInstance(const SimulationOptions& options, const ClockSkews& skews, const Plan& plan,
                      std::size_t service, Random& random) {
  Instance instance;
  instance.service = service;
  const std::uint64_t host = random.Below(skews.size());
  instance.clock_skew = skews[host];
  std::string pod = std::string(plan.name) + "-" + Hex(random.Next(), 15);
  pod.insert(pod.size() - 5, "-");
  instance.resource = {{"service.name", std::string(plan.name)},
                       {"service.namespace", "shop"},
                       {"telemetry.sdk.language", std::string(plan.language)},
                       {"k8s.pod.name", pod},
                       {"k8s.pod.uid", Uuid(random)},
                       {"host.name", "node-" + Hex(host, 1)}};
  if (plan.name != "inventory") {
    instance.resource.emplace_back("service.instance.id", Uuid(random));
  }
  if (plan.name == "report-job") {
    instance.resource.emplace_back("k8s.cronjob.name", "nightly-report");
  }
  instance.span_phase =
      random.Below(static_cast<std::uint64_t>(options.export_interval.count()) * kMillisecond);
  instance.log_phase = random.Below(kSecond);
  return instance;
}

}  // namespace

Topology MakeTopology(const SimulationOptions& options, Random& random) {
  Topology topology;
  const ClockSkews skews = MakeClockSkews(options, random);
  const auto canary_rate = options.faults.find(Fault::kCallerNotExporting);
  const bool with_canaries = canary_rate != options.faults.end() && canary_rate->second > 0;
  for (const Plan& plan : kPlans) {
    const std::size_t index = topology.services.size();
    Service service = MakeService(plan);
    for (std::size_t i = 0; i < (options.single_instances ? 1 : plan.instances); ++i) {
      service.instances.push_back(topology.instances.size());
      topology.instances.push_back(MakeInstance(options, skews, plan, index, random));
    }
    topology.canaries.push_back(Topology::kNone);
    if (with_canaries && (plan.name == "gateway" || plan.name == "checkout")) {
      topology.canaries.back() = topology.instances.size();
      topology.instances.push_back(MakeInstance(options, skews, plan, index, random));
      topology.instances.back().exports_spans = false;
    }
    topology.services.push_back(std::move(service));
  }
  return topology;
}

}  // namespace tracekeeper::truth
