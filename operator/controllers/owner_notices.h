#pragma once
// OwnerNotices tells the owners of pods (ReplicaSet, StatefulSet, Job...) by an Event why a pod of
// theirs is not injected: once for each owner and reason, while it lasts. A pod without an owner is
// told itself.
//
// Threads:  safe from any thread.
// Owner:    the policy's controller.
// Limits:   kMostOwners new ones for each policy and look: the policy's own Event tells the rest.
//           What was told is forgotten with the process; then pods younger than kTellsAfterStart
//           are told of again, and Kubernetes keeps Events for an hour.

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "operator/controllers/observed.h"
#include "operator/domain/reasons.h"
#include "src/kube/events.h"

namespace tracekeeper::controllers {

class OwnerNotices {
 public:
  static constexpr std::size_t kMostOwners = 20;
  static constexpr Duration kTellsAfterStart = std::chrono::minutes(10);

  explicit OwnerNotices(kube::EventRecorder& events) : events_(events) {}

  /// One look at the pods of a policy; ended by its destruction, which forgets who has no such pod
  /// any more.
  class Look {
   public:
    Look(OwnerNotices& notices, const kube::ObjectKey& policy, Instant now);
    ~Look();
    Look(const Look&) = delete;
    Look& operator=(const Look&) = delete;

    void Note(const ObservedPod& pod, domain::Reason reason);

   private:
    OwnerNotices& notices_;
    const kube::ObjectKey policy_;
    const Instant now_;
    std::set<std::string> before_;
    std::set<std::string> seen_;
    std::size_t told_ = 0;
  };

  void Forget(const kube::ObjectKey& policy);

 private:
  kube::EventRecorder& events_;
  std::mutex mutex_;
  std::unordered_map<kube::ObjectKey, std::set<std::string>> told_;
};

}  // namespace tracekeeper::controllers
