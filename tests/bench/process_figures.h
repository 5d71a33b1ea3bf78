#pragma once
// What the kernel says another process has cost so far.
//
// Threads:  functions without state.
// Failure:  0 for a process that is gone.

#include <sys/types.h>

#include <string_view>

namespace tracekeeper::bench {

/// A figure of /proc/ID/status in bytes: "VmRSS", "VmHWM", "RssAnon".
[[nodiscard]] double MemoryOf(pid_t process, std::string_view key);
/// User and system time of all its threads, in seconds. Counted in steps of 10 ms.
[[nodiscard]] double CpuSecondsOf(pid_t process);

}  // namespace tracekeeper::bench
