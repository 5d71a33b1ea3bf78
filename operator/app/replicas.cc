#include "operator/app/replicas.h"

#include "src/net/origin.h"
#include "src/net/transports.h"

namespace tracekeeper::app {
namespace {

constexpr Duration kPatience = std::chrono::seconds(1);

runtime::ReflectorOptions OwnPods(const Options& options) {
  runtime::ReflectorOptions result{.resource = kube::kPods};
  result.selection.namespace_name = options.namespace_name;
  result.selection.label_selector = options.replica_selector;
  return result;
}

/// Any answer will do: whether a replica that lives also serves is for its readiness probe.
Status Ask(std::string_view address, std::uint16_t port, const StopToken& stop) {
  const net::Origin origin{.host = std::string(address), .port = port};
  const auto transport = TRY(net::MakeBeastTransport(
      {.name = "replica", .base_url = origin.Text(), .connect_deadline = kPatience}));
  const auto answer =
      transport->Send({.method = "GET", .target = "/livez"}, {.deadline = kPatience}, stop);
  if (!answer) return Fail(answer.error());
  return {};
}

}  // namespace

struct Replicas::Parts {
  Parts(const Options& options, kube::Client& client, const Surroundings& around)
      : pods(OwnPods(options), controllers::ObservedReplica::From, client, around.clock,
             around.log),
        guard({.own_name = options.identity,
               .ask = [port = options.health_port](
                          std::string_view address,
                          const StopToken& stop) { return Ask(address, port, stop); }},
              client, pods.store()),
        loop(
            {.name = "replica-guard"},
            [this](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
              return guard.Reconcile(key, context);
            },
            around.clock, around.metrics, around.log) {
    loop.queue().Add(controllers::ReplicaGuard::Key());
  }

  runtime::Informer<controllers::ObservedReplica> pods;
  controllers::ReplicaGuard guard;
  runtime::Controller loop;
};

Replicas::Replicas(const Options& options, kube::Client& client, const Surroundings& around) {
  if (options.replica_selector.empty()) return;
  parts_ = std::make_unique<Parts>(options, client, around);
}

Replicas::~Replicas() = default;

void Replicas::AddTo(runtime::Manager& manager) {
  if (!parts_) return;
  manager.Add(runtime::Phase::kCache, parts_->pods);
  manager.Add(runtime::Phase::kAlways, parts_->loop);
}

}  // namespace tracekeeper::app
