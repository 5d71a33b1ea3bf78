#include "tests/truth/simulation_export.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tests/truth/simulation_truth.h"

namespace tracekeeper::truth {
namespace {

constexpr std::string_view kFilteredScope = "@opentelemetry/instrumentation-express";
constexpr Moment kLogInterval = kSecond;
constexpr Moment kSlowTime = 12 * kSecond;
constexpr Moment kExportInSlowTime = 2 * kSecond;

Moment OnTheWay(Random& random) { return random.Skewed(2 * kMillisecond, 40 * kMillisecond); }

/// The batch span processor of one instance.
class Processor {
 public:
  Processor(Runtime& runtime, const Instance& instance, Random& random,
            std::vector<Moment>& arrivals)
      : runtime_(runtime),
        instance_(instance),
        random_(random),
        arrivals_(arrivals),
        interval_(static_cast<std::uint64_t>(runtime.options().export_interval.count()) *
                  kMillisecond),
        tick_(kStartOfTime + instance.span_phase) {}

  /// Called in order of time.
  void OnEnd(SpanIndex index) {
    SpanRecord& record = runtime_.RecordOf(index);
    while (tick_ <= record.ended_at) {
      Tick();
    }
    if (queue_.size() >= runtime_.options().export_queue) {
      record.loss = Loss::kBatch;
      return;
    }
    queue_.push_back(index);
    if (queue_.size() >= runtime_.options().export_batch && tick_ >= slow_until_) {
      SendBatch(record.ended_at);
    }
  }

  void Shutdown() {
    while (!queue_.empty()) {
      Tick();
    }
  }

 private:
  /// The timer, or in a slow time the end of an export: the next one begins.
  void Tick() {
    if (tick_ >= slow_until_ && runtime_.Strikes(Fault::kSlowExport, {})) {
      slow_until_ = tick_ + kSlowTime;
    }
    const bool slow = tick_ < slow_until_;
    do {
      SendBatch(tick_);
    } while (!slow && !queue_.empty());
    tick_ += slow ? kExportInSlowTime : interval_;
  }

  void SendBatch(Moment now) {
    const std::size_t size = std::min(queue_.size(), runtime_.options().export_batch);
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(size);
    Send({queue_.begin(), end}, now);
    queue_.erase(queue_.begin(), end);
  }

  void Send(std::span<const SpanIndex> batch, Moment now) {
    if (batch.empty()) {
      return;
    }
    const bool lost = runtime_.Strikes(Fault::kLostBatch, {});
    const Moment arrival = now + OnTheWay(random_);
    for (const SpanIndex index : batch) {
      SpanRecord& record = runtime_.RecordOf(index);
      if (!instance_.exports_spans) {
        record.loss = Loss::kNoExporter;
      } else if (lost) {
        record.loss = Loss::kBatch;
      } else if (runtime_.ledger().lost_traces.contains(record.span.trace_id)) {
        record.loss = Loss::kTrace;
      } else if (runtime_.options().filtered_middleware && record.span.scope == kFilteredScope) {
        record.loss = Loss::kFiltered;
      } else {
        arrivals_[index] = arrival;
      }
    }
  }

  Runtime& runtime_;
  const Instance& instance_;
  Random& random_;
  std::vector<Moment>& arrivals_;
  Moment interval_;
  Moment tick_;
  Moment slow_until_ = 0;
  std::vector<SpanIndex> queue_;
};

/// The ended spans of each instance, by the time they ended.
std::vector<std::vector<SpanIndex>> EndedSpans(Runtime& runtime) {
  std::vector<std::vector<SpanIndex>> ended(runtime.topology().instances.size());
  for (SpanIndex index = 0; index < runtime.ledger().spans.size(); ++index) {
    SpanRecord& record = runtime.RecordOf(index);
    if (record.arrives() && record.ended_at == 0) {
      record.loss = Loss::kNotEnded;
    }
    if (record.arrives()) {
      ended[record.instance].push_back(index);
    }
  }
  for (std::vector<SpanIndex>& spans : ended) {
    std::sort(spans.begin(), spans.end(), [&](SpanIndex a, SpanIndex b) {
      return std::pair(runtime.RecordOf(a).ended_at, a) <
             std::pair(runtime.RecordOf(b).ended_at, b);
    });
  }
  return ended;
}

std::vector<Moment> ExportLogs(Runtime& runtime, Random& random) {
  // What one export sends arrives together: its latency is drawn once for each instance and tick.
  std::map<std::pair<std::size_t, Moment>, Moment> exports;
  std::vector<Moment> arrivals;
  for (const LogRecord& record : runtime.ledger().logs) {
    const Moment phase = kStartOfTime + runtime.topology().instances[record.instance].log_phase;
    const Moment since = record.written_at < phase ? 0 : record.written_at - phase + kLogInterval;
    const Moment tick = phase + (since / kLogInterval * kLogInterval);
    const auto [entry, fresh] = exports.try_emplace({record.instance, tick}, 0);
    if (fresh) {
      entry->second = tick + OnTheWay(random);
    }
    arrivals.push_back(entry->second);
  }
  return arrivals;
}

std::vector<std::size_t> InOrderOfArrival(const std::vector<Moment>& arrivals) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    if (arrivals[i] != kNever) {
      order.push_back(i);
    }
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(arrivals[a], a) < std::pair(arrivals[b], b);
  });
  return order;
}

}  // namespace

Arrivals Export(Runtime& runtime) {
  Random random(runtime.options().seed ^ 0x5851f42d4c957f2dULL);
  Arrivals arrivals;
  arrivals.spans.assign(runtime.ledger().spans.size(), kNever);
  const std::vector<std::vector<SpanIndex>> ended = EndedSpans(runtime);
  for (std::size_t instance = 0; instance < ended.size(); ++instance) {
    Processor processor(runtime, runtime.topology().instances[instance], random, arrivals.spans);
    for (const SpanIndex index : ended[instance]) {
      processor.OnEnd(index);
    }
    processor.Shutdown();
  }
  arrivals.logs = ExportLogs(runtime, random);
  return arrivals;
}

Simulated Collect(Runtime& runtime) {
  const Arrivals arrivals = Export(runtime);
  Simulated result;
  result.breaks = TruthOf(runtime.ledger(), runtime.options().sampling);
  const std::vector<Instance>& instances = runtime.topology().instances;
  for (const std::size_t index : InOrderOfArrival(arrivals.spans)) {
    SpanRecord& record = runtime.RecordOf(static_cast<SpanIndex>(index));
    result.spans.push_back(std::move(record.span));
    result.spans.back().resource = instances[record.instance].resource;
    result.span_arrivals.push_back(arrivals.spans[index]);
  }
  for (const std::size_t index : InOrderOfArrival(arrivals.logs)) {
    LogRecord& record = runtime.ledger().logs[index];
    result.logs.push_back(std::move(record.log));
    result.logs.back().resource = instances[record.instance].resource;
    result.log_arrivals.push_back(arrivals.logs[index]);
  }
  if (runtime.options().foreign_share > 0) {
    result.policy.entrypoints.insert(runtime.topology().Of(ServiceName::kGateway).name);
  }
  if (runtime.options().filtered_middleware) {
    result.policy.excluded_scopes.insert(std::string(kFilteredScope));
  }
  return result;
}

}  // namespace tracekeeper::truth
