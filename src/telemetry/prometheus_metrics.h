#pragma once
// PrometheusMetrics is the Metrics port over prometheus-cpp's registry, and writes what it holds as
// Prometheus text. Families and children are made once and cached, so a handle costs its update.
//
//   PrometheusMetrics metrics;
//   ProcessMetrics process(metrics);
//   metrics.BeforeText([&] { process.Refresh(); });
//   const std::string text = metrics.Text();        // for GET /metrics
//
// Threads:  all methods are safe from any thread.
// Owner:    the program's wiring, before everything that counts.
// Failure:  a name or label that Prometheus does not allow, and one name asked for with two types,
//           is a bug of ours: asserted in tests, in a release the handle counts nothing.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/metrics.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::telemetry {

class PrometheusMetrics final : public Metrics {
 public:
  /// Content-Type of Text().
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  PrometheusMetrics();
  ~PrometheusMetrics() override;

  Counter& MakeCounter(std::string_view name, std::string_view help,
                       const MetricLabels& labels) override;
  Gauge& MakeGauge(std::string_view name, std::string_view help,
                   const MetricLabels& labels) override;
  Histogram& MakeHistogram(std::string_view name, std::string_view help, const MetricLabels& labels,
                           const std::vector<double>& bounds) override;
  void Remove(std::string_view name, const MetricLabels& labels) override;

  /// Runs `refresh` before each Text() or WriteTo(), one at a time: for values that are read and
  /// not counted. It may make metrics, but not call Text() or BeforeText().
  void BeforeText(std::function<void()> refresh);
  [[nodiscard]] std::string Text() const;
  /// The same into what holds other families too.
  void WriteTo(Exposition& text) const;

 private:
  void Refresh() const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::telemetry
