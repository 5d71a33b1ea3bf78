#pragma once
// QueueMetrics holds the metrics of one WorkQueue under client-go's names, made at zero. Depth is
// labelled by priority for at most 25 distinct priorities; the rest is counted as "other".
//
// Threads:  the queue calls it under its lock.

#include <map>
#include <string>

#include "src/base/clock.h"
#include "src/base/metrics.h"

namespace tracekeeper::runtime {

class QueueMetrics {
 public:
  static constexpr std::size_t kMaxPriorities = 25;

  QueueMetrics(const std::string& name, Metrics& metrics);

  void DepthChanged(int priority, int by);
  void Added() { adds_.Increment(); }
  void Retried() { retries_.Increment(); }
  void Taken(Duration waited);
  void Finished(Duration worked);
  void Running(Duration unfinished, Duration longest);

 private:
  Gauge& DepthOf(int priority);

  const MetricLabels labels_;
  Metrics& registry_;
  Counter& adds_;
  Counter& retries_;
  Histogram& queue_duration_;
  Histogram& work_duration_;
  Gauge& unfinished_;
  Gauge& longest_;
  std::map<int, Gauge*> depth_;
};

}  // namespace tracekeeper::runtime
