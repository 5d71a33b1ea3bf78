#pragma once
// ClusterTrouble says in the log what it means for the verdicts that a resource of the cluster
// cannot be read, and what to do: once, and again after ten minutes while the same goes on.
// Whatever is in between is logged as debug.
//
// Threads:  Tell from one thread at a time: the resource's reflector.
// Owner:    ClusterPolicies; clock and log outlive it.

#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"

namespace tracekeeper::analyzer {

enum class ClusterResource { kPolicies, kPods };

/// Whether what was read of the resource before still holds.
enum class HeldBefore { kNothing, kSomething };

std::string SentenceOf(ClusterResource resource, ErrorKind kind, HeldBefore held);

class ClusterTrouble {
 public:
  static constexpr Duration kAgain = std::chrono::minutes(10);

  ClusterTrouble(ClusterResource resource, const Clock& clock, const Logger& log)
      : resource_(resource), clock_(clock), log_(log) {}

  void Tell(const Error& error, HeldBefore held);

 private:
  const ClusterResource resource_;
  const Clock& clock_;
  const Logger log_;
  std::string last_;
  std::optional<MonotonicTime> said_;
};

}  // namespace tracekeeper::analyzer
