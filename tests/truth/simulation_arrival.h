#pragma once
// Other ways in which the same telemetry may arrive. None of them may change a final verdict.
//
// Threads:  pure functions; equal seeds, equal orders.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

/// One span or log that arrives: which one, and when in nanoseconds.
struct Delivery {
  std::size_t index = 0;
  std::uint64_t arrival = 0;

  bool operator==(const Delivery&) const = default;
};

/// In order, as simulated.
std::vector<Delivery> AsSent(std::span<const std::uint64_t> arrivals);

/// At the same moments, each something else: any order at all.
std::vector<Delivery> Shuffled(std::vector<Delivery> deliveries, std::uint64_t seed);

/// Each batch (neighbours of one arrival) `times` times, each repeat up to `latest` after the
/// first; in order of arrival.
std::vector<Delivery> Redelivered(const std::vector<Delivery>& deliveries, std::size_t times,
                                  std::chrono::milliseconds latest, std::uint64_t seed);

/// As if every instance exported at another phase, every `interval`; in order of arrival.
std::vector<Delivery> Rephased(std::span<const ModelSpan> spans, std::chrono::milliseconds interval,
                               std::uint64_t seed);

}  // namespace tracekeeper::truth
