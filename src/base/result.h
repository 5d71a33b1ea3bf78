#pragma once
// Result<T> is a value or an Error; Status is a Result of nothing. TRY is the project's one macro:
// it yields the value of a Result, or leaves the function with its error.
//
//   const std::string text = TRY(ReadFile(path));
//   TRY(Apply(object));
//
// Exceptions exist only inside adapters, which turn them into an Error.

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "src/base/error.h"

namespace tracekeeper {

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// The value of a Result that has one; nothing for a Status. For TRY.
template <typename T>
T TakeValue(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace tracekeeper

// A TRY inside a TRY shadows its own variable, which is what it means to do.
#define TRY(expression)                                                                           \
  __extension__({                                                                                 \
    _Pragma("GCC diagnostic push")                                                                \
        _Pragma("GCC diagnostic ignored \"-Wshadow\"") auto try_result = (expression);            \
    _Pragma("GCC diagnostic pop") if (!try_result) return ::tl::unexpected<::tracekeeper::Error>( \
        std::move(try_result).error());                                                           \
    ::tracekeeper::TakeValue(std::move(try_result));                                              \
  })
