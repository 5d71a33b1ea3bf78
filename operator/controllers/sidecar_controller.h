#pragma once
// SidecarController asks the sidecars of one TracingPolicy which configuration they use (/status)
// and puts the count into the SidecarLedger, from which the policy's status is made.
//
// Who:      a sidecar is asked until it uses what the policy says, then not again until that
//           changes: a fleet in sync costs nothing.
// Pace:     at most kMostAsked a look, kParallel at a time; one that is behind again after 5 s
//           growing to 1 min, one that does not answer after 5 s doubling to 10 min. One that
//           failed twice counts as unknown: a NetworkPolicy may keep us away, and that is no error.
// Nudge:    where `nudge` is set, a pod that is behind gets one annotation after its ConfigMap was
//           written: its kubelet then looks at once (the usual wait is about a minute).
// Threads:  Reconcile on several workers at once, never twice for one policy.
// Owner:    wiring; everything it is given outlives it.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "operator/controllers/observed.h"
#include "operator/controllers/policy_pods.h"
#include "operator/controllers/sidecar_ledger.h"
#include "operator/domain/compile_policy.h"
#include "src/kube/client.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

/// The way to a sidecar's /status; the adapter is in operator/app. Called from several threads.
class SidecarReader {
 public:
  virtual ~SidecarReader() = default;
  /// The body of GET /status of the sidecar at that pod address.
  virtual Result<std::string> Read(const std::string& address, const StopToken& stop) = 0;
};

enum class Nudge : std::uint8_t { kNo, kYes };

class SidecarController {
 public:
  static constexpr std::size_t kMostAsked = 64;
  static constexpr std::size_t kParallel = 8;

  struct Parts {
    const runtime::Store<api::TracingPolicy>& policies;
    const PolicyPods& pods;
    const runtime::Store<ObservedConfigMap>& config_maps;
    SidecarLedger& ledger;
    SidecarReader& reader;
  };

  SidecarController(Parts parts, Nudge nudge, kube::Client& client)
      : parts_(parts), nudge_(nudge), client_(client) {}

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  /// What is known of one sidecar.
  struct Sidecar {
    kube::ObjectKey pod;
    std::string address;
    std::string digest;
    std::string refusal;
    unsigned failures = 0;
    unsigned answers = 0;  // that were not the wanted one
    bool was_asked = false;
    bool was_nudged = false;
    Instant next_ask{};
  };
  struct Known {
    std::string digest;                                 // that the policy asks for
    std::unordered_map<std::string, Sidecar> sidecars;  // by the pod's uid
  };
  using Due = std::vector<Sidecar*>;

  void Refresh(Known& known, const domain::CompiledPolicy& policy, Instant now) const;
  [[nodiscard]] Due Choose(Known& known, Instant now) const;
  void Ask(const Known& known, const Due& due, const StopToken& stop, Instant now) const;
  void NudgeThoseBehind(Known& known, const domain::PolicyCompilation& compilation,
                        runtime::ReconcileContext& context);
  [[nodiscard]] static domain::SidecarSync Count(const Known& known);

  const Parts parts_;
  const Nudge nudge_;
  kube::Client& client_;
  std::mutex mutex_;
  std::unordered_map<kube::ObjectKey, std::shared_ptr<Known>> known_;
};

}  // namespace tracekeeper::controllers
