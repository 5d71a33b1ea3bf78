#pragma once
// Wiring builds the operator from its options: one owner tree, made top to bottom, destroyed in
// reverse. Nothing here decides anything; who calls whom is all it says.
//
// Threads:  made, run and destroyed by main.
// Failure:  Make fails with the sentence of the part that cannot be built (no kubeconfig, API
//           server not reachable, a port taken).

#include <memory>

#include "operator/app/options.h"
#include "src/base/result.h"

namespace tracekeeper::app {

class Wiring {
 public:
  static Result<std::unique_ptr<Wiring>> Make(const Options& options, const StopToken& stop);
  ~Wiring();

  /// Runs until `stop`, or until something fails; returns the failure.
  Status Run(const StopToken& stop);

 private:
  struct Parts;
  explicit Wiring(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tracekeeper::app
