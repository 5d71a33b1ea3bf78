#pragma once
// HealthChecks answers /readyz or /livez from named checks, in the format of Kubernetes' own:
//
//   /readyz            200 "ok", or 500 with the list below
//   /readyz?verbose    [+]informer-pods ok / [-]webhook failed: certificate not loaded
//   /readyz?exclude=webhook&exclude=...   leaves checks out
//   /readyz/webhook    that check alone
//
// Threads:  all methods are safe from any thread; checks are called on the thread that asks, must
//           not block, and be safe from several threads.
// Owner:    the program's wiring; everything a check refers to outlives it.

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::runtime {

class HealthChecks {
 public:
  using Check = std::function<Status()>;

  /// `name` is "readyz" or "livez": the path and the word in the answers.
  explicit HealthChecks(std::string name);

  void Add(std::string name, Check check);

  struct Answer {
    int status = 200;
    std::string body;
  };
  /// `target` is the request's target: "/readyz?verbose", "/readyz/webhook". 404 when the path is
  /// none of ours.
  [[nodiscard]] Answer Serve(std::string_view target) const;

  /// The first failing check's sentence, with its name.
  [[nodiscard]] Status All() const;

 private:
  struct Named {
    std::string name;
    Check check;
  };
  [[nodiscard]] std::vector<Named> Snapshot() const;
  [[nodiscard]] Answer Judge(const std::vector<Named>& checks, bool verbose,
                             std::vector<std::string_view> excluded) const;

  const std::string name_;
  mutable std::mutex mutex_;
  std::vector<Named> checks_;
};

}  // namespace tracekeeper::runtime
