#pragma once
// KwokNodes are nodes that exist for the API server only: kwok says that they and their pods are
// fine. For tests that need many pods and no programs in them.
//
//   const auto nodes = KwokNodes::Start(*bed, 10, folder);
//   ... pods with KwokNodes::kPlacement in their spec are Running at once ...
//
// Threads:  one thread at a time.
// Owner:    the test; the bed must outlive it. kwok ends with the object.
// Failure:  an Error that says what kwok or kubectl said.

#include <chrono>
#include <filesystem>
#include <string_view>

#include "src/base/result.h"
#include "tests/support/bed.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {

class KwokNodes {
 public:
  /// Two members of a pod's spec, in YAML's flow style: such pods, and no others, run on these
  /// nodes.
  static constexpr std::string_view kPlacement =
      "nodeSelector: {type: kwok}, tolerations: [{key: kwok.x-k8s.io/node, operator: Exists}]";

  /// Returns when `count` nodes are Ready. kwok's log is written into `folder`.
  static Result<KwokNodes> Start(Bed& bed, int count, const std::filesystem::path& folder);

 private:
  explicit KwokNodes(ChildProcess kwok) : kwok_(std::move(kwok)) {}

  ChildProcess kwok_;
};

}  // namespace tracekeeper::test_support
