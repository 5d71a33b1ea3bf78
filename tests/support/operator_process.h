#pragma once
// OperatorProcess is tracekeeper-operator as users run it: the real program, with the rights that
// the chart gives its service account and no more, against a Bed.
//
//   ASSERT_TRUE(InstallTracekeeper(*bed));
//   auto operator_process = OperatorProcess::Start(*bed, {});
//
// Threads:  one thread at a time.
// Owner:    the test; the program ends with the object, and when the test crashes.
// Failure:  Errors carry the tail of the program's log.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "operator/domain/rights.h"
#include "src/base/result.h"
#include "tests/support/bed.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {

inline constexpr std::string_view kOperatorNamespace = "tracekeeper-system";

/// CRDs, namespace, service account and RBAC: what the charts install, with the rights that chart
/// values switch only where asked for, and those on Secrets in `secret_namespaces` alone.
Status InstallTracekeeper(Bed& bed,
                          domain::SwitchedRights switched = domain::SwitchedRights::kLeftOut,
                          const std::vector<std::string>& secret_namespaces = {});

struct OperatorOptions {
  std::string sidecar_image = "bed.local/tracekeeper-sidecar:test";
  std::vector<std::string> flags = {};
  std::string name = "operator";  // of the log file, for several at once
  bool leader_election = false;
  std::string webhook_url = {};  // where the API server is told to call; empty: where it listens
};

class OperatorProcess {
 public:
  /// Returns when /readyz answers 200.
  static Result<OperatorProcess> Start(Bed& bed, const OperatorOptions& options = {});

  [[nodiscard]] ChildProcess& process() { return process_; }
  [[nodiscard]] std::uint16_t webhook_port() const { return webhook_port_; }
  [[nodiscard]] std::uint16_t metrics_port() const { return metrics_port_; }
  [[nodiscard]] std::uint16_t health_port() const { return health_port_; }

 private:
  explicit OperatorProcess(ChildProcess process) : process_(std::move(process)) {}

  ChildProcess process_;
  std::uint16_t webhook_port_ = 0;
  std::uint16_t metrics_port_ = 0;
  std::uint16_t health_port_ = 0;
};

}  // namespace tracekeeper::test_support
