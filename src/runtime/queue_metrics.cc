#include "src/runtime/queue_metrics.h"

#include <vector>

namespace tracekeeper::runtime {
namespace {

// client-go's buckets: 10 ns to 1000 s, by tens.
const std::vector<double>& DurationBuckets() {
  static const std::vector<double> buckets = {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3,
                                              1e-2, 0.1,  1,    10,   100,  1000};
  return buckets;
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

constexpr std::string_view kDepthName = "workqueue_depth";
constexpr std::string_view kDepthHelp = "Current depth of workqueue by workqueue and priority";

}  // namespace

QueueMetrics::QueueMetrics(const std::string& name, Metrics& metrics)
    : labels_{{"name", name}, {"controller", name}},
      registry_(metrics),
      adds_(metrics.MakeCounter("workqueue_adds_total", "Total number of adds handled by workqueue",
                                labels_)),
      retries_(metrics.MakeCounter("workqueue_retries_total",
                                   "Total number of retries handled by workqueue", labels_)),
      queue_duration_(metrics.MakeHistogram(
          "workqueue_queue_duration_seconds",
          "How long in seconds an item stays in workqueue before being requested", labels_,
          DurationBuckets())),
      work_duration_(
          metrics.MakeHistogram("workqueue_work_duration_seconds",
                                "How long in seconds processing an item from workqueue takes.",
                                labels_, DurationBuckets())),
      unfinished_(metrics.MakeGauge(
          "workqueue_unfinished_work_seconds",
          "How many seconds of work has been done that is in progress and hasn't been observed by "
          "work_duration. Large values indicate stuck threads.",
          labels_)),
      longest_(metrics.MakeGauge(
          "workqueue_longest_running_processor_seconds",
          "How many seconds has the longest running processor for workqueue been running.",
          labels_)) {
  DepthOf(0);
}

void QueueMetrics::DepthChanged(int priority, int by) { DepthOf(priority).Add(by); }

void QueueMetrics::Taken(Duration waited) { queue_duration_.Observe(Seconds(waited)); }

void QueueMetrics::Finished(Duration worked) { work_duration_.Observe(Seconds(worked)); }

void QueueMetrics::Running(Duration unfinished, Duration longest) {
  unfinished_.Set(Seconds(unfinished));
  longest_.Set(Seconds(longest));
}

Gauge& QueueMetrics::DepthOf(int priority) {
  if (const auto known = depth_.find(priority); known != depth_.end()) return *known->second;
  const bool over = depth_.size() >= kMaxPriorities;
  MetricLabels labels = labels_;
  labels.emplace_back("priority", over ? "other" : std::to_string(priority));
  Gauge& gauge = registry_.MakeGauge(kDepthName, kDepthHelp, labels);
  if (!over) depth_.emplace(priority, &gauge);
  return gauge;
}

}  // namespace tracekeeper::runtime
