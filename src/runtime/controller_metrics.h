#pragma once
// ControllerMetrics holds controller_runtime_* of one Controller, made at zero.
//
// Threads:  handles are safe from any thread.

#include <string>

#include "src/base/metrics.h"

namespace tracekeeper::runtime {

struct ControllerMetrics {
  ControllerMetrics(const std::string& controller, Metrics& metrics);

  Counter& succeeded;
  Counter& failed;
  Counter& requeued;
  Counter& requeued_after;
  Counter& errors;
  Counter& terminal_errors;
  Counter& panics;
  Counter& timeouts;
  Histogram& time;
  Gauge& max_concurrent;
  Gauge& active_workers;
};

}  // namespace tracekeeper::runtime
