#pragma once
// Connects to a server: looks its name up, then tries the addresses in order, none of which may use
// up the time of those behind it.
//
// Threads:  safe from any thread; blocks its caller until the end, `deadline` or `stop`.
// Owner:    the caller owns the socket, which is non-blocking, without delay (TCP_NODELAY), and
//           watched by the kernel, so that a dead path is noticed where no deadline of ours runs.
// Failure:  that of the last address: kUnavailable, kTimeout, kCancelled.

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/origin.h"

namespace tracekeeper::net {

Result<int> ConnectSocket(const Origin& origin, MonotonicTime deadline, const StopToken& stop);

}  // namespace tracekeeper::net
