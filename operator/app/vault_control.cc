#include "operator/app/vault_control.h"

#include <atomic>

#include "operator/app/jitter.h"
#include "operator/controllers/vault_connection_controller.h"
#include "operator/controllers/vault_connections.h"
#include "src/crypto/locked_memory.h"
#include "src/runtime/informer.h"
#include "src/runtime/predicate.h"
#include "src/runtime/timer.h"

namespace tracekeeper::app {
namespace {

/// Revoking tokens at the end: what is not done by then ends by itself.
constexpr Duration kClosePatience = std::chrono::seconds(2);

/// Says once that secrets could not be kept from being swapped, and counts on.
class LockWatch {
 public:
  explicit LockWatch(Metrics& metrics)
      : refusals_(metrics.MakeGauge("tracekeeper_locked_memory_refusals",
                                    "Secrets that the kernel did not let us lock in memory", {})) {}

  void Look(const Logger& log) {
    const std::uint64_t refusals = crypto::LockRefusals();
    refusals_.Set(static_cast<double>(refusals));
    if (refusals == 0 || is_told_.exchange(true)) return;
    log.Warn(
        "Could not lock the memory of a secret: it may be swapped out; raise RLIMIT_MEMLOCK "
        "of the container, or turn swap off on the node");
  }

 private:
  Gauge& refusals_;
  std::atomic<bool> is_told_ = false;
};

}  // namespace

struct VaultControl::Parts {
  Parts(const Options& options, ControlClients clients, kube::EventRecorder& events,
        const Surroundings& around)
      : objects({.resource = api::kVaultConnections}, api::DecodeVaultConnection, clients.everyday,
                around.clock, around.log),
        connections({.everyday = clients.everyday,
                     .secrets = clients.secrets,
                     .clock = around.clock,
                     .metrics = around.metrics,
                     .random = [this] { return jitter(); }}),
        controller(objects.store(), connections, clients.everyday, events),
        farewell(
            "vault-tokens", [] { return Status(); },
            [this, &clock = around.clock] {
              const runtime::DeadlineStop limit(clock, kClosePatience, StopToken());
              connections.CloseAll(limit.token());
            }),
        locks(around.metrics),
        loop(
            {.name = "vaultconnection", .workers = options.workers},
            [this](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
              auto done = controller.Reconcile(key, context);
              locks.Look(context.log);
              return done;
            },
            around.clock, around.metrics, around.log) {
    // Our own writes of the status call for no other look.
    objects.store().AddHandler(runtime::Filtered<api::VaultConnection>(
        runtime::GenerationChanged<api::VaultConnection>(),
        runtime::EnqueueKey<api::VaultConnection>(loop.queue())));
  }

  Jitter jitter;
  runtime::Informer<api::VaultConnection> objects;
  controllers::VaultConnections connections;
  controllers::VaultConnectionController controller;
  runtime::CallbackRunnable farewell;
  LockWatch locks;
  runtime::Controller loop;
};

VaultControl::VaultControl(const Options& options, ControlClients clients,
                           kube::EventRecorder& events, const Surroundings& around)
    : parts_(std::make_unique<Parts>(options, clients, events, around)) {}

VaultControl::~VaultControl() = default;

const controllers::VaultConnections& VaultControl::connections() const {
  return parts_->connections;
}

runtime::Store<api::VaultConnection>& VaultControl::objects() { return parts_->objects.store(); }

void VaultControl::AddTo(runtime::Manager& manager) {
  manager.Add(runtime::Phase::kCache, parts_->objects);
  // Stopped after the loop, which was started after it.
  manager.Add(runtime::Phase::kLeader, parts_->farewell);
  manager.Add(runtime::Phase::kLeader, parts_->loop);
}

void VaultControl::AddTo(runtime::HealthChecks& readyz, runtime::HealthChecks& livez) {
  readyz.Add(std::string(parts_->objects.name()), [this] { return parts_->objects.Check(); });
  livez.Add(std::string(parts_->loop.name()), [this] { return parts_->loop.Check(); });
}

}  // namespace tracekeeper::app
