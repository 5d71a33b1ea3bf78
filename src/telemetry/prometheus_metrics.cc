#include "src/telemetry/prometheus_metrics.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cassert>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace tracekeeper::telemetry {
namespace {

class CounterHandle final : public Counter {
 public:
  explicit CounterHandle(prometheus::Counter& counter) : counter_(counter) {}
  void Increment(double by) override { counter_.Increment(by); }
  prometheus::Counter& metric() { return counter_; }

 private:
  prometheus::Counter& counter_;
};

class GaugeHandle final : public Gauge {
 public:
  explicit GaugeHandle(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void Set(double value) override { gauge_.Set(value); }
  void Add(double by) override { gauge_.Increment(by); }
  prometheus::Gauge& metric() { return gauge_; }

 private:
  prometheus::Gauge& gauge_;
};

class HistogramHandle final : public Histogram {
 public:
  explicit HistogramHandle(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void Observe(double value) override { histogram_.Observe(value); }
  prometheus::Histogram& metric() { return histogram_; }

 private:
  prometheus::Histogram& histogram_;
};

using LabelMap = std::map<std::string, std::string>;

// All children of one type: the library's families, and one handle a child.
template <typename Metric, typename Handle>
class Families {
 public:
  template <typename Builder, typename... Arguments>
  Handle& Child(prometheus::Registry& registry, const Builder& builder, std::string_view name,
                std::string_view help, const MetricLabels& labels, const Arguments&... arguments) {
    auto family = families_.find(name);
    if (family == families_.end()) {
      auto& registered =
          builder().Name(std::string(name)).Help(std::string(help)).Register(registry);
      family = families_.emplace(std::string(name), Family{&registered, {}}).first;
    }
    const LabelMap key(labels.begin(), labels.end());
    auto& children = family->second.children;
    auto child = children.find(key);
    if (child == children.end()) {
      auto handle = std::make_unique<Handle>(family->second.family->Add(key, arguments...));
      child = children.emplace(key, std::move(handle)).first;
    }
    return *child->second;
  }

  void Remove(std::string_view name, const LabelMap& labels) {
    const auto family = families_.find(name);
    if (family == families_.end()) return;
    const auto child = family->second.children.find(labels);
    if (child == family->second.children.end()) return;
    family->second.family->Remove(&child->second->metric());
    family->second.children.erase(child);
  }

