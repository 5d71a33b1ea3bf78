#include "src/runtime/controller_metrics.h"

#include <vector>

namespace tracekeeper::runtime {
namespace {

Counter& Total(Metrics& metrics, const std::string& controller, const char* result) {
  return metrics.MakeCounter("controller_runtime_reconcile_total",
                             "Total number of reconciliations per controller",
                             {{"controller", controller}, {"result", result}});
}

// controller-runtime's buckets, so that its dashboards add up.
const std::vector<double>& TimeBuckets() {
  static const std::vector<double> buckets = {
      0.005, 0.01, 0.025, 0.05, 0.1,  0.15, 0.2,  0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6,
      0.7,   0.8,  0.9,   1.0,  1.25, 1.5,  1.75, 2.0,  2.5, 3.0,  3.5, 4.0,  4.5, 5,
      6,     7,    8,     9,    10,   15,   20,   25,   30,  40,   50,  60};
  return buckets;
}

}  // namespace

ControllerMetrics::ControllerMetrics(const std::string& controller, Metrics& metrics)
    : succeeded(Total(metrics, controller, "success")),
      failed(Total(metrics, controller, "error")),
      requeued(Total(metrics, controller, "requeue")),
      requeued_after(Total(metrics, controller, "requeue_after")),
      errors(metrics.MakeCounter("controller_runtime_reconcile_errors_total",
                                 "Total number of reconciliation errors per controller",
                                 {{"controller", controller}})),
      terminal_errors(
          metrics.MakeCounter("controller_runtime_terminal_reconcile_errors_total",
                              "Total number of terminal reconciliation errors per controller",
                              {{"controller", controller}})),
      panics(metrics.MakeCounter("controller_runtime_reconcile_panics_total",
                                 "Total number of reconciliation panics per controller",
                                 {{"controller", controller}})),
      timeouts(metrics.MakeCounter("controller_runtime_reconcile_timeouts_total",
                                   "Total number of reconciliation timeouts per controller",
                                   {{"controller", controller}})),
      time(metrics.MakeHistogram("controller_runtime_reconcile_time_seconds",
                                 "Length of time per reconciliation per controller",
                                 {{"controller", controller}}, TimeBuckets())),
      max_concurrent(metrics.MakeGauge("controller_runtime_max_concurrent_reconciles",
                                       "Maximum number of concurrent reconciles per controller",
                                       {{"controller", controller}})),
      active_workers(metrics.MakeGauge("controller_runtime_active_workers",
                                       "Number of currently used workers per controller",
                                       {{"controller", controller}})) {}

}  // namespace tracekeeper::runtime
