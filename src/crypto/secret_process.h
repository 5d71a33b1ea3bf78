#pragma once
// What a program that holds secrets does with itself, first thing in main: no core dump, no
// debugger of the same user, and a heap that is wiped as it is freed, so that the copies which
// libraries make of a secret (an HTTP buffer, a JSON text) do not outlive their use.
//
// A program that calls this is linked with operator new and delete of this folder, which wipe what
// is freed; others keep the library's.
//
// Threads:  called once, before there are any.
// Failure:  kInternal with what the kernel or OpenSSL refused: the program should not go on.

#include "src/base/result.h"

namespace tracekeeper::crypto {

Status BecomeSecretProcess();

}  // namespace tracekeeper::crypto
