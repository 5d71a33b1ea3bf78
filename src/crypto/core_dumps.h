#pragma once
// ForbidCoreDumps keeps what a process holds out of files and of other processes of the same user:
// no core dump, no ptrace, no /proc/PID/mem. For every program that holds secrets, first in main.
//
// Threads:  called once, before there are any.
// Failure:  kInternal with what the kernel refused.

#include "src/base/result.h"

namespace tracekeeper::crypto {

Status ForbidCoreDumps();

}  // namespace tracekeeper::crypto
