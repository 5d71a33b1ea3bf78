#pragma once
// Spans as a web service's SDK sends them: server, client and internal spans of eight-span traces,
// twelve attributes each, about 480 bytes a span.
//
// Threads:  pure; equal seeds give equal bytes.

#include <cstddef>
#include <string>
#include <vector>

namespace tracekeeper::bench {

/// `count` requests of `spans` spans each, every trace id used once.
std::vector<std::string> MakeTraceRequests(std::size_t count, std::size_t spans, unsigned seed);

}  // namespace tracekeeper::bench
