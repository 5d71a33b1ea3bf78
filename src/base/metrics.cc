#include "src/base/metrics.h"

namespace tracekeeper {
namespace {

class Nothing final : public Counter, public Gauge, public Histogram {
 public:
  void Increment(double /*by*/) override {}
  void Set(double /*value*/) override {}
  void Add(double /*by*/) override {}
  void Observe(double /*value*/) override {}
};

// Stateless, so sharing one is not a hidden global.
class NullMetrics final : public Metrics {
 public:
  Counter& MakeCounter(std::string_view, std::string_view, const MetricLabels&) override {
    return nothing_;
  }
  Gauge& MakeGauge(std::string_view, std::string_view, const MetricLabels&) override {
    return nothing_;
  }
  Histogram& MakeHistogram(std::string_view, std::string_view, const MetricLabels&,
                           const std::vector<double>&) override {
    return nothing_;
  }
  void Remove(std::string_view, const MetricLabels&) override {}

 private:
  Nothing nothing_;
};

}  // namespace

Metrics& NoMetrics() {
  static NullMetrics metrics;
  return metrics;
}

}  // namespace tracekeeper
