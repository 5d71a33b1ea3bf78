#pragma once
// RequestMetrics counts calls to the API server under client-go's names, so dashboards made for
// other operators fit.
//
// Threads:  safe from any thread; a lock and a look-up of a few entries per call, beside I/O.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/clock.h"
#include "src/base/metrics.h"

namespace tracekeeper::kube {

class RequestMetrics {
 public:
  RequestMetrics(std::string host, Metrics& metrics);

  /// One answer, or `code` 0 for none.
  void Observe(std::string_view method, int code, Duration took);
  /// A call is about to be sent again, because of `code`.
  void CountRepeat(std::string_view method, int code);

 private:
  using Key = std::pair<std::string, std::string>;  // method, code

  Counter& Find(std::map<Key, Counter*>& counters, std::string_view name, std::string_view help,
                std::string_view method_label, std::string_view method, int code);

  const std::string host_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::map<Key, Counter*> requests_;
  std::map<Key, Counter*> repeats_;
  std::map<std::string, Histogram*, std::less<>> durations_;
};

}  // namespace tracekeeper::kube
