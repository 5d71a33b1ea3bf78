#include "src/kube/request_metrics.h"

namespace tracekeeper::kube {
namespace {

/// client-go's buckets, in seconds.
const std::vector<double>& Bounds() {
  static const std::vector<double> bounds{0.005, 0.025, 0.1, 0.25, 0.5,  1.0,
                                          2.0,   4.0,   8.0, 15.0, 30.0, 60.0};
  return bounds;
}

std::string TextOf(int code) { return code == 0 ? "<error>" : std::to_string(code); }

}  // namespace

RequestMetrics::RequestMetrics(std::string host, Metrics& metrics)
    : host_(std::move(host)), metrics_(metrics) {}

Counter& RequestMetrics::Find(std::map<Key, Counter*>& counters, std::string_view name,
                              std::string_view help, std::string_view method_label,
                              std::string_view method, int code) {
  const Key key{std::string(method), TextOf(code)};
  Counter*& counter = counters[key];
  if (counter == nullptr) {
    counter = &metrics_.MakeCounter(
        name, help,
        {{"code", key.second}, {std::string(method_label), key.first}, {"host", host_}});
  }
  return *counter;
}

void RequestMetrics::Observe(std::string_view method, int code, Duration took) {
  const std::lock_guard lock(mutex_);
  Find(requests_, "rest_client_requests_total",
       "Number of HTTP requests, partitioned by status code, method, and host.", "method", method,
       code)
      .Increment();
  auto found = durations_.find(method);
  if (found == durations_.end()) {
    Histogram& made =
        metrics_.MakeHistogram("rest_client_request_duration_seconds",
                               "Request latency in seconds. Broken down by verb, and host.",
                               {{"verb", std::string(method)}, {"host", host_}}, Bounds());
    found = durations_.emplace(std::string(method), &made).first;
  }
  found->second->Observe(std::chrono::duration<double>(took).count());
}

void RequestMetrics::CountRepeat(std::string_view method, int code) {
  const std::lock_guard lock(mutex_);
  Find(repeats_, "rest_client_request_retries_total",
       "Number of request retries, partitioned by status code, verb, and host.", "verb", method,
       code)
      .Increment();
}

}  // namespace tracekeeper::kube
