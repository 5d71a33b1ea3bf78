#pragma once
// Random documents for property tests: every kind, text of every plane, numbers at the edges.

#include <random>
#include <string>

namespace tracekeeper::codec {

/// Minimal JSON as JsonWriter would write it, at most a few levels deep. Keys of an object differ.
std::string RandomJson(std::mt19937& random);

}  // namespace tracekeeper::codec
