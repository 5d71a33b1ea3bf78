#pragma once
// A TCP port of 127.0.0.1 that nobody listens on now, for programs that must be told a port before
// they start. Another program may take it first: prefer port 0 where that can be had.

#include <cstdint>

namespace tracekeeper::test_support {

/// Of 20000 to 29999; each call gives another one.
std::uint16_t FreePort();

}  // namespace tracekeeper::test_support
