#pragma once
// CheckJson finds the place where text stops being JSON, for error messages: the fast parser says
// what is wrong but not where. It reads byte by byte and keeps nothing.
//
// Threads:  a pure function.
// Failure:  kDecode with line, column and what was expected there.

#include <cstddef>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::codec {

/// Success if `text` is one JSON document (RFC 8259, UTF-8) of at most `max_depth` nested scopes.
Status CheckJson(std::string_view text, std::size_t max_depth);

/// Length of the UTF-8 sequence at `text[offset]`; 0 if it is not one.
std::size_t Utf8SequenceLength(std::string_view text, std::size_t offset);

}  // namespace tracekeeper::codec
