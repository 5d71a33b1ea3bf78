#pragma once
// RightsCheck asks the API server at the start, and now and then, whether the operator has every
// right of domain::OperatorRights, and logs each one that is missing with what it is for and what
// to do. A right that comes back is logged too. Without it a missing right shows as a refusal deep
// inside some part, or as a cache that never fills.
//
// Threads:  a thread of its own between Start and Stop.
// Owner:    wiring; the Manager starts it before the caches, which may wait for such a right.
// Failure:  when the API server cannot be asked it asks again after kAgain.
// Metrics:  tracekeeper_operator_missing_rights.

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "operator/domain/rights.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/kube/client.h"
#include "src/runtime/runnable.h"

namespace tracekeeper::controllers {

class RightsCheck final : public runtime::Runnable {
 public:
  static constexpr Duration kAgain = std::chrono::seconds(10);

  struct Options {
    std::string namespace_name;
    /// Namespaces whose Secrets the operator may work with.
    std::vector<std::string> secret_namespaces = {};
    /// Owner of the webhook configuration; empty: it has none, and nothing is read of it.
    std::string cluster_role;
    /// Chart values that are on: their rights are wanted too.
    std::set<std::string, std::less<>> values;
    Duration period = std::chrono::minutes(10);
  };

  RightsCheck(Options options, kube::Client& client, const Clock& clock, Metrics& metrics,
              Logger log);

  [[nodiscard]] std::string_view name() const override { return "rights"; }
  Status Start() override;
  void Stop() override;

  /// Asks once: what is missing, in sentences.
  Result<std::vector<std::string>> FindMissing(const StopToken& stop);

 private:
  void Run(const StopToken& stop);
  /// Where `right` is needed; the empty name is the whole cluster.
  [[nodiscard]] std::vector<std::string> NamespacesOf(const domain::Right& right) const;
  Status AddMissing(const domain::Right& right, const std::string& namespace_name,
                    std::vector<std::string>& missing, const StopToken& stop);

  const Options options_;
  kube::Client& client_;
  const Clock& clock_;
  Gauge& missing_;
  const Logger log_;
  std::jthread thread_;
};

}  // namespace tracekeeper::controllers
