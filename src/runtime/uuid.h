#pragma once
// RandomUuid makes the names that nobody else has: of a replica, of a run.
//
// Threads:  safe from any thread.

#include <string>

namespace tracekeeper::runtime {

/// A version 4 UUID, "3f2b8c1e-….", from the kernel's random numbers.
std::string RandomUuid();

}  // namespace tracekeeper::runtime
