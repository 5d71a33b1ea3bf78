#pragma once
// Metrics is the port through which every part counts. Handles are made once, at construction of
// the part that uses them, with their labels; using one is a few atomic operations.
//
// Threads:  handles are safe from any thread; making them takes a lock.
// Owner:    the registry (src/telemetry, or NoMetrics here) owns all handles and outlives its
// users. Names:    Prometheus conventions; runtime metrics carry controller-runtime's names.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tracekeeper {

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Increment(double by = 1.0) = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
  virtual void Add(double by) = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  virtual ~Metrics() = default;

  /// The child of family `name` with `labels`, made at 0 when it is new. Asking again for the same
  /// name and labels gives the same child.
  virtual Counter& MakeCounter(std::string_view name, std::string_view help,
                               const MetricLabels& labels) = 0;
  virtual Gauge& MakeGauge(std::string_view name, std::string_view help,
                           const MetricLabels& labels) = 0;
  /// `bounds` are the upper limits of the buckets, ascending, without +Inf.
  virtual Histogram& MakeHistogram(std::string_view name, std::string_view help,
                                   const MetricLabels& labels,
                                   const std::vector<double>& bounds) = 0;
  /// Removes one child, for label values that ended (a deleted policy). Its handle is dead after.
  virtual void Remove(std::string_view name, const MetricLabels& labels) = 0;
};

/// Counts nothing: for the CLI and for tests that do not look.
Metrics& NoMetrics();

}  // namespace tracekeeper
