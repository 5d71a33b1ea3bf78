#pragma once
// What the analyzer takes from TracingPolicies in files: slo.entrypoints and slo.exclude. Those of
// a policy hold for its spans; those of all, together, for spans that name no policy.
//
// Threads:  reads files on the calling thread.
// Failure:  kInvalid or kDecode; the sentence begins with the file's name. Objects of other kinds
//           are left out.

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/continuity/rules.h"

namespace tracekeeper::analyzer {

struct ReadPolicies {
  continuity::PolicyRules rules;
  std::vector<std::string> names;  // "namespace/name"
  /// Of all files: equal texts, equal rules.
  std::string text;
};

/// Files, or folders of such.
Result<ReadPolicies> ReadPolicyFiles(const std::vector<std::string>& files);

}  // namespace tracekeeper::analyzer
