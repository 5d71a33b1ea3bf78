#pragma once
// Finalizer adds and removes one finalizer of an object by JSON Patch with a `test`, so that a
// stale view of the object can neither drop another's finalizer nor add ours twice.
//
//   if (policy.meta.IsBeingDeleted()) {
//     TRY(CleanUp());                                      // must tolerate that nothing was made
//     return RemoveFinalizer(client, kPolicies, policy.meta, kFinalizer, ...);
//   }
//   TRY(AddFinalizer(...));                                // before the first side effect
//
// Threads:  each function is at most one call; safe from any thread.
// Failure:  kConflict when the object changed since `meta` was read: reconcile again. An object
//           that is gone counts as success for RemoveFinalizer.
// Source:   kube-rs' finalizer.

#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"

namespace tracekeeper::runtime {

struct FinalizerChange {
  std::string_view finalizer;      // "example.com/cleanup"
  std::string_view field_manager;  // "tracekeeper"
};

/// True when the object was changed, false when it already had the finalizer (no call).
Result<bool> AddFinalizer(kube::Client& client, const kube::Resource& resource,
                          const kube::ObjectMeta& meta, const FinalizerChange& change,
                          const StopToken& stop);
/// True when the object was changed, false when it had no such finalizer (no call) or is gone.
Result<bool> RemoveFinalizer(kube::Client& client, const kube::Resource& resource,
                             const kube::ObjectMeta& meta, const FinalizerChange& change,
                             const StopToken& stop);

/// The patches alone: what is sent. Empty when nothing is to change.
std::string FinalizerAddition(const kube::ObjectMeta& meta, std::string_view finalizer);
std::string FinalizerRemoval(const kube::ObjectMeta& meta, std::string_view finalizer);

}  // namespace tracekeeper::runtime