 private:
  struct Family {
    prometheus::Family<Metric>* family;
    std::map<LabelMap, std::unique_ptr<Handle>> children;
  };
  std::map<std::string, Family, std::less<>> families_;
};

MetricType TypeOf(prometheus::MetricType type) {
  if (type == prometheus::MetricType::Counter) return MetricType::kCounter;
  if (type == prometheus::MetricType::Histogram) return MetricType::kHistogram;
  return MetricType::kGauge;
}

void WriteHistogram(const prometheus::ClientMetric::Histogram& histogram,
                    const std::vector<Label>& labels, Exposition& text) {
  bool has_infinity = false;
  std::vector<Label> with_bound = labels;
  with_bound.emplace_back();
  const auto write_bucket = [&](double bound, std::uint64_t count) {
    has_infinity = std::isinf(bound);
    const std::string limit = has_infinity ? "+Inf" : fmt::format("{}", bound);
    with_bound.back() = {"le", limit};
    text.Sample(with_bound, static_cast<double>(count), std::nullopt, "_bucket");
  };
  for (const auto& bucket : histogram.bucket) {
    write_bucket(bucket.upper_bound, bucket.cumulative_count);
  }
  if (!has_infinity) {
    write_bucket(std::numeric_limits<double>::infinity(), histogram.sample_count);
  }
  text.Sample(labels, histogram.sample_sum, std::nullopt, "_sum");
  text.Sample(labels, static_cast<double>(histogram.sample_count), std::nullopt, "_count");
}

void WriteMetric(prometheus::MetricType type, const prometheus::ClientMetric& metric,
                 Exposition& text) {
  std::vector<Label> labels;
  labels.reserve(metric.label.size());
  for (const auto& label : metric.label) labels.emplace_back(label.name, label.value);
  if (type == prometheus::MetricType::Histogram) {
    WriteHistogram(metric.histogram, labels, text);
  } else {
    const bool is_counter = type == prometheus::MetricType::Counter;
    text.Sample(Labels(labels), is_counter ? metric.counter.value : metric.gauge.value);
  }
}

}  // namespace

struct PrometheusMetrics::State {
  prometheus::Registry registry;
  std::mutex mutex;
  Families<prometheus::Counter, CounterHandle> counters;
  Families<prometheus::Gauge, GaugeHandle> gauges;
  Families<prometheus::Histogram, HistogramHandle> histograms;
  std::mutex refresh_mutex;
  std::vector<std::function<void()>> refreshes;
};

PrometheusMetrics::PrometheusMetrics() : state_(std::make_unique<State>()) {}

PrometheusMetrics::~PrometheusMetrics() = default;

// The library throws for a name, a label or a type that cannot be: a bug of the caller.
Counter& PrometheusMetrics::MakeCounter(std::string_view name, std::string_view help,
                                        const MetricLabels& labels) {
  const std::scoped_lock lock(state_->mutex);
  try {
    return state_->counters.Child(state_->registry, prometheus::BuildCounter, name, help, labels);
  } catch (const std::invalid_argument&) {
    assert(false && "a metric name or label that Prometheus refuses");
    return NoMetrics().MakeCounter(name, help, labels);
  }
}

Gauge& PrometheusMetrics::MakeGauge(std::string_view name, std::string_view help,
                                    const MetricLabels& labels) {
  const std::scoped_lock lock(state_->mutex);
  try {
    return state_->gauges.Child(state_->registry, prometheus::BuildGauge, name, help, labels);
  } catch (const std::invalid_argument&) {
    assert(false && "a metric name or label that Prometheus refuses");
    return NoMetrics().MakeGauge(name, help, labels);
  }
}

Histogram& PrometheusMetrics::MakeHistogram(std::string_view name, std::string_view help,
                                            const MetricLabels& labels,
                                            const std::vector<double>& bounds) {
  const std::scoped_lock lock(state_->mutex);
  try {
    return state_->histograms.Child(state_->registry, prometheus::BuildHistogram, name, help,
                                    labels, bounds);
  } catch (const std::invalid_argument&) {
    assert(false && "a metric name or label that Prometheus refuses");
    return NoMetrics().MakeHistogram(name, help, labels, bounds);
  }
}

void PrometheusMetrics::Remove(std::string_view name, const MetricLabels& labels) {
  const LabelMap key(labels.begin(), labels.end());
  const std::scoped_lock lock(state_->mutex);
  state_->counters.Remove(name, key);
  state_->gauges.Remove(name, key);
  state_->histograms.Remove(name, key);
}

void PrometheusMetrics::BeforeText(std::function<void()> refresh) {
  const std::scoped_lock lock(state_->refresh_mutex);
  state_->refreshes.push_back(std::move(refresh));
}

void PrometheusMetrics::Refresh() const {
  // Held over the calls: one refresh at a time is what the callers are promised.
  const std::scoped_lock lock(state_->refresh_mutex);
  for (const auto& refresh : state_->refreshes) refresh();
}

std::string PrometheusMetrics::Text() const {
  Refresh();
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

void PrometheusMetrics::WriteTo(Exposition& text) const {
  Refresh();
  for (const prometheus::MetricFamily& family : state_->registry.Collect()) {
    text.Family(TypeOf(family.type), family.name, family.help);
    for (const prometheus::ClientMetric& metric : family.metric) {
      WriteMetric(family.type, metric, text);
    }
  }
}

}  // namespace tracekeeper::telemetry
