#pragma once
// Telemetry that nobody should send: for tests of what becomes of it.
//
// Threads:  pure functions.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/truth/telemetry_model.h"

namespace tracekeeper::analysis {

/// Requests with lengths that cannot be, by what is wrong with them.
std::vector<std::pair<std::string, std::string>> LyingLengths();
/// A request of one span with an attribute that holds a list, which holds a list, and so on.
std::string NestedAttribute(std::size_t depth);

/// One of each way in which ids can be wrong.
std::vector<truth::ModelSpan> SpansOfInvalidIds();

struct Chain {
  std::uint64_t trace = 1;
  std::uint64_t spans = 1;
  std::uint64_t start = 1'700'000'000'000'000'000;
  std::uint64_t end = 1'700'000'001'000'000'000;
  bool is_wide = false;  // all are children of the first; else each of the one before
};
/// A trace of service "deep": a SERVER root, and INTERNAL spans below it.
std::vector<truth::ModelSpan> ChainOf(const Chain& chain);

/// Requests number `first` and on at service "front": each a SERVER span with one child, all of
/// them with the trace id and parent of a client that has one traceparent for all. Ten a second.
std::vector<truth::ModelSpan> RequestsOfOneTraceparent(std::uint64_t first, std::uint64_t count);

}  // namespace tracekeeper::analysis
