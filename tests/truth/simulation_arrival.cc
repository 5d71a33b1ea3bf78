#include "tests/truth/simulation_arrival.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "tests/truth/simulation_random.h"
#include "tests/truth/simulation_time.h"

namespace tracekeeper::truth {
namespace {

/// Stable: deliveries of one moment keep their order.
void SortByArrival(std::vector<Delivery>& deliveries) {
  std::stable_sort(deliveries.begin(), deliveries.end(),
                   [](const Delivery& a, const Delivery& b) { return a.arrival < b.arrival; });
}

Moment Nanoseconds(std::chrono::milliseconds duration) {
  return static_cast<Moment>(duration.count()) * kMillisecond;
}

std::string PodOf(const ModelSpan& span) {
  for (const auto& [key, value] : span.resource) {
    if (key == "k8s.pod.uid") {
      return value;
    }
  }
  return "";
}

}  // namespace

std::vector<Delivery> AsSent(std::span<const std::uint64_t> arrivals) {
  std::vector<Delivery> deliveries;
  deliveries.reserve(arrivals.size());
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    deliveries.push_back({i, arrivals[i]});
  }
  SortByArrival(deliveries);
  return deliveries;
}

std::vector<Delivery> Shuffled(std::vector<Delivery> deliveries, std::uint64_t seed) {
  Random random(seed);
  for (std::size_t i = deliveries.size(); i > 1; --i) {
    std::swap(deliveries[i - 1].index, deliveries[random.Below(i)].index);
  }
  return deliveries;
}

std::vector<Delivery> Redelivered(const std::vector<Delivery>& deliveries, std::size_t times,
                                  std::chrono::milliseconds latest, std::uint64_t seed) {
  Random random(seed);
  std::vector<Delivery> result;
  result.reserve(deliveries.size() * times);
  for (std::size_t begin = 0, end = 0; begin < deliveries.size(); begin = end) {
    while (end < deliveries.size() && deliveries[end].arrival == deliveries[begin].arrival) {
      ++end;
    }
    for (std::size_t copy = 0; copy < times; ++copy) {
      const Moment later = copy == 0 ? 0 : random.Between(1, Nanoseconds(latest));
      for (std::size_t i = begin; i < end; ++i) {
        result.push_back({deliveries[i].index, deliveries[i].arrival + later});
      }
    }
  }
  SortByArrival(result);
  return result;
}

std::vector<Delivery> Rephased(std::span<const ModelSpan> spans, std::chrono::milliseconds interval,
                               std::uint64_t seed) {
  Random random(seed);
  const Moment period = Nanoseconds(interval);
  std::map<std::string, Moment> phases;
  std::vector<Delivery> result;
  result.reserve(spans.size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto [phase, fresh] = phases.try_emplace(PodOf(spans[i]), 0);
    if (fresh) {
      phase->second = random.Below(period);
    }
    const Moment ended = std::max(spans[i].start_nanoseconds, spans[i].end_nanoseconds);
    const Moment ticks = (ended - phase->second) / period;
    result.push_back({i, phase->second + ((ticks + 1) * period)});
  }
  SortByArrival(result);
  return result;
}

}  // namespace tracekeeper::truth
