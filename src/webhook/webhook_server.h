#pragma once
// Webhooks turns HTTP requests into admission decisions: path, method and content type, the
// AdmissionReview, then the function registered for that path. It is the handler of a net::Server.
//
// Threads:  Handle() from any of the server's threads at once; Register() before serving starts.
// Owner:    the program's wiring; outlives the server. Functions are owned by it.
// Failure:  what is no review is answered 4xx with a sentence. A function that throws is counted
//           (controller_runtime_webhook_panics_total) and answered 500, so that the API server acts
//           by the entry's failurePolicy.
// Metrics:  controller_runtime_webhook_{requests_total,latency_seconds,requests_in_flight,
//           panics_total}, as controller-runtime names and labels them.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/codec/json_value.h"
#include "src/net/http.h"
#include "src/webhook/admission.h"

namespace tracekeeper::webhook {

using AdmissionFunction = std::function<AdmissionResponse(const AdmissionRequest&)>;

class Webhooks {
 public:
  Webhooks(const Clock& clock, Metrics& metrics, Logger log);
  ~Webhooks();

  /// Serves `function` at `path` ("/mutate-pods").
  void Register(std::string path, AdmissionFunction function);

  net::Response Handle(const net::Request& request);

 private:
  struct Route;

  net::Response Review(Route& route, const net::Request& request);
  net::Response Decide(Route& route, std::string_view body, codec::JsonParser& parser);

  const Clock& clock_;
  Metrics& metrics_;
  Logger log_;
  std::map<std::string, std::unique_ptr<Route>, std::less<>> routes_;

  // Parsers keep their buffers between reviews: a review costs no allocation for its document.
  std::mutex parsers_mutex_;
  std::vector<std::unique_ptr<codec::JsonParser>> idle_parsers_;
};

}  // namespace tracekeeper::webhook
